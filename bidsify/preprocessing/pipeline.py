"""Preprocess the studies of a source: plan, run the units, write what belongs to all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from ..engine.jobs import Unit, selected
from ..engine.output import OnExisting, Output, Wanted, open_output
from ..engine.run import Pace, Watcher, run_units, written_earlier
from ..engine.work import Outcome, Setting
from ..engine.workers import Workers
from ..engine.writing import remove_file, write_if_changed
from ..errors import UsageError
from ..records.receipts import receipt_entry
from ..source import Source
from ..source.reading import Reading
from ..text_files import to_json
from . import shared, study, training
from .jobs import StudyJob, unit_of
from .making import Way, make, prove
from .options import Options
from .study import Refused, Study
from .voxelmorph import Network, pack

RECORD = "code/bidsify/preprocessing.json"
NAME = "myops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How to run: where, participants, and what to do with what is there already.

    ``weights`` is a checkpoint of VoxelMorph; without one that of an earlier run is used, which
    ``on_existing="replace"`` trains anew, or it is trained on the source.
    """

    workers: Workers = 1
    participants: tuple[str, ...] = ()
    on_existing: OnExisting = "resume"
    weights: Path | None = None
    prove: bool = True
    max_failures: int | None = None


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What was done: subjects that were processed, and why others were not."""

    root: Path
    done: tuple[str, ...]
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    means: Mapping[str, float | None] = field(default_factory=dict)


def preprocess(
    source: Source,
    root: Path,
    options: Options,
    running: Running,
    *,
    watch: Watcher = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Preprocessing:
    """Preprocess ``source`` into ``root``; go on where an earlier run stopped.

    Raises:
        UsageError: No study in the source, or the output folder is not ours.
    """
    plan, refused = _planned(source, running)
    units = selected(plan, running.participants)
    given = training.given(options, running.weights)
    targets = frozenset(job.target for unit in plan for job in unit.jobs)
    with open_output(root, Wanted(source.root, NAME, targets, RECORD), running.on_existing) as out:
        network = given
        if training.is_wanted(options) and network is None:
            network = training.kept(out.root, running.on_existing, say)
            network = network or _trained(source, units, options, say)
        run = _Run(source, plan, options, network)
        if len(units) < len(plan):
            run.check_others(out)
        if network is not None:
            write_if_changed(out.root, training.WEIGHTS, run.weights)
        way = Way(options, network)
        setting = Setting(
            source,
            root,
            partial(make, way=way),
            partial(prove, way=way) if running.prove else None,
            context=f"{options!r} {run.digest}",
        )
        pace = Pace(workers=running.workers, max_failures=running.max_failures)
        outcomes = run_units(units, setting, out, pace, watch)
        outcomes += written_earlier(plan, out, outcomes)
        return run.conclude(refused, out, outcomes)


@dataclass(frozen=True, eq=False)
class _Run:
    """What is made of a source, and in which way."""

    source: Source
    plan: Sequence[Unit]
    options: Options
    network: Network | None

    @cached_property
    def weights(self) -> bytes:
        """Return the checkpoint of the network; nothing without one."""
        return pack(self.network) if self.network is not None else b""

    @property
    def digest(self) -> str:
        """Return the hash of the weights."""
        return hashlib.sha256(self.weights).hexdigest() if self.weights else ""

    @property
    def settings(self) -> dict[str, object]:
        """Return what decides the content, as the record says it."""
        options = self.options
        return {
            "steps": list(options.steps),
            "bound_mm": options.bound_mm,
            "affine": options.guide,
            "nonrigid": options.method,
            "weights_sha256": self.digest,
        }

    def is_otherwise(self, out: Output) -> bool:
        """Say whether what is there was made with other options."""
        return out.record is not None and out.record.options != self.settings

    def check_others(self, out: Output) -> None:
        """Refuse to make some of the subjects in another way than those that are there.

        Raises:
            UsageError: An earlier run had other options.
        """
        if self.is_otherwise(out):
            msg = (
                f"{out.root}: an earlier run had other options, and a tree of two kinds is none; "
                "give the same, leave out --participant-label, or choose another folder"
            )
            raise UsageError(msg)

    def conclude(
        self, refused: Sequence[Refused], out: Output, outcomes: list[Outcome]
    ) -> Preprocessing:
        """Write what belongs to all studies, and the record."""
        receipts = {o.target: o.receipt for o in outcomes if o.receipt}
        if self.is_otherwise(out):
            for outcome in outcomes:  # of what failed, files of the other options are left
                if outcome.status == "failed" and outcome.receipt:
                    del receipts[outcome.target]
                    remove_file(out.root, outcome.target)
        present = {target for target, receipt in receipts.items() if not receipt.is_omitted}
        failures = [one.reason for one in refused]
        failures += dict.fromkeys(o.message for o in outcomes if o.status == "failed")
        files = shared.files(self.plan, present, self.options, (self.source, out.root))
        for target, content in files.items():
            write_if_changed(out.root, target, content)
        if self.network is not None:
            files[training.WEIGHTS] = self.weights
        for target in {*(out.record.shared if out.record else ())} - {*files}:
            remove_file(out.root, target)
        document = {
            "bidsify_version": shared.VERSION,
            "dataset": NAME,
            "options": self.settings,
            "written": [receipt_entry(receipts[target]) for target in sorted(receipts)],
            "shared": sorted(files),
            "files": [],
            "failures": failures,
        }
        write_if_changed(out.root, RECORD, to_json(document).encode())
        done = [unit.name for unit in self.plan if any(job.target in present for job in unit.jobs)]
        notes = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
        return Preprocessing(out.root, tuple(done), tuple(failures), tuple(notes), _means(files))


def _planned(source: Source, running: Running) -> tuple[list[Unit], list[Refused]]:
    """Return the studies of a source, and those that lack something, if all were asked for."""
    found = study.find(source)
    studies = [unit_of(one) for one in found if isinstance(one, Study)]
    refused = [one for one in found if isinstance(one, Refused)]
    if not studies:
        raise UsageError(_nothing(source, refused))
    return studies, [] if running.participants else refused


def _nothing(source: Source, refused: Sequence[Refused]) -> str:
    if refused:
        return f"{source.root}: no study can be processed: {refused[0].reason}"
    return (
        f"{source.root}: no cardiac study with bSSFP, LGE and T2w; expected a tree of 'bidsify "
        "convert', names as in MyoPS 2020 (_C0, _DE, _T2), or DICOM in SUBJECT/SERIES/"
    )


def _trained(
    source: Source, units: Sequence[Unit], options: Options, say: Callable[[str], None]
) -> Network:
    studies = [job.study for unit in units for job in unit.jobs[:1] if isinstance(job, StudyJob)]
    return training.train(studies, Reading(source), options, say)


def _means(files: Mapping[str, bytes]) -> dict[str, float | None]:
    """Return the means over all slices, by column."""
    lines = files.get(shared.MEANS, b"").decode().splitlines()
    if not lines:
        return {}
    cells = dict(zip(lines[0].split("\t"), lines[-1].split("\t"), strict=True))
    return {
        name: None if value == "n/a" else float(value)
        for name, value in cells.items()
        if name != "sequence"
    }
