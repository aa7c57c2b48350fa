"""Prove a tree against its source: nothing lost, nothing changed, nothing added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isal import igzip

from . import buckets, finish, proof
from .dataset import Dataset
from .errors import SourceError, UsageError
from .harmonised import HARMONISED, faults, read_harmonised
from .jobs import Job, Plan, Unit, VolumeJob
from .pool import WorkerDiedError, run_all
from .reading import Reading
from .record import RECORD, STATE, Receipt, Record, read_record
from .source import Source
from .survey import plan_of
from .work import Outcome

Code = Literal["LOST", "CHANGED", "EXTRA"]

_SHOWN = 200  # characters of a value in a message

#: Folders and files that BIDS leaves to the user; what lies there is no business of ours.
_FREE = ("code", "derivatives", "docs", "logs", "sourcedata", "stimuli", "phenotype", STATE)
_FREE_NAMES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "CITATION.cff")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with one file of the tree."""

    path: str
    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class _Setting:
    source: Source
    root: Path


@dataclass(frozen=True, slots=True)
class _Item:
    """A unit, its receipts, and which of its files nobody expects."""

    unit: Unit
    receipts: Mapping[str, Receipt]
    excused: frozenset[str]


def verify(source: Source, root: Path, dataset: Dataset, workers: int = 1) -> Iterator[Problem]:
    """Yield the problems of the tree at ``root``, unit by unit; none is a proof."""
    plan = plan_of(dataset, source)
    record = None
    try:
        record = read_record(root)
    except UsageError as error:
        yield Problem(RECORD, "CHANGED", str(error))
    if record is None:
        yield Problem(RECORD, "LOST", "no record of a conversion; convert again to get one")
    items = [_item(unit, record) for unit in plan.units]
    setting = _Setting(source, root)
    for item, result in run_all(_unit_problems, setting, items, min(workers, len(items))):
        if isinstance(result, WorkerDiedError):
            yield Problem(item.unit.name, "LOST", "the process that verified it was killed")
        else:
            yield from result
    for failure in plan.failures:
        yield Problem(failure.target or failure.sources[0], "LOST", failure.message)
    yield from _shared_problems(plan, setting, items)
    yield from _record_problems(plan, record, source)
    yield from _extra(plan, root)


def _item(unit: Unit, record: Record | None) -> _Item:
    if record is None:
        return _Item(unit, {}, frozenset())
    targets = {job.target for job in unit.jobs}
    receipts = {target: record.receipts[target] for target in targets & record.receipts.keys()}
    excused = {target for target, receipt in receipts.items() if receipt.is_omitted}
    excused |= {job.target for job in unit.jobs if getattr(job, "of", None) in excused}
    if not receipts and _was_left_out(unit, record):
        excused = targets
    return _Item(unit, receipts, frozenset(excused))


def _unit_problems(setting: _Setting, item: _Item) -> list[Problem]:
    reading = Reading(setting.source)
    return [p for job in item.unit.jobs for p in _job_problems(job, item, reading, setting.root)]


def _job_problems(job: Job, item: _Item, reading: Reading, root: Path) -> Iterator[Problem]:
    path = root / job.target
    if not path.is_file():
        if job.target not in item.excused:
            yield Problem(job.target, "LOST", f"not in the tree; its source is {_sources(job)}")
        return
    try:
        faults = list(proof.faults(job, reading.content, root))
    except SourceError as error:
        faults = [str(error)]
    except Exception as error:  # noqa: BLE001  a file that is not what we wrote can be anything
        faults = [f"cannot be compared with its source: {type(error).__name__}: {error}"]
    receipt = item.receipts.get(job.target)
    if receipt is None and item.receipts:
        faults.append("the record has no receipt for it; convert again")
    if receipt and not faults:
        faults.extend(_against_receipt(job, receipt, path, reading))
    yield from (Problem(job.target, "CHANGED", fault) for fault in faults)


