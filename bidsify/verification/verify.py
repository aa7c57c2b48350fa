"""Prove a tree against its source: unit by unit, then the files of all subjects, then the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from ..conversion import finish
from ..dataset import Dataset
from ..engine.gate import STATE
from ..engine.jobs import Job, Unit
from ..engine.pool import run_all
from ..engine.run import expected_seconds
from ..engine.workers import WorkerDiedError, Workers
from ..errors import SourceError, UsageError
from ..planning.jobs import Plan, VolumeJob
from ..proof import jobs as proof
from ..recognition.survey import plan_of
from ..records.conversion import RECORD, Record, read_record
from ..records.harmonisation import HARMONISED, faults, read_harmonised
from ..records.receipts import Receipt
from ..source import Source
from ..source.reading import Reading
from .problem import Problem
from .record import record_problems, was_left_out

#: Folders and files that BIDS leaves to the user; what lies there is no business of ours.
_FREE = ("code", "derivatives", "docs", "logs", "sourcedata", "stimuli", "phenotype", STATE)
_FREE_NAMES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "CITATION.cff")


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


def verify(source: Source, root: Path, dataset: Dataset, workers: Workers = 1) -> Iterator[Problem]:
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

    def weigh(item: _Item) -> float:
        return expected_seconds(item.unit, source)

    for item, result in run_all(_unit_problems, setting, items, workers, weigh):
        if isinstance(result, WorkerDiedError):
            yield Problem(item.unit.name, "LOST", "the process that verified it was killed")
        else:
            yield from result
    for failure in plan.failures:
        yield Problem(failure.target or failure.sources[0], "LOST", failure.message)
    reading = Reading(source)
    there = [job.target for job in plan.jobs if (root / job.target).is_file()]
    yield from _shared_problems(finish.shared_files(plan, reading, there), root)
    if record is not None:
        yield from record_problems(plan, record, source, reading)
    yield from _extra(plan, root)


def _item(unit: Unit, record: Record | None) -> _Item:
    if record is None:
        return _Item(unit, {}, frozenset())
    targets = {job.target for job in unit.jobs}
    receipts = {target: record.receipts[target] for target in targets & record.receipts.keys()}
    present, excused = set[str](), set[str]()
    for job in unit.jobs:
        receipt = receipts.get(job.target)
        is_excused = (receipt and receipt.is_omitted) or not job.is_wanted(present)
        (excused if is_excused else present).add(job.target)
    if not receipts and was_left_out(unit, record):
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
        faults = list(proof.faults(job, reading, root))
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
    if [name for name, _ in receipt.sources] != list(dict.fromkeys(job.files)):
        yield "its receipt names other sources than the plan"
        return
    for source, fact in receipt.sources:
        if reading.fact(source) != fact:
            yield f"its source {source} has changed since the conversion"


def _shared_problems(shared: Iterable[finish.Shared], root: Path) -> Iterator[Problem]:
    for each in shared:
        target = each.job.target
        path = root / target
        yield from (Problem(target, "CHANGED", why) for why in each.broken.values())
        if each.made is None:
            continue
        if not path.is_file():
            yield Problem(target, "LOST", "not in the tree")
        elif path.read_bytes() != each.made.content:
            yield Problem(target, "CHANGED", _first_line(path.read_bytes(), each.made.content))


def _extra(plan: Plan, root: Path) -> Iterator[Problem]:
    planned = {job.target for job in (*plan.jobs, *plan.shared)}
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
