"""Label tables: what each voxel value of a segmentation means, and how native values map to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from . import json_schema
from .errors import DeclarationError
from .text_files import to_tsv

SOURCE_VALUE = "source_value"

_OUR_COLUMNS = ("index", "name", "abbreviation", "color", "mapping", "regions")
_NO_TABLE = "no label table: it needs tab-separated columns index and name, and a row each label"
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Native values ``low`` to ``high``, both included, that become ``index``."""

    low: int
    high: int
    index: int


@dataclass(frozen=True)
class LabelTable:
    """Rows of a ``*_dseg.tsv``, as text; ``columns`` in the order in which they are written."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @property
    def is_stated(self) -> bool:
        """Say whether the table is known; for some datasets the user must state it."""
        return bool(self.rows)

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Voxel value -> name of the region."""
        return {int(row["index"]): row["name"] for row in self.rows}

    @cached_property
    def dtype(self) -> str:
        """The smallest integer type that holds each value: 2221 never meets uint8."""
        return next(t for t, top in _TYPES if max(self.names) <= top)

    @property
    def codings(self) -> tuple[str, ...]:
        """Columns that state native values: ``source_value`` and its variants."""
        return tuple(name for name in self.columns if name.startswith(SOURCE_VALUE))

    def ranges(self, coding: str | None) -> tuple[Range, ...]:
        """Native values -> index, by the column ``coding``; the index itself without one.

        Raises:
            DeclarationError: The table has no such column, or it holds no ranges.
        """
        if coding is not None and coding not in self.columns:
            msg = f"the label table has no column {coding!r}; it has {', '.join(self.columns)}"
            raise DeclarationError(msg)
        return tuple(sorted(self._ranges(coding)))

    def _ranges(self, coding: str | None) -> Iterator[Range]:
        for row in self.rows:
            index = int(row["index"])
            if coding is None:
                yield Range(index, index, index)
                continue
            for part in row[coding].split(","):
                if part.strip() != "n/a":
                    yield _range(part.strip(), index)

    def to_tsv(self) -> str:
        """Format as the file of BIDS."""
        return _to_tsv(self.columns, self.rows)


@dataclass(frozen=True)
class RegionTable:
    """Rows of a ``regions.tsv``, as text: unions of labels by name."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @cached_property
    def indices(self) -> Mapping[str, tuple[int, ...]]:
        """Abbreviation (or name, where there is none) -> indices of the label table."""
        return {
            row.get("abbreviation", row["name"]): tuple(map(int, row["indices"].split(",")))
            for row in self.rows
        }

    def to_tsv(self) -> str:
        """Format as a table of BIDS."""
        return _to_tsv(self.columns, self.rows)


def _to_tsv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    return to_tsv(columns, ([row[name] for name in columns] for row in rows)).decode()


_TYPES = (("uint8", 2**8 - 1), ("int16", 2**15 - 1), ("int32", 2**31 - 1))


_OURS = Path(__file__).parent / "datasets"

#: For a dataset whose label values are not known: the user states them, see ``--label-table``.
UNSTATED = LabelTable((), ())


def label_table(beside: str, part: str = "") -> LabelTable:
    """Read ``<name>.tsv`` or ``<name>_<part>.tsv`` beside ``<name>.py`` (give ``__file__``)."""
    path = Path(beside)
    table = path.with_name(f"{path.stem}{part and '_'}{part}.tsv")
    if path.parent == _OURS:  # tests check these
        return LabelTable(*read_rows(table))
    return read_label_table(table)


def read_label_table(path: Path) -> LabelTable:
    """Read and check a label table.

    Raises:
        DeclarationError: The file is missing, breaks the schema, or maps one value twice.
    """
    columns, rows = read_rows(path)
    table = LabelTable(columns, rows)
    _check(table, path)
    return table


def read_rows(path: Path) -> tuple[tuple[str, ...], tuple[Mapping[str, str], ...]]:
    """Read a table of a declaration: its columns, and its rows as column -> cell.

    Raises:
        DeclarationError: The file is missing, or rows and columns do not fit.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [line.rstrip("\r\n").split("\t") for line in stream]
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: no readable table: {error}"
        raise DeclarationError(msg) from error
    columns, *cells = [line for line in lines if line != [""]] or [[]]
    for number, row in enumerate(cells, start=2):
        if len(row) != len(columns):
            msg = f"{path}: row {number} has {len(row)} cells, the head has {len(columns)}"
            raise DeclarationError(msg)
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        msg = f"{path}: the column {twice[0]!r} occurs twice"
        raise DeclarationError(msg)
    rows = tuple(dict(zip(columns, row, strict=True)) for row in cells)
    return tuple(columns), rows


def _check(table: LabelTable, path: Path) -> None:
    faults = [] if {"index", "name"} <= {*table.columns} and table.rows else [_NO_TABLE]
    faults = faults or list(json_schema.faults("label_table", [dict(row) for row in table.rows]))
    if not faults:
        extra = set(table.columns) - {*_OUR_COLUMNS, *table.codings}
        faults.extend(f"unknown column {name!r}" for name in sorted(extra))
        faults.extend(_overlaps(table))
        if max(table.names) > _TYPES[-1][1]:
            faults.append(f"the index {max(table.names)} fits into no type of voxels")
    if faults:
        msg = f"{path}: {'; '.join(faults)}"
        raise DeclarationError(msg)


def _overlaps(table: LabelTable) -> Iterator[str]:
    if len(table.names) < len(table.rows):
        yield "an index occurs twice"
    for coding in table.codings:
        try:
            ranges = table.ranges(coding)
        except DeclarationError as error:
            yield f"{coding}: {error}"
            continue
        for before, after in pairwise(ranges):
            if after.low <= before.high:
                yield f"{coding}: the native value {after.low} stands for two regions"


def _range(text: str, index: int) -> Range:
    found = _RANGE.fullmatch(text)
    if found is None:
        msg = f"source value {text!r}: expected a number or a range such as 55-70"
        raise DeclarationError(msg)
    low, high = int(found[1]), int(found[2] or found[1])
    if high < low:
        msg = f"source value {text!r}: the range runs backwards"
        raise DeclarationError(msg)
    return Range(low, high, index)
