"""The segmentations of any BIDS tree, and the label tables that say what their values mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import SourceError, UsageError
from ..label_values import NUMBERS, present
from ..readers import nifti
from ..validation.files.inheritance import Ambiguity, applicable
from ..validation.files.texts import read_table
from ..validation.files.tree import File, Folder
from ..volume import Array

SUFFIX = "dseg"
IMAGES = (".nii.gz", ".nii")
_DIGITS = 15  # of the largest index that can be a voxel value in any type
_LONGEST = 64  # characters of an index, with zeros in front
_SHOWN = 24  # characters of a broken index in a message
_BESIDE = {"code", "derivatives", "docs", "logs", "phenotype", "sourcedata", "stimuli"}


@dataclass(frozen=True)
class TreeTable:
    """A label table of the tree, cells as text; ``fault`` says why it cannot be used."""

    path: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    fault: str = ""

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Voxel value -> name of the region."""
        return {int(row["index"]): row["name"] for row in self.rows}


@dataclass(frozen=True, slots=True)
class SegmentationFile:
    """A ``*_dseg.nii[.gz]`` and the nearest table that applies to it; ``fault``: why none does."""

    file: File
    table: str | None
    fault: str = ""

    @property
    def path(self) -> str:
        """The path in the tree."""
        return self.file.path


@dataclass(frozen=True, slots=True)
class Found:
    """All label tables by path, and all segmentations, both in the order of their paths."""

    tables: Mapping[str, TreeTable]
    segmentations: tuple[SegmentationFile, ...]


@dataclass(frozen=True, slots=True)
class LabelTables:
    """Tables with the same rows, the segmentations that they speak of, and what occurs in these.

    ``counts`` maps each voxel value to the number of files that hold it, values without a row
    included; None where nobody asked. ``failures`` are the files that could not be counted.
    """

    tables: tuple[TreeTable, ...]
    segmentations: tuple[str, ...]
    counts: Mapping[int, int] | None = None
    failures: tuple[str, ...] = field(default=())


def find(root: Path) -> Found:
    """Find the label tables and segmentations of a tree, without opening an image.

    Raises:
        UsageError: There is no such folder.
    """
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    every = (file for folder in folders(Folder(str(root))) for file in folder.files.values())
    files = [file for file in every if file.parts.suffix == SUFFIX]
    tables = [_table(file) for file in files if file.parts.extension == ".tsv"]
    images = (file for file in files if file.parts.extension in IMAGES)
    return Found({table.path: table for table in tables}, tuple(map(_segmentation, images)))


def label_tables(found: Found, root: Path, *, count: bool, workers: int) -> list[LabelTables]:
    """Put tables with the same rows together; ``count`` reads all voxels that they speak of."""
    groups: dict[object, list[TreeTable]] = {}
    for table in found.tables.values():
        rows = tuple(tuple(row.items()) for row in table.rows)
        groups.setdefault((table.columns, rows, table.fault), []).append(table)
    listed = []
    for tables in groups.values():
        paths = {table.path for table in tables}
        used = tuple(each.path for each in found.segmentations if each.table in paths)
        counted = _count(root, used, workers) if count else (None, ())
        listed.append(LabelTables(tuple(tables), used, *counted))
    return listed


def values(content: bytes, path: str) -> tuple[nifti.Nifti, Array]:
    """Read a segmentation: the file, and its values with the scaling of the header applied.

    Raises:
        SourceError: It cannot be read, or states a scaling of what is no number.
    """
    image = nifti.read(content, path)
    stored = nifti.values(image)
    if not nifti.is_scaled(image):
        return image, stored
    if stored.dtype.kind not in NUMBERS:
        msg = f"{path}: a scaling of values of the type {stored.dtype}, not numbers"
        raise SourceError(msg)
    slope, intercept = image.scaling
    return image, stored * slope + intercept


def label_value(text: str) -> int | None:
    """Return the voxel value that a cell of a label table states; None where it is none.

    >>> label_value("007"), label_value("-1"), label_value("9" * 16)
    (7, None, None)
    """
    is_whole = text.isdecimal() and text.isascii() and len(text) <= _LONGEST
    return int(text) if is_whole and len(text.lstrip("0")) <= _DIGITS else None


def folders(folder: Folder) -> Iterator[Folder]:
    """Yield a folder and all in it, but those that lie beside the data of a tree."""
    yield folder
    for name in folder.folders:
        if folder.parent is not None or name not in _BESIDE:
            yield from folders(folder.child(name))


def _table(file: File) -> TreeTable:
    table = read_table(file)
    columns = tuple(table.columns)
    if table.fault is not None:
        return TreeTable(file.path, (), (), table.fault.message or table.fault.code)
    if missing := [name for name in ("index", "name") if name not in columns]:
        return TreeTable(file.path, columns, (), f"it has no column {missing[0]!r}")
    cells = zip(*table.columns.values(), strict=True)
    rows = tuple(dict(zip(columns, row, strict=True)) for row in cells)
    return TreeTable(file.path, columns, rows, _fault([row["index"] for row in rows]))


def _fault(indices: list[str]) -> str:
    values = [label_value(text) for text in indices]
    if None in values:
        strange = indices[values.index(None)]
        is_whole = strange.isdecimal() and strange.isascii()
        short = strange if len(strange) <= _SHOWN else f"{strange[:_SHOWN]}..."
        digits = strange.removeprefix("-")
        if digits != strange and digits.isdecimal() and digits.isascii():
            return f"the index {short!r} is negative, which labels must not be"
        return f"the index {short!r} is no {'label value' if is_whole else 'whole number'}"
    twice = [value for value, times in Counter(values).items() if times > 1]
    return f"the index {twice[0]} occurs twice" if twice else ""


def _segmentation(file: File) -> SegmentationFile:
    nearest = next(iter(applicable(file, SUFFIX, (".tsv",))), None)
    if isinstance(nearest, Ambiguity):
        return SegmentationFile(file, None, f"several label tables: {nearest.found.message}")
    if nearest is None:
        return SegmentationFile(file, None, "no label table applies to it")
    return SegmentationFile(file, nearest[0].path)


def _count(
    root: Path, paths: tuple[str, ...], workers: int
) -> tuple[Mapping[int, int], tuple[str, ...]]:
    counts: Counter[int] = Counter()
    failures = []
    for path, found in run_all(_present, root, paths, workers):
        if isinstance(found, WorkerDiedError):
            failures.append(f"{path}: the process that read it was killed")
        elif isinstance(found, str):
            failures.append(found)
        else:
            counts.update(found)
    return dict(sorted(counts.items())), tuple(sorted(failures))


def _present(root: Path, path: str) -> list[int] | str:
    """Return the values that occur in a file, or why it cannot be read."""
    try:
        _, found = values((root / path).read_bytes(), path)
        return present(found, path)
    except SourceError as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001  one file must not cost the counts of all others
        return f"{path}: damaged file: {error}"
