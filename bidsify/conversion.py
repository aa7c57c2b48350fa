"""Convert a source: plan, run the units, write the shared files, record what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from . import buckets, finish
from .dataset import Dataset
from .errors import UsageError
from .jobs import Plan, Unit
from .output import OnExisting, check_same, prepare, remove
from .pool import WorkerDiedError, run_all
from .reading import Fact
from .record import RECORD, Journal, Receipt, Record
from .source import Source
from .survey import plan_of
from .suspicion import refuse_suspects
from .work import Outcome, Setting, run_unit

#: Called with each unit, its outcomes, and how many units of how many have ended.
Watcher = Callable[[Unit, Sequence[Outcome], int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user can ask of a conversion. No ``participants`` means all."""

    workers: int = 1
    participants: tuple[str, ...] = ()
    on_existing: OnExisting = "resume"
    reproducible: bool = False
    prove: bool = True
    max_failures: int | None = None


@dataclass(slots=True)
class Conversion:
    """What a conversion did. ``buckets`` counts source files; each is in one of them."""

    plan: Plan
    root: Path
    buckets: Mapping[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Say whether no file failed."""
        return not self.failures


def convert(
    source: Source,
    root: Path,
    dataset: Dataset,
    options: Options,
    watch: Watcher = lambda *_: None,
) -> Conversion:
    """Convert ``source`` into ``root``; continue where an earlier run stopped.

    Raises:
        UsageError: The output folder is not ours, or lies in the source, or the labels of the
            source were changed by someone.
    """
    plan = plan_of(dataset, source)
    selected = _selected(plan, options.participants)
    refuse_suspects(plan, source)
    record = prepare(root, source, options.on_existing)
    if record and options.on_existing != "replace":
        check_same(root, plan, record.dataset, record.receipts)
    journal = Journal(root)
    try:
        earlier = {receipt.target: receipt for receipt in journal.earlier()}
        receipts = {**(record.receipts if record else {}), **earlier}
        if options.on_existing == "replace":
            remove(root, [*receipts, *(record.shared if record else ()), RECORD])
            receipts = {}
        else:
            check_same(root, plan, plan.dataset, earlier)
        setting = Setting(source, root, options.reproducible, options.prove)
        run = _Run(plan, setting, receipts, journal, watch, options.max_failures)
        outcomes = run.units(selected, options.workers)
        result = _conclude(run, outcomes, selected, record)
    except BaseException:
        journal.close()
        raise
    journal.finish()
    return result


@dataclass(slots=True)
class _Run:
    plan: Plan
    setting: Setting
    receipts: dict[str, Receipt]
    journal: Journal
    watch: Watcher
    max_failures: int | None

    def units(self, selected: Sequence[Unit], workers: int) -> list[Outcome]:
        """Run units until they end, or until too many failed.

        However that comes, no worker writes any more when it returns, and the lock may go.
        """
        outcomes: list[Outcome] = []
        failed = 0
        items = [(unit, self._known(unit)) for unit in selected]
        workers = min(workers, len(items))
        with closing(run_all(_run_item, self.setting, items, workers)) as results:
            for ended, ((unit, _), result) in enumerate(results, start=1):
                made = _death(unit) if isinstance(result, WorkerDiedError) else result
                self.journal.append(
                    o.receipt for o in made if o.receipt and o.status in {"written", "omitted"}
                )
                outcomes.extend(made)
                self.watch(unit, made, ended, len(items))
                failed += any(outcome.status == "failed" for outcome in made)
                if self.max_failures is not None and failed >= self.max_failures:
                    break
        return outcomes

    def _known(self, unit: Unit) -> Mapping[str, Receipt]:
        targets = (job.target for job in unit.jobs)
        return {target: self.receipts[target] for target in targets if target in self.receipts}


def _run_item(setting: Setting, item: tuple[Unit, Mapping[str, Receipt]]) -> list[Outcome]:
    unit, known = item
    return run_unit(unit, known, setting)


def _death(unit: Unit) -> list[Outcome]:
    message = f"{unit.name}: the process that converted it was killed, twice; is memory short?"
    return [Outcome(job.target, "failed", job.sources, message=message) for job in unit.jobs]


def _conclude(
    run: _Run, outcomes: list[Outcome], selected: Sequence[Unit], record: Record | None
) -> Conversion:
    """Write what belongs to all subjects, and the record."""
    plan, setting = run.plan, run.setting
    unselected = {id(unit) for unit in plan.units} - {id(unit) for unit in selected}
    outcomes.extend(_earlier(run, {outcome.target for outcome in outcomes}))
    done = {o.target: o.receipt for o in outcomes if o.receipt}
    outcomes.extend(finish.write_shared(plan, setting, done))
    left = [j for u in plan.units if id(u) in unselected for j in u.jobs if j.target not in done]
    sorting = buckets.sort(plan, outcomes, left)
    known = _known_facts(record, setting)
    document = buckets.record(plan, sorting, done, setting.source, known)
    finish.write_if_changed(setting.root, RECORD, buckets.to_bytes(document))
    failed = [entry.reason for entry in sorting if entry.bucket == "failed"]
    failed += [o.message for o in outcomes if o.status == "failed" and not o.sources]
    notes = (note for outcome in outcomes for note in outcome.notes)
    return Conversion(
        plan,
        setting.root,
        buckets.count(sorting),
        failures=[*dict.fromkeys(failed)],
        warnings=[*(remark.message for remark in plan.remarks), *dict.fromkeys(notes)],
    )


def _known_facts(record: Record | None, setting: Setting) -> dict[str, Fact]:
    """Return the source files that have not changed since the record was written."""
    if record is None or not (setting.root / RECORD).is_file():
        return {}
    source, written = setting.source, (setting.root / RECORD).stat().st_mtime
    return {
        path: fact
        for path, fact in record.facts.items()
        if source.sizes.get(path) == fact.size and source.changed(path) <= written
    }


def _earlier(run: _Run, reached: set[str]) -> Iterator[Outcome]:
    """Count what an earlier run wrote, in units that this one did not reach."""
    for unit in run.plan.units:
        for job in unit.jobs:
            receipt = run.receipts.get(job.target)
            if receipt is None or job.target in reached:
                continue
            if receipt.is_omitted or (run.setting.root / job.target).is_file():
                yield Outcome(job.target, "kept", job.sources, receipt)


def _selected(plan: Plan, participants: Sequence[str]) -> list[Unit]:
    """Return the units of the participants that were asked for.

    Raises:
        UsageError: One of them is not in the source.
    """
    wanted = {label.removeprefix("sub-") for label in participants}
    if unknown := wanted - {unit.subject for unit in plan.units}:
        some = ", ".join(sorted({unit.subject for unit in plan.units})[:10])
        msg = f"no participant {', '.join(sorted(unknown))} in the source; there are {some}, ..."
        raise UsageError(msg)
    return [unit for unit in plan.units if not wanted or unit.subject in wanted]
