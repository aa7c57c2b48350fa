"""Run the jobs of one unit: read, make, write, prove. This is what a worker process does.

A file is written beside its place and renamed into it, so there are no half files. What a job
depends on goes into its digest: a receipt with the same digest and an untouched file mean
that there is nothing to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from . import proof, sidecars, tables, volumes
from .copies import check_twin, checked_copy
from .errors import SourceError
from .jobs import CopyJob, Job, PointsJob, ScansJob, SidecarJob, Unit, VolumeJob
from .reading import Reading
from .record import Receipt
from .source import Source
from .volumes import Made, Omitted
from .writing import write_file

Status = Literal["written", "kept", "omitted", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for a whole conversion."""

    source: Source
    root: Path
    reproducible: bool = False
    prove: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job."""

    target: str
    status: Status
    sources: tuple[str, ...]
    receipt: Receipt | None = None
    message: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Progress:
    """What the jobs of a unit know of each other."""

    unit: Unit
    reading: Reading
    known: Mapping[str, Receipt]
    done: dict[str, Receipt] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def present(self) -> frozenset[str]:
        return frozenset(t for t, receipt in self.done.items() if not receipt.is_omitted)


def run_unit(unit: Unit, known: Mapping[str, Receipt], setting: Setting) -> list[Outcome]:
    """Run the jobs of a unit in their order; ``known`` are receipts of earlier runs."""
    progress = _Progress(unit, Reading(setting.source), known)
    return [_run(job, progress, setting) for job in unit.jobs]


def _run(job: Job, progress: _Progress, setting: Setting) -> Outcome:
    if not _has_purpose(job, progress):
        return Outcome(job.target, "skipped", job.sources)
    try:
        digest = job.digest(*_context(job, progress), str(setting.reproducible))
        receipt = progress.known.get(job.target)
        same = receipt is not None and receipt.digest == digest
        if receipt and same and _is_untouched(receipt, progress.reading, setting):
            outcome = Outcome(job.target, "kept", job.sources, receipt, notes=receipt.notes)
        else:
            outcome = _write(job, digest, progress, setting)
    except SourceError as error:
        outcome = _failed(job, str(error), progress, setting)
    except OSError:
        raise  # the output folder: no other job can do better
    except Exception as error:  # noqa: BLE001  one file must not stop the others
        outcome = _failed(job, _unexpected(job, error), progress, setting)
    if outcome.receipt:
        progress.done[job.target] = outcome.receipt
        if not outcome.receipt.is_omitted:
            progress.origins[job.target] = job.sources
    return outcome


def _failed(job: Job, message: str, progress: _Progress, setting: Setting) -> Outcome:
    """Report a failure; what an earlier run made of a better source stays, with its receipt."""
    receipt = progress.known.get(job.target)
    stays = receipt is not None and (setting.root / job.target).is_file()
    return Outcome(job.target, "failed", job.sources, receipt if stays else None, message)


def _unexpected(job: Job, error: Exception) -> str:
    name = job.sources[0] if job.sources else job.target
    if isinstance(error, MemoryError):
        return f"{name}: does not fit into memory; use fewer processes (-j) or a larger machine"
    return f"{name}: unexpected {type(error).__name__}: {error}; a defect of bidsify, report it"


def _has_purpose(job: Job, progress: _Progress) -> bool:
    match job:
        case SidecarJob():
            return job.of in progress.present
        case ScansJob():
            return bool(progress.present)
        case _:
            return True


def _context(job: Job, progress: _Progress) -> Iterator[str]:
    """List what the content of a job depends on besides its sources."""
    match job:
        case SidecarJob():
            names: tuple[str, ...] = (job.of, *job.drawn_on)
        case PointsJob() if job.grid:
            names = (job.grid,)
        case ScansJob():
            names = job.of
        case _:
            names = ()
    for name in names:
        if name in progress.present:
            yield f"{name} {progress.done[name].content_sha256}"
    read = job.grid if isinstance(job, VolumeJob) else ()
    read = job.dicom[:1] if isinstance(job, SidecarJob) else read
    if read:  # files that say where voxels lie, or how they were acquired
        known = {path: fact for done in progress.done.values() for path, fact in done.sources}
        for path in read:
            yield f"{path} {(known.get(path) or progress.reading.fact(path)).sha256}"
    if isinstance(job, ScansJob):
        facts = (
            fact for name in names if name in progress.done for fact in progress.done[name].sources
        )
        yield from (f"{path} {fact.sha256}" for path, fact in facts)


def _is_untouched(receipt: Receipt, reading: Reading, setting: Setting) -> bool:
    """Say whether the file and its sources are still those of the receipt.

    The file is hashed. A source is hashed where it came to its place after the file was written.
    """
    source, path = setting.source, setting.root / receipt.target
    if any(source.sizes.get(name) != fact.size for name, fact in receipt.sources):
        return False
    if receipt.is_omitted:  # a sibling has read the source again if it had to
        facts = reading.facts
        return not path.exists() and all(facts.get(n, fact) == fact for n, fact in receipt.sources)
    if path.is_symlink() or not path.is_file():
        return False
    status = path.stat()
    if status.st_size != receipt.size:
        return False
    if hashlib.sha256(path.read_bytes()).hexdigest() != receipt.sha256:
        return False
    return all(
        source.changed(name) <= status.st_mtime or reading.fact(name) == fact
        for name, fact in receipt.sources
    )


def _write(job: Job, digest: str, progress: _Progress, setting: Setting) -> Outcome:
    reading = progress.reading
    made = _make(job, progress, setting)
    for copy, original in job.twins:
        check_twin(copy, original, reading)
    used = dict.fromkeys(path for path in (*job.sources, *(copy for copy, _ in job.twins)))
    facts = tuple((path, reading.facts[path]) for path in used)
    if isinstance(made, Omitted):
        (setting.root / job.target).unlink(missing_ok=True)
        receipt = Receipt(job.target, digest, 0, "", "", facts, made.notes)
        return Outcome(job.target, "omitted", job.sources, receipt, made.reason, made.notes)
    write_file(setting.root, job.target, made.content)
    if setting.prove:
        faults = list(proof.faults(job, reading.content, setting.root, reading.inflated))
        if faults:
            (setting.root / job.target).unlink()  # never leave a file that is known to be wrong
            msg = f"{job.target}: the written file does not hold what the source holds: {faults[0]}"
            raise SourceError(msg)
    file_hash = hashlib.sha256(made.content).hexdigest()
    content_hash = made.content_sha256 or file_hash
    receipt = Receipt(
        job.target, digest, len(made.content), file_hash, content_hash, facts, made.notes
    )
    return Outcome(job.target, "written", job.sources, receipt, notes=made.notes)


def _make(job: Job, progress: _Progress, setting: Setting) -> Made | Omitted:
    reading = progress.reading
    match job:
        case VolumeJob():
            return volumes.make(job, reading, reproducible=setting.reproducible)
        case PointsJob():
            return tables.points(job, reading, setting.root, progress.present)
        case CopyJob():
            return Made(checked_copy(job.sources[0], reading), "")
        case SidecarJob():
            return sidecars.make(job, reading, setting.root, progress.present)
        case ScansJob():
            facts = {path: fact for r in progress.done.values() for path, fact in r.sources}
            made = tables.scans(job, progress.origins, facts)
            return Made(made.content, "", tuple(_unknown_entries(progress)))
        case _:
            msg = f"no unit holds a job of kind {job.kind!r}"
            raise AssertionError(msg)


def _unknown_entries(progress: _Progress) -> Iterator[str]:
    """Say which arrays of the files that were used no job of the unit asks for."""
    jobs = progress.unit.jobs
    asked = {job.array.key for job in jobs if isinstance(job, VolumeJob) and job.array}
    asked |= {key for job in jobs if isinstance(job, PointsJob) for key, _ in job.groups}
    paths = {
        job.sources[0]
        for job in jobs
        if isinstance(job, VolumeJob) and job.reader == "tensors" and job.target in progress.origins
    }
    for path in sorted(paths):
        if left := sorted(set(map(str, progress.reading.arrays(path))) - asked):
            yield f"{path}: entries that the declaration does not know: {', '.join(left)}"
