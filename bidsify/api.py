"""The library: the same verbs as the command line, as functions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import datasets
from .dataset import Dataset
from .engine.jobs import selected
from .errors import UsageError
from .planning.jobs import Plan
from .recognition import detection
from .recognition.survey import plan_of
from .records.conversion import read_record
from .source import Source, open_source
from .stated import is_complete, require_labels, with_label_table

if TYPE_CHECKING:
    from .conversion.convert import Conversion
    from .engine.output import OnExisting
    from .engine.run import Watcher
    from .harmonisation.harmonise import Harmonised
    from .harmonisation.segmentations import LabelTables
    from .layout import TreeLayout
    from .validation.issue import Report
    from .validation.options import Level
    from .verification.problem import Problem

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
    workers: int = 1,
    participants: tuple[str, ...] = (),
    on_existing: OnExisting = "resume",
    reproducible: bool = False,
    prove: bool = True,
    max_failures: int | None = None,
    watch: Watcher = lambda *_: None,
) -> Conversion:
    """Convert a folder or archive into a BIDS derivative tree.

    Files that fail are in ``failures`` of the result and do not stop the others.

    Args:
        source: The download, as it is: a folder, .zip, .tar or .tar.gz.
        out: A new or empty folder, or one of an earlier run on the same source.
        dataset: Name of the dataset or path of a declaration; detected where not given.
        label_table: What the label values mean, for a dataset whose sources do not agree on it.
        workers: Number of processes; 1 works in this one.
        participants: Labels to convert, with or without ``sub-``; all where none is given.
        on_existing: What to do with an output folder that is not empty.
        reproducible: Compress to the same bytes on every processor, at half the speed.
        prove: Compare each file with its source after it was written.
        max_failures: Stop after so many subjects failed.
        watch: Called with each unit, its outcomes, and how many of how many ended.

    Raises:
        UsageError: Dataset not recognised, or the output folder is not ours.
    """
    from .conversion import convert as conversion  # noqa: PLC0415  nibabel takes 0.3 s that a plan need not pay

    opened = open_source(Path(source))
    options = conversion.Options(
        workers=workers,
        participants=participants,
        on_existing=on_existing,
        reproducible=reproducible,
        prove=prove,
        max_failures=max_failures,
    )
    declared = _recognised(opened, dataset, label_table)
    require_labels(declared)
    return conversion.convert(opened, Path(out), declared, options, watch)


def verify(
    source: AnyPath,
    out: AnyPath,
    *,
    dataset: str | None = None,
    label_table: AnyPath | None = None,
    workers: int = 1,
) -> list[Problem]:
    """Prove that ``out`` holds what ``source`` holds; an empty list is the proof.

    A label table that the user of the conversion stated is that of ``out``, unless given.
    """
    from .verification import verify as verification  # noqa: PLC0415

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


def validate(
    tree: AnyPath,
    *,
    level: Level = "headers",
    schema: AnyPath | None = None,
    profile: str | None = None,
    recursive: bool = False,
    workers: int = 1,
    ignore_nifti_headers: bool = False,
    skip_missing: bool = False,
) -> Report:
    """Validate any BIDS dataset: as the official validator does, and then deeper.

    Args:
        tree: The folder with ``dataset_description.json``.
        level: ``names`` opens no file of the tree but its description, ``headers`` reads texts
            and headers, ``voxels`` the images too.
        schema: A BIDS schema to use instead of the one of ``bidsschematools``.
        profile: Hold the tree against the declaration of this dataset, whoever made it.
        recursive: Validate the datasets in ``derivatives/`` too, as one report.
        workers: Number of processes; 1 works in this one. The result is the same.
        ignore_nifti_headers: Do not read headers of images; for trees of empty files.
        skip_missing: Let files pass whose content a DataLad clone has not fetched.

    Raises:
        UsageError: There is no such folder, or no such level.
        SchemaError: The schema cannot be read.
    """
    from .validation.nested import validate_all  # noqa: PLC0415
    from .validation.options import LEVELS, Options, Request  # noqa: PLC0415

    if level not in LEVELS:
        msg = f"no level {level!r}; there are: {', '.join(LEVELS)}"
        raise UsageError(msg)
    options = Options(level, not ignore_nifti_headers, skip_missing)
    request = Request(str(tree), None if schema is None else str(schema), options, profile)
    return validate_all(request, workers, recursive=recursive)


def label_tables(tree: AnyPath, *, count: bool = False, workers: int = 1) -> list[LabelTables]:
    """Return the label tables of any BIDS tree, and which segmentations each one speaks of.

    Tables with the same rows are one entry. ``count`` reads all voxels and adds the number of
    files in which each value occurs.

    Raises:
        UsageError: There is no such folder.
    """
    from .harmonisation import segmentations  # noqa: PLC0415

    root = Path(tree)
    return segmentations.label_tables(segmentations.find(root), root, count=count, workers=workers)


def harmonise(
    tree: AnyPath,
    table: AnyPath,
    *,
    name: str | None = None,
    union: bool = False,
    workers: int = 1,
) -> Harmonised:
    """Write a second segmentation beside each one of a tree, with the codes of a common table.

    No file that is there is changed. Files that fail are in ``failures`` of the result.

    Args:
        tree: Any BIDS derivative tree.
        table: A table of common codes, see ``schemas/harmonised_table.schema.json``.
        name: The label of the entity ``seg-``; by default from the name of the table.
        union: Let several labels become one code, or be dropped to 0.
        workers: Number of processes; 1 works in this one.

    Raises:
        UsageError: The table does not fit the tree, or a file of somebody else is in the way.
    """
    from .harmonisation import harmonise as harmonisation  # noqa: PLC0415

    return harmonisation.harmonise(Path(tree), Path(table), name=name, union=union, workers=workers)


def load(out: AnyPath) -> TreeLayout:
    """Open a converted tree with pybids; see :class:`bidsify.layout.TreeLayout`."""
    from .layout import TreeLayout  # noqa: PLC0415  pandas and SQLAlchemy take a second

    return TreeLayout(Path(out))


def _recognised(source: Source, name: str | None, label_table: AnyPath | None = None) -> Dataset:
    if name is None:
        found = detection.choose(source, detection.candidates(list(source.sizes))).dataset
    else:
        found = datasets.load(name)
        detection.require_fit(list(source.sizes), found)
    return found if label_table is None else with_label_table(found, Path(label_table))
