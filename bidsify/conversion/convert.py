"""Convert a source: plan, run the units, write the shared files, record what was done.

A file goes this way: :mod:`..recognition` says which dataset it belongs to, :mod:`..planning`
what becomes of it, :mod:`..engine` runs the jobs of each unit in a process, :mod:`.making` has
them made (:mod:`.volumes` by the readers, and so on) and proved by :mod:`..proof`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..collecting import uncollected
from ..dataset import Dataset
from ..engine.jobs import Unit, selected
from ..engine.output import OnExisting, Output, Wanted, open_output
from ..engine.run import Pace, Watcher, run_units, written_earlier
from ..engine.standing import standing
from ..engine.together import open_left, open_part
from ..engine.work import Outcome, Setting
from ..engine.workers import Workers
from ..engine.writing import write_long
from ..errors import UsageError
from ..planning.jobs import Plan
from ..recognition.survey import plan_of
from ..recognition.suspicion import refuse_suspects
from ..records import long_json
from ..records.conversion import RECORD, Record
from ..source import Source
from ..source.reading import Fact, Reading
from . import buckets, finish
from .making import make, prove


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user can ask of a conversion. No ``participants`` means all.

    ``finalize`` makes nothing: it writes what belongs to all of what other runs made.
    """

    workers: Workers = 1
    participants: tuple[str, ...] = ()
    on_existing: OnExisting = "resume"
    reproducible: bool = False
    prove: bool = True
    link: bool = False
    max_failures: int | None = None
    finalize: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did. ``buckets`` counts source files; each is in one of them.

    ``pending`` says what is left to do where others write here: the tables of all subjects.
    """

    plan: Plan
    root: Path
    buckets: Mapping[str, int]
    failures: list[str]
    warnings: list[str]
    pending: str = ""

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

    Runs on some ``participants`` may be on at the same time: the last one writes the tables.

    Raises:
        UsageError: The output folder is not ours, or lies in the source, or the labels of the
            source were changed by someone.
    """
    _refuse_needless(root, options)
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
        link=options.link,
    )
    pace = Pace(workers=options.workers, max_failures=options.max_failures)
    if options.finalize:
        return _merge(plan, units, wanted, setting)
    if options.participants and options.on_existing != "replace":
        people = {unit.subject for unit in units}
        with open_part(root, wanted, options.on_existing, people) as output:
            outcomes = run_units(units, setting, output, pace, watch)
        return _merge(plan, units, wanted, setting, outcomes)
    with open_output(root, wanted, options.on_existing) as output:
        outcomes = run_units(units, setting, output, pace, watch)
        outcomes += written_earlier(plan.units, output, outcomes)
        return _conclude(plan, units, output, setting, outcomes)


def _refuse_needless(root: Path, options: Options) -> None:
    """Refuse options that say how to make files, where none is made."""
    if options.finalize and options.on_existing != "resume":
        msg = f"{root}: --finalize takes what is there as it is; leave out --on-existing"
        raise UsageError(msg)
    asked = {
        "-j or --executor": options.workers != 1,
        "--link": options.link,
        "--no-verify": not options.prove,
        "--max-failures": options.max_failures is not None,
    }
    needless = ", ".join(name for name, is_asked in asked.items() if is_asked)
    if options.finalize and needless:
        msg = f"{root}: --finalize converts nothing; leave out {needless}"
        raise UsageError(msg)


def _merge(
    plan: Plan,
    chosen: Sequence[Unit],
    wanted: Wanted,
    setting: Setting,
    made: Sequence[Outcome] | None = None,
) -> Conversion:
    """Write the tables of what several runs made, if the one that ``made`` this is the last."""
    with open_left(setting.root, wanted, is_last=made is not None) as output:
        if output is None:
            return _left_to_others(plan, chosen, setting.root, made or ())
        names = {unit.name for unit in chosen}
        merged = [u for u in plan.units if u.name in names or u.subject in output.participants]
        others = merged if made is None else [unit for unit in merged if unit.name not in names]
        before = _failed_before(output)
        outcomes = [*(made or ()), *standing(others, output, setting, before)]
        outcomes += written_earlier(plan.units, output, outcomes)
        return _conclude(plan, merged, output, setting, outcomes)


def _left_to_others(
    plan: Plan, chosen: Sequence[Unit], root: Path, made: Sequence[Outcome]
) -> Conversion:
    """Say what a run did that wrote files of its participants alone."""
    names = {unit.name for unit in chosen}
    left = [job for unit in plan.units if unit.name not in names for job in unit.jobs]
    sorting = buckets.sort(plan, made, [*left, *plan.shared])
    pending = (
        f"{root}: the tables of all subjects are still to be written, as other runs are on or were "
        "cut off: the last of them does it, or the same command with --finalize"
    )
    return Conversion(
        plan,
        root,
        buckets.count(sorting),
        failures=_failures(sorting, made),
        warnings=_warnings(plan, made),
        pending=pending,
    )


def _failures(sorting: Sequence[buckets.Entry], outcomes: Sequence[Outcome]) -> list[str]:
    failed = [entry.reason for entry in sorting if entry.bucket == "failed"]
    failed += [o.message for o in outcomes if o.status == "failed" and not o.sources]
    return [*dict.fromkeys(failed)]


def _warnings(plan: Plan, outcomes: Sequence[Outcome]) -> list[str]:
    notes = (note for outcome in outcomes for note in outcome.notes)
    return [*(remark.message for remark in plan.remarks), *dict.fromkeys(notes)]


@uncollected()
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
    others = [job for unit in plan.units if unit.name not in names for job in unit.jobs]
    left = [job for job in others if job.target not in done]
    failed = _failed_before(output)
    before = {path: failed[path] for job in others for path in job.files if path in failed}
    sorting = buckets.sort(plan, outcomes, left, before)
    read = {path for receipt in done.values() for path, _ in receipt.sources}
    known = {**_known_facts(output.record, setting, read), **reading.facts}
    document = buckets.record(
        plan, sorting, done, shared=shared, source=setting.source, known=known
    )
    document = buckets.with_hashes(document, {t: (output.root / t).read_bytes() for t in shared})
    write_long(output.root, RECORD, partial(long_json.pieces, document))
    return Conversion(
        plan,
        output.root,
        buckets.count(sorting),
        failures=_failures(sorting, outcomes),
        warnings=_warnings(plan, outcomes),
    )


def _failed_before(output: Output) -> Mapping[str, str]:
    """Return why files of the source failed, as the record of the tree that is there says."""
    is_there = output.record is not None and output.record.path.is_file()
    return output.record.failed if output.record and is_there else {}


def _known_facts(record: Record | None, setting: Setting, read: Collection[str]) -> dict[str, Fact]:
    """Return files that no job has ``read``, and that have not changed since the record."""
    if record is None or not (setting.root / RECORD).is_file():
        return {}
    source, written = setting.source, (setting.root / RECORD).stat().st_mtime
    return {
        path: fact
        for path, fact in record.facts.items()
        if path not in read
        and source.sizes.get(path) == fact.size
        and source.changed(path) <= written
    }
