"""Run the jobs of one unit: make, write, prove. This is what a worker process does.

A file is written beside its place and renamed into it, so there are no half files. What a job
depends on goes into its digest: a receipt with the same digest and an untouched file mean
that there is nothing to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import SourceError
from ..records.receipts import Receipt
from ..source import Source
from ..source.reading import Reading
from .jobs import Job, Made, Omitted, Unit
from .memory import keep_small_memory
from .untouched import is_untouched
from .writing import remove_file, write_file

Status = Literal["written", "kept", "omitted", "failed", "skipped"]


@dataclass(slots=True)
class Bench:
    """What a job can see: the source, the tree, and what the jobs before it made.

    ``known`` are receipts of earlier runs, ``done`` those of this one; ``origins`` maps each file
    of the unit that exists to its sources. ``scratch`` is for what several jobs of a unit share.
    """

    unit: Unit
    reading: Reading
    root: Path
    known: Mapping[str, Receipt]
    done: dict[str, Receipt] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scratch: dict[str, Any] = field(default_factory=dict)

    @property
    def present(self) -> frozenset[str]:
        """Return the files of the unit that exist."""
        return frozenset(self.origins)

    def note(self, outcome: Outcome) -> None:
        """Note what became of a job, for those after it."""
        if outcome.receipt:
            self.done[outcome.target] = outcome.receipt
            if not outcome.receipt.is_omitted:
                self.origins[outcome.target] = outcome.sources


#: Returns the content of the file of a job. Raises SourceError where the source is at fault.
Make = Callable[[Job, Bench], Made | Omitted]
#: Yields what the written file of a job does not hold of its source, a sentence each.
Prove = Callable[[Job, Bench], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all units of a run: where from, where to, and what jobs mean.

    ``make`` and ``prove`` go to worker processes, so they must be picklable. ``context`` is what
    the content of all files depends on besides their jobs, such as the manner of compression.
    With ``link``, files that are as in the source share its blocks where that can be done.
    """

    source: Source
    root: Path
    make: Make
    prove: Prove | None = None
    context: str = ""
    link: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job."""

    target: str
    status: Status
    sources: tuple[str, ...]
    receipt: Receipt | None = None
    message: str = ""
    notes: tuple[str, ...] = ()


def run_unit(setting: Setting, item: tuple[Unit, Mapping[str, Receipt]]) -> list[Outcome]:
    """Run the jobs of a unit in their order; with it come receipts of earlier runs."""
    keep_small_memory()
    unit, known = item
    bench = Bench(unit, Reading(setting.source), setting.root, known)
    return [_run(job, bench, setting) for job in unit.jobs]


def _run(job: Job, bench: Bench, setting: Setting) -> Outcome:
    if not job.is_wanted(bench.present):
        if job.target in bench.known:  # what an earlier run had a use for
            remove_file(bench.root, job.target)
        return Outcome(job.target, "skipped", job.sources)
    try:
        digest = digest_of(job, bench, setting)
        receipt = bench.known.get(job.target)
        same = receipt is not None and receipt.digest == digest
        if receipt and same and is_untouched(receipt, bench.reading, bench.root):
            outcome = Outcome(job.target, "kept", job.sources, receipt, notes=receipt.notes)
        else:
            outcome = _write(job, digest, bench, setting)
    except SourceError as error:
        outcome = _failed(job, str(error), bench)
    except OSError:
        raise  # the output folder: no other job can do better
    except Exception as error:  # noqa: BLE001  one file must not stop the others
        outcome = _failed(job, _unexpected(job, error), bench)
    bench.note(outcome)
    return outcome


def _failed(job: Job, message: str, bench: Bench) -> Outcome:
    """Report a failure; what an earlier run made of a better source stays, with its receipt."""
    receipt = bench.known.get(job.target)
    stays = receipt is not None and (bench.root / job.target).is_file()
    return Outcome(job.target, "failed", job.sources, receipt if stays else None, message)


def _unexpected(job: Job, error: Exception) -> str:
    """Say of an error that is no fault of the source what a user can do."""
    name = job.sources[0] if job.sources else job.target
    if isinstance(error, MemoryError):
        return f"{name}: does not fit into memory; use fewer processes (-j) or a larger machine"
    return f"{name}: unexpected {type(error).__name__}: {error}; a defect of bidsify, report it"


def digest_of(job: Job, bench: Bench, setting: Setting) -> str:
    """Return what a job amounts to, after the jobs before it."""
    return job.digest(*_context(job, bench), setting.context)


def _context(job: Job, bench: Bench) -> Iterator[str]:
    """List what the content of a job depends on besides its sources."""
    made = [bench.done[name] for name in job.needs if name in bench.origins]
    yield from (f"{receipt.target} {receipt.content_sha256}" for receipt in made)
    yield from (f"{path} {fact.sha256}" for receipt in made for path, fact in receipt.sources)
    if job.reads:
        known = {path: fact for receipt in bench.done.values() for path, fact in receipt.sources}
        for path in job.reads:
            yield f"{path} {(known.get(path) or bench.reading.fact(path)).sha256}"


def _write(job: Job, digest: str, bench: Bench, setting: Setting) -> Outcome:
    made = setting.make(job, bench)
    facts = tuple((path, bench.reading.fact(path)) for path in dict.fromkeys(job.files))
    if isinstance(made, Omitted):
        remove_file(bench.root, job.target)
        receipt = Receipt(job.target, digest, 0, "", "", facts, made.notes)
        return Outcome(job.target, "omitted", job.sources, receipt, made.reason, made.notes)
    file_hash = hashlib.sha256(made.content).hexdigest()
    origin = bench.reading.place_of(made.content, job.sources) if setting.link else None
    write_file(bench.root, job.target, made.content, file_hash, origin)
    if setting.prove is not None:
        _require_proof(job, bench, setting.prove)
    content_hash = made.content_sha256 or file_hash
    receipt = Receipt(
        job.target, digest, len(made.content), file_hash, content_hash, facts, made.notes
    )
    return Outcome(job.target, "written", job.sources, receipt, notes=made.notes)


def _require_proof(job: Job, bench: Bench, prove: Prove) -> None:
    """Remove a file that is wrong, or that could not be proved to be right.

    Raises:
        SourceError: The written file does not hold what its source holds.
    """
    is_proved = False
    try:
        faults = list(prove(job, bench))
        is_proved = not faults
    finally:
        if not is_proved:
            (bench.root / job.target).unlink()
    if faults:
        msg = f"{job.target}: the written file does not hold what the source holds: {faults[0]}"
        raise SourceError(msg)
