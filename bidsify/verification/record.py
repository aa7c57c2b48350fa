"""Make the record of a tree anew, and compare it with the one that is there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import orjson

from ..conversion import buckets, finish
from ..engine.jobs import Job, Unit
from ..engine.work import Outcome
from ..planning.jobs import Plan
from ..records import long_json
from ..records.conversion import RECORD, Record
from ..source import Source
from ..source.reading import Reading
from .problem import Problem

_SHOWN = 200  # characters of a value in a message


def record_problems(
    plan: Plan, record: Record, source: Source, reading: Reading
) -> Iterator[Problem]:
    """Make the record anew from its receipts, which were compared with the files, and compare."""
    if strange := sorted(record.reasons.keys() ^ source.sizes.keys()):
        for path in strange:
            if path in source.sizes:
                text = f"does not name the source file {path}; convert again"
                yield Problem(RECORD, "LOST", text)
            else:
                yield Problem(RECORD, "EXTRA", f"names {path}, which is not in the source")
        return
    jobs = {job.target: job for job in plan.jobs}
    known = {target: record.receipts[target] for target in jobs if target in record.receipts}
    outcomes = [
        Outcome(target, "written", jobs[target].sources, receipt)
        for target, receipt in known.items()
    ]
    written = (target for target, receipt in known.items() if not receipt.is_omitted)
    shared = [*finish.shared_files(plan, reading, written)]
    made = {each.job.target: each.job.sources for each in shared if each.made}
    contents = {each.job.target: each.made.content for each in shared if each.made}
    outcomes += [Outcome(target, "written", sources) for target, sources in made.items()]
    outcomes += [fault for each in shared for fault in each.faults]
    left_out: list[Job] = []
    for unit in plan.units:
        missing = [job for job in unit.jobs if job.target not in known]
        if missing and was_left_out(unit, record):
            left_out += missing
            continue
        for job in missing:
            reason = record.reasons.get(job.sources[0], "") if job.sources else ""
            if reason:
                outcomes.append(Outcome(job.target, "failed", job.sources, message=reason))
    entries = buckets.sort(plan, outcomes, left_out)
    document = buckets.record(plan, entries, known, shared=made, source=source, known={})
    found = record.document
    if "shared_sha256" in found:  # older records have none
        document = buckets.with_hashes(document, contents)
    wanted = b"".join(long_json.pieces(document))  # read back from JSON, as the other one was
    yield from _differences("", orjson.loads(wanted), found)


def _differences(where: str, wanted: object, found: object) -> Iterator[Problem]:
    """Yield the first difference of two JSON documents."""
    if wanted == found:
        return
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        name = next(name for name in wanted if wanted[name] != found[name])
        yield from _differences(f"{where}.{name}", wanted[name], found[name])
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        place = next(n for n, one in enumerate(wanted) if one != found[n])
        yield from _differences(f"{where}[{place}]", wanted[place], found[place])
    else:
        message = f"${where} is {_brief(found)} instead of {_brief(wanted)}"
        yield Problem(RECORD, "CHANGED", message)


def _brief(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def was_left_out(unit: Unit, record: Record) -> bool:
    """Say whether the record states that the participant was not selected."""
    sources = {path for job in unit.jobs for path in job.sources}
    return all(record.reasons.get(path) == buckets.UNSELECTED for path in sources)
