"""What became of units that other runs made: told from what these noted, without running a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..records.receipts import Receipt
from ..source.reading import Reading
from .jobs import Job, Unit
from .output import Output
from .settled import knows_what_it_reads
from .untouched import has_sizes
from .work import Bench, Outcome, Setting, digest_of

_UNREACHED = "was not reached; run its task again"
_OTHERWISE = "was made otherwise, or of another source; run its task again"


def standing(
    units: Iterable[Unit], output: Output, setting: Setting, before: Mapping[str, str]
) -> Iterator[Outcome]:
    """Yield the outcome of each job, in the order in which :func:`.work.run_unit` goes.

    ``before`` says of files of the source that failed why, as the record of the tree has it. A
    job that no run has got to has failed too, and so has one that was made of something else.
    """
    for unit in units:
        bench = Bench(unit, Reading(setting.source), output.root, output.receipts)
        for job in unit.jobs:
            if not job.is_wanted(bench.present):
                yield Outcome(job.target, "skipped", job.sources)
                continue
            receipt = _receipt(job, output)
            message = output.failures.get(job.target, "")
            if message:
                outcomes = [Outcome(job.target, "failed", job.sources, receipt, message)]
            elif receipt and _is_asked_for(receipt, job, bench, setting):
                outcomes = [Outcome(job.target, "kept", job.sources, receipt, notes=receipt.notes)]
            else:
                why = f"{unit.name}: {_OTHERWISE if receipt else _UNREACHED}"
                outcomes = [*_not_made(job, receipt, before, why)]
            bench.note(outcomes[0])
            yield from outcomes


def _receipt(job: Job, output: Output) -> Receipt | None:
    """Return the receipt of a file that is there, or that is rightly not."""
    receipt = output.receipts.get(job.target)
    if receipt is None or receipt.is_omitted or (output.root / job.target).is_file():
        return receipt
    return None


def _is_asked_for(receipt: Receipt, job: Job, bench: Bench, setting: Setting) -> bool:
    """Say whether a file was made as it would be now, as far as that is known unread."""
    if not has_sizes(receipt, setting.source):
        return False
    return not knows_what_it_reads(job, bench) or receipt.digest == digest_of(job, bench, setting)


def _not_made(
    job: Job, receipt: Receipt | None, before: Mapping[str, str], why: str
) -> Iterator[Outcome]:
    """Yield why a job failed, and then the files of it that did so for another reason."""
    told = {path: before.get(path, why) for path in job.files}
    message = next(iter(told.values()), why)
    yield Outcome(job.target, "failed", job.sources, receipt, message)
    for path in job.sources:
        if told[path] != message:
            yield Outcome(job.target, "failed", (path,), message=told[path])
