"""Convert a source: plan, run the units, write the shared files, record what was done.

A file goes this way: :mod:`..recognition` says which dataset it belongs to, :mod:`..planning`
what becomes of it, :mod:`..engine` runs the jobs of each unit in a process, :mod:`.making` has
them made (:mod:`.volumes` by the readers, and so on) and proved by :mod:`..proof`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..dataset import Dataset
from ..engine.jobs import Unit, selected
from ..engine.output import OnExisting, Output, Wanted, open_output
from ..engine.run import Pace, Watcher, run_units, written_earlier
from ..engine.work import Outcome, Setting
from ..engine.writing import write_if_changed
from ..planning.jobs import Plan
from ..recognition.survey import plan_of
from ..recognition.suspicion import refuse_suspects
from ..records.conversion import RECORD, Record
from ..source import Source
from ..source.reading import Fact, Reading
from . import buckets, finish
from .making import make, prove


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user can ask of a conversion. No ``participants`` means all."""

    workers: int = 1
    participants: tuple[str, ...] = ()
    on_existing: OnExisting = "resume"
    reproducible: bool = False
    prove: bool = True
    max_failures: int | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did. ``buckets`` counts source files; each is in one of them."""

    plan: Plan
    root: Path
    buckets: Mapping[str, int]
    failures: list[str]
    warnings: list[str]

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
    units = selected(plan.units, options.participants)
    refuse_suspects(plan, source)
    wanted = Wanted(source.root, plan.dataset, frozenset(job.target for job in plan.jobs))
    setting = Setting(
        source,
        root,
        partial(make, reproducible=options.reproducible),
        prove if options.prove else None,
        context=str(options.reproducible),
    )
    pace = Pace(workers=options.workers, max_failures=options.max_failures)
    with open_output(root, wanted, options.on_existing) as output:
        outcomes = run_units(units, setting, output, pace, watch)
        outcomes += written_earlier(plan.units, output, outcomes)
        return _conclude(plan, units, output, setting, outcomes)


def _conclude(
    plan: Plan,
    chosen: Sequence[Unit],
    output: Output,
    setting: Setting,
    outcomes: list[Outcome],
) -> Conversion:
    """Write what belongs to all subjects, and the record."""
    done = {o.target: o.receipt for o in outcomes if o.receipt}
    reading = Reading(setting.source)
    present = (target for target, receipt in done.items() if not receipt.is_omitted)
    earlier = output.record.shared if output.record else ()
    files = finish.shared_files(plan, reading, present)
    common = [*finish.write_shared(files, output.root, earlier)]
    outcomes += common
    shared = {o.target: o.sources for o in common if o.status != "failed"}
    names = {unit.name for unit in chosen}
    others = (unit for unit in plan.units if unit.name not in names)
    left = [job for unit in others for job in unit.jobs if job.target not in done]
    sorting = buckets.sort(plan, outcomes, left)
    known = {**_known_facts(output.record, setting), **reading.facts}
    document = buckets.record(
        plan, sorting, done, shared=shared, source=setting.source, known=known
    )
    document = buckets.with_hashes(document, {t: (output.root / t).read_bytes() for t in shared})
    write_if_changed(output.root, RECORD, buckets.to_bytes(document))
    failed = [entry.reason for entry in sorting if entry.bucket == "failed"]
    failed += [o.message for o in outcomes if o.status == "failed" and not o.sources]
    notes = (note for outcome in outcomes for note in outcome.notes)
    return Conversion(
        plan,
        output.root,
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
