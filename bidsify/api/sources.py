"""What is done with the download of a dataset: recognise, plan, convert, verify."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import datasets
from ..dataset import Dataset
from ..engine.jobs import selected
from ..errors import UsageError
from ..planning.jobs import Plan
from ..recognition import detection
from ..recognition.survey import plan_of
from ..records.conversion import read_record
from ..source import Source, open_source
from ..stated import is_complete, require_labels, with_label_table

if TYPE_CHECKING:
    from ..conversion.convert import Conversion, Options
    from ..engine.output import OnExisting
    from ..engine.run import Watcher
    from ..engine.workers import Workers
    from ..verification.problem import Problem

AnyPath = str | Path


def detect(source: AnyPath) -> Dataset:
    """Return the declaration of the dataset that a folder or archive holds.

    Raises:
        UsageError: None that we know, or it could be several.
    """
    return _recognised(open_source(Path(source)), None)


def plan(
    source: AnyPath,
    dataset: str | None = None,
    *,
    label_table: AnyPath | None = None,
    participants: tuple[str, ...] = (),
) -> Plan:
    """Return what :func:`convert` would write, from file names alone.

    Where names do not tell a series or an edition, some headers are read.
    """
    opened = open_source(Path(source))
    made = plan_of(_recognised(opened, dataset, label_table), opened)
    return replace(made, units=tuple(selected(made.units, participants)))


def convert(
    source: AnyPath,
    out: AnyPath,
    *,
    dataset: str | None = None,
    label_table: AnyPath | None = None,
    workers: Workers = 1,
    participants: tuple[str, ...] = (),
    on_existing: OnExisting = "resume",
    reproducible: bool = False,
    prove: bool = True,
    link: bool = False,
    max_failures: int | None = None,
    datalad: bool = False,
    finalize: bool = False,
    watch: Watcher = lambda *_: None,
) -> Conversion:
    """Convert a folder or archive into a BIDS derivative tree.

    Files that fail are in ``failures`` of the result and do not stop the others.

    Args:
        source: The download, as it is: a folder, .zip, .tar or .tar.gz.
        out: A new or empty folder, or one of an earlier run on the same source.
        dataset: Name of the dataset or path of a declaration; detected where not given.
        label_table: What the label values mean, for a dataset whose sources do not agree on it.
        workers: Number of processes, of which 1 is this one; or a :class:`bidsify.Cluster`.
        participants: Labels to convert, with or without ``sub-``; all where none is given.
        on_existing: What to do with an output folder that is not empty.
        reproducible: Compress to the same bytes on every processor, at half the speed.
        prove: Compare each file with its source after it was written.
        link: Let files that need no change share the blocks of the source, as clones or else hard
            links: an edit in place of a hard link edits the source. Not with ``datalad``.
        max_failures: Stop after so many subjects failed.
        datalad: Make ``out`` a DataLad dataset, and save it with the command, if no file failed.
        finalize: Make nothing; write the tables and the record of what runs on some participants
            each made in ``out``. What none of them made, or made otherwise (``reproducible`` must
            be as theirs was), is among the ``failures``.
        watch: Called with each unit, its outcomes, and how many of how many ended.

    Raises:
        UsageError: Dataset not recognised, or the output folder is not ours.
    """
    from ..conversion import convert as conversion  # noqa: PLC0415  nibabel takes 0.3 s that a plan need not pay

    opened = open_source(Path(source))
    options = conversion.Options(
        workers=workers,
        participants=participants,
        on_existing=on_existing,
        reproducible=reproducible,
        prove=prove,
        link=link,
        max_failures=max_failures,
        finalize=finalize,
    )
    if datalad:
        from ..versioning.datalad import require_datalad  # noqa: PLC0415  an extra

        require_datalad(Path(out), link=link)
    declared = _recognised(opened, dataset, label_table)
    require_labels(declared)
    done = conversion.convert(opened, Path(out), declared, options, watch)
    if datalad and done.is_complete and not done.pending:
        _save(Path(source), Path(out), dataset, label_table, options)
    return done


def verify(
    source: AnyPath,
    out: AnyPath,
    *,
    dataset: str | None = None,
    label_table: AnyPath | None = None,
    workers: Workers = 1,
) -> list[Problem]:
    """Prove that ``out`` holds what ``source`` holds; an empty list is the proof.

    A label table that the user of the conversion stated is that of ``out``, unless given.
    """
    from ..verification import verify as verification  # noqa: PLC0415

    opened = open_source(Path(source))
    root = Path(out)
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    if dataset is None:
        with suppress(UsageError):  # a damaged record: the dataset is detected
            record = read_record(root)
            dataset = record.dataset if record and record.dataset in datasets.names() else None
    declared = _recognised(opened, dataset, label_table)
    if not is_complete(declared) and (root / "dseg.tsv").is_file():
        declared = with_label_table(declared, root / "dseg.tsv")
    require_labels(declared)
    return list(verification.verify(opened, root, declared, workers))


def _save(
    source: Path,
    out: Path,
    dataset: str | None,
    label_table: AnyPath | None,
    options: Options,
) -> None:
    from ..versioning.command import Command  # noqa: PLC0415  an extra
    from ..versioning.datalad import save  # noqa: PLC0415

    command = Command(
        source=source,
        out=out,
        dataset=dataset,
        label_table=None if label_table is None else Path(label_table),
        participants=options.participants,
        on_existing=options.on_existing,
        reproducible=options.reproducible,
        prove=options.prove,
        max_failures=options.max_failures,
    )
    save(out, command.words())


def _recognised(source: Source, name: str | None, label_table: AnyPath | None = None) -> Dataset:
    if name is None:
        found = detection.choose(source, detection.candidates(list(source.sizes))).dataset
    else:
        found = datasets.load(name)
        detection.require_fit(list(source.sizes), found)
    return found if label_table is None else with_label_table(found, Path(label_table))
