"""Run units in processes, and note what was done: what every pipeline that writes trees shares."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from ..collecting import uncollected
from ..records.receipts import Receipt
from ..source import Source
from ..source.reading import Fact
from .jobs import Unit
from .output import Output
from .pool import run_all
from .settled import settled
from .work import Outcome, Setting, run_unit
from .workers import WorkerDiedError, Workers

_BYTES_PER_SECOND = 60e6  # inflate, compare, compress: of one core, by and large
_JOB_SECONDS = 0.003

#: Called with each unit, its outcomes, and how many units of how many have ended.
Watcher = Callable[[Unit, Sequence[Outcome], int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How to run: where, and after how many failed units to stop."""

    workers: Workers = 1
    max_failures: int | None = None


def run_units(
    units: Sequence[Unit], setting: Setting, output: Output, pace: Pace, watch: Watcher
) -> list[Outcome]:
    """Run units until they end, or until too many failed.

    However that comes, no worker writes any more when it returns, and the lock may go. There is one
    exception: where the scheduler of a cluster died, its workers end the unit that they are at.
    """
    outcomes: list[Outcome] = []
    failed = 0
    with closing(_results(units, setting, output, pace)) as results:
        for ended, (unit, made) in enumerate(results, start=1):
            output.note(made)
            outcomes.extend(made)
            watch(unit, made, ended, len(units))
            failed += any(outcome.status == "failed" for outcome in made)
            if pace.max_failures is not None and failed >= pace.max_failures:
                break
    return outcomes


def _results(
    units: Sequence[Unit], setting: Setting, output: Output, pace: Pace
) -> Generator[tuple[Unit, list[Outcome]], None, None]:
    """Yield what became of each unit, first of those in which there is nothing to do."""
    done, items = _divided(units, setting, output)
    yield from done

    def weigh(item: tuple[Unit, Mapping[str, Receipt]]) -> float:
        return expected_seconds(item[0], setting.source)

    with closing(run_all(run_unit, setting, items, pace.workers, weigh)) as results:
        for (unit, known), result in results:
            if isinstance(result, WorkerDiedError):
                yield unit, _death(unit)
            else:
                yield unit, _lean(unit, known, result)


@uncollected()
def _divided(
    units: Sequence[Unit], setting: Setting, output: Output
) -> tuple[list[tuple[Unit, list[Outcome]]], list[tuple[Unit, Mapping[str, Receipt]]]]:
    """Return the units in which there is nothing to do, and those to run with what is known."""
    finished = output.record.receipts if output.record else {}
    done, items = [], []
    for unit in units:
        known = _known(unit, output.receipts)
        is_sure = all(finished.get(target) is receipt for target, receipt in known.items())
        kept = settled(unit, known, setting) if known and is_sure else None
        if kept is None:
            items.append((unit, known))
        else:
            done.append((unit, kept))
    return done, items


def expected_seconds(unit: Unit, source: Source) -> float:
    """Guess how long a unit takes, by the bytes of its sources and the number of its jobs."""
    paths = {path for job in unit.jobs for path in job.files}
    read = sum(source.sizes.get(path, 0) for path in paths)
    return read / _BYTES_PER_SECOND + _JOB_SECONDS * len(unit.jobs)


def _known(unit: Unit, receipts: Mapping[str, Receipt]) -> Mapping[str, Receipt]:
    targets = (job.target for job in unit.jobs)
    return {target: receipts[target] for target in targets if target in receipts}


def _lean(unit: Unit, known: Mapping[str, Receipt], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return what a worker sent with names and receipts that are here, not with copies of them."""
    names = {path: path for job in unit.jobs for path in (*job.files, *job.reads)}
    pairs: dict[tuple[str, Fact], tuple[str, Fact]] = {}
    lean = []
    for job, outcome in zip(unit.jobs, outcomes, strict=True):
        receipt = outcome.receipt
        if receipt is not None and receipt == known.get(job.target):
            receipt = known[job.target]
        elif receipt is not None:
            named = ((names.get(path, path), fact) for path, fact in receipt.sources)
            sources = tuple(pairs.setdefault(pair, pair) for pair in named)
            receipt = replace(receipt, target=job.target, sources=sources)
        lean.append(replace(outcome, target=job.target, sources=job.sources, receipt=receipt))
    return lean


def _death(unit: Unit) -> list[Outcome]:
    message = f"{unit.name}: the process that made it was killed, twice; is memory short?"
    return [Outcome(job.target, "failed", job.sources, message=message) for job in unit.jobs]


def written_earlier(
    units: Iterable[Unit], output: Output, reached: Iterable[Outcome]
) -> Iterator[Outcome]:
    """Count what an earlier run wrote, in units that this one did not reach."""
    seen = {outcome.target for outcome in reached}
    for unit in units:
        for job in unit.jobs:
            receipt = output.receipts.get(job.target)
            if receipt is None or job.target in seen:
                continue
            if receipt.is_omitted or (output.root / job.target).is_file():
                yield Outcome(job.target, "kept", job.sources, receipt)
