"""Run units in processes, and note what was done: what every pipeline that writes trees shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from ..records.receipts import Receipt
from .jobs import Unit
from .output import Output
from .pool import WorkerDiedError, run_all
from .work import Outcome, Setting, run_unit

#: Called with each unit, its outcomes, and how many units of how many have ended.
Watcher = Callable[[Unit, Sequence[Outcome], int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How to run: in how many processes, and after how many failed units to stop."""

    workers: int = 1
    max_failures: int | None = None


def run_units(
    units: Sequence[Unit], setting: Setting, output: Output, pace: Pace, watch: Watcher
) -> list[Outcome]:
    """Run units until they end, or until too many failed.

    However that comes, no worker writes any more when it returns, and the lock may go.
    """
    outcomes: list[Outcome] = []
    failed = 0
    items = [(unit, _known(unit, output.receipts)) for unit in units]
    with closing(run_all(run_unit, setting, items, pace.workers)) as results:
        for ended, ((unit, _), result) in enumerate(results, start=1):
            made = _death(unit) if isinstance(result, WorkerDiedError) else result
            output.note(o.receipt for o in made if o.receipt and o.status in {"written", "omitted"})
            outcomes.extend(made)
            watch(unit, made, ended, len(items))
            failed += any(outcome.status == "failed" for outcome in made)
            if pace.max_failures is not None and failed >= pace.max_failures:
                break
    return outcomes


def _known(unit: Unit, receipts: Mapping[str, Receipt]) -> Mapping[str, Receipt]:
    targets = (job.target for job in unit.jobs)
    return {target: receipts[target] for target in targets if target in receipts}


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
