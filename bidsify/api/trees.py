"""What is done with a tree: validate it, read its labels, harmonise them, open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from ..harmonisation.harmonise import Harmonised
    from ..harmonisation.segmentations import LabelTables
    from ..layout import TreeLayout
    from ..validation.issue import Report
    from ..validation.options import Level
    from .sources import AnyPath


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
    cache: AnyPath | None = None,
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
        cache: A file outside of the tree: what was found is kept there, and subjects and images
            that have not changed since are not read again. The report is the same.

    Raises:
        UsageError: There is no such folder, no such level, or no place for the cache.
        SchemaError: The schema cannot be read.
    """
    from ..validation.nested import validate_all  # noqa: PLC0415
    from ..validation.options import LEVELS, Options, Request, require_content  # noqa: PLC0415

    if level not in LEVELS:
        msg = f"no level {level!r}; there are: {', '.join(LEVELS)}"
        raise UsageError(msg)
    require_content(level, cache)
    options = Options(level, not ignore_nifti_headers, skip_missing)
    request = Request(str(tree), None if schema is None else str(schema), options, profile)
    place = None if cache is None else Path(cache)
    return validate_all(request, workers, recursive=recursive, cache=place)


def label_tables(tree: AnyPath, *, count: bool = False, workers: int = 1) -> list[LabelTables]:
    """Return the label tables of any BIDS tree, and which segmentations each one speaks of.

    Tables with the same rows are one entry. ``count`` reads all voxels and adds the number of
    files in which each value occurs.

    Raises:
        UsageError: There is no such folder.
    """
    from ..harmonisation import segmentations  # noqa: PLC0415

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
    from ..harmonisation import harmonise as harmonisation  # noqa: PLC0415

    return harmonisation.harmonise(Path(tree), Path(table), name=name, union=union, workers=workers)


def load(out: AnyPath) -> TreeLayout:
    """Open a converted tree with pybids; see :class:`bidsify.layout.TreeLayout`."""
    from ..layout import TreeLayout  # noqa: PLC0415  pandas and SQLAlchemy take a second

    return TreeLayout(Path(out))