def _against_receipt(job: Job, receipt: Receipt, path: Path, reading: Reading) -> Iterator[str]:
    """Compare with what was written; a volume may be packed anew with the same content."""
    content = path.read_bytes()
    same_file = hashlib.sha256(content).hexdigest() == receipt.sha256
    if isinstance(job, VolumeJob) and not same_file:  # it was packed anew
        unpacked = igzip.decompress(content)
        same_file = hashlib.sha256(unpacked).hexdigest() == receipt.content_sha256
    elif len(content) != receipt.size:
        yield f"has {len(content)} bytes, its receipt says {receipt.size}"
    if not same_file:
        yield "edited since it was written; convert again to undo it"
    used = dict.fromkeys((*job.sources, *(copy for copy, _ in job.twins)))
    if [name for name, _ in receipt.sources] != list(used):
        yield "its receipt names other sources than the plan"
        return
    for source, fact in receipt.sources:
        if reading.fact(source) != fact:
            yield f"its source {source} has changed since the conversion"


def _shared_problems(plan: Plan, setting: _Setting, items: Iterable[_Item]) -> Iterator[Problem]:
    reading = Reading(setting.source)
    targets = (job.target for item in items for job in item.unit.jobs)
    present = finish.Present.of(t for t in targets if (setting.root / t).is_file())
    for job in plan.shared:
        path = setting.root / job.target
        try:
            made = finish.make_shared(job, reading, present)
        except SourceError as error:
            yield Problem(job.target, "CHANGED", str(error))
            continue
        if made is None:
            continue
        if not path.is_file():
            yield Problem(job.target, "LOST", "not in the tree")
        elif path.read_bytes() != made.content:
            yield Problem(job.target, "CHANGED", _first_line(path.read_bytes(), made.content))


def _was_left_out(unit: Unit, record: Record) -> bool:
    """Say whether the record states that the participant was not selected."""
    sources = {path for job in unit.jobs for path in job.sources}
    return all(record.reasons.get(path) == buckets.UNSELECTED for path in sources)


def _record_problems(plan: Plan, record: Record | None, source: Source) -> Iterator[Problem]:
    """Make the record anew from its receipts, which were compared with the files, and compare."""
    if record is None:
        return
    if strange := sorted(record.reasons.keys() ^ source.sizes.keys()):
        for path in strange:
            if path in source.sizes:
                text = f"does not name the source file {path}; convert again"
                yield Problem(RECORD, "LOST", text)
            else:
                yield Problem(RECORD, "EXTRA", f"names {path}, which is not in the source")
        return
    jobs = {job.target: job for unit in plan.units for job in unit.jobs}
    known = {target: record.receipts[target] for target in jobs if target in record.receipts}
    outcomes = [
        Outcome(target, "written", jobs[target].sources, receipt)
        for target, receipt in known.items()
    ]
    outcomes += [Outcome(job.target, "written", job.sources) for job in plan.shared]
    left_out: list[Job] = []
    for unit in plan.units:
        missing = [job for job in unit.jobs if job.target not in known]
        if missing and _was_left_out(unit, record):
            left_out += missing
            continue
        for job in missing:
            reason = record.reasons.get(job.sources[0], "") if job.sources else ""
            if reason:
                outcomes.append(Outcome(job.target, "failed", job.sources, message=reason))
    entries = buckets.sort(plan, outcomes, left_out)
    document = buckets.record(plan, entries, known, source, {})
    # read back from JSON, as the other one was
    yield from _differences("", json.loads(json.dumps(document)), record.document)


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


def _extra(plan: Plan, root: Path) -> Iterator[Problem]:
    planned = {job.target for unit in plan.units for job in unit.jobs}
    planned |= {job.target for job in plan.shared}
    try:
        entries = read_harmonised(root)
        yield from (Problem(path, "CHANGED", fault) for path, fault in faults(root, entries))
        planned |= entries.keys()
    except UsageError as error:
        yield Problem(HARMONISED, "CHANGED", str(error))
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in _FREE or name in _FREE_NAMES or path.is_dir() or name in planned:
            continue
        if not name.startswith("."):
            yield Problem(name, "EXTRA", "made from no source file")


def _sources(job: Job) -> str:
    return job.sources[0] if job.sources else "all files of its folder"


def _first_line(found: bytes, expected: bytes) -> str:
    lines = zip(found.splitlines(), expected.splitlines(), strict=False)
    for number, (one, other) in enumerate(lines, start=1):
        if one != other:
            shown, wanted = one.decode(errors="replace"), other.decode(errors="replace")
            return f"line {number} is {shown!r} instead of {wanted!r}"
    return f"{len(found)} bytes instead of {len(expected)}"
