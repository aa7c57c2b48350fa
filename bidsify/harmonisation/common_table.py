"""Tables of common codes: which labels of a tree become which code. Nothing is lost unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .. import json_schema
from ..errors import DeclarationError, UsageError
from ..labels import LabelTable, read_rows
from .segmentations import TreeTable

SOURCE_INDEX = "source_index"
NONE = "n/a"
_OWN = ("from", "table")  # columns that speak of the tree, and stay here
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Code:
    """A row: the common code, the labels that become it, and the table that they are of."""

    index: int
    sources: tuple[str, ...]
    table: str
    cells: Mapping[str, str]

    def speaks_of(self, path: str) -> bool:
        """Say whether the row is about the label table at ``path`` of the tree."""
        return self.table in (NONE, path, path.rsplit("/", 1)[-1])


@dataclass(frozen=True)
class CommonTable:
    """A checked table; ``columns`` are those that are copied into label tables."""

    path: Path
    columns: tuple[str, ...]
    codes: tuple[Code, ...]

    @cached_property
    def cells(self) -> Mapping[int, Mapping[str, str]]:
        """Code -> its row, 0 always among them."""
        background = {**dict.fromkeys(self.columns, NONE), "name": "background", "index": "0"}
        return {0: background, **{code.index: code.cells for code in self.codes}}


def read_common_table(path: Path) -> CommonTable:
    """Read and check a table of common codes.

    Raises:
        UsageError: The file is missing, breaks the schema, or states a code in two ways.
    """
    try:
        columns, cells = read_rows(path)
    except DeclarationError as error:  # a table of a declaration has the same form
        raise UsageError(str(error)) from error
    rows = [dict(row) for row in cells]
    if faults := _faults(rows):
        msg = f"{path}: {'; '.join(faults)}"
        raise UsageError(msg)
    copied = tuple(name for name in columns if name not in _OWN)
    return CommonTable(path, copied, tuple(_code(row, copied) for row in rows))


def check_known(common: CommonTable, tables: Sequence[TreeTable]) -> None:
    """Check that the rows speak of labels and tables that are in the tree.

    A row may name a label of other trees too, as long as it names one of this tree: what a
    mistyped name leaves without a code is refused by :func:`map_labels`.

    Raises:
        UsageError: A row does not; the message names what there is.
    """
    for code in common.codes:
        spoken = [table for table in tables if code.speaks_of(table.path)]
        if not spoken:
            known = ", ".join(sorted({table.path for table in tables}))
            msg = f"{common.path}: no label table {code.table!r} in the tree; there are: {known}"
            raise UsageError(msg)
        meant = {text: _names(text, spoken) for text in code.sources}
        if meant and not any(meant.values()):
            known = ", ".join(dict.fromkeys(n for t in spoken for n in t.names.values()))
            named = ", ".join(map(repr, meant))
            msg = f"{common.path}: the code {code.index} is from {named}, which the tree does not "
            msg += f"have; its labels are: {known}"
            raise UsageError(msg)
        for text, names in meant.items():
            if text.isdecimal() and len(names) > 1:
                msg = (
                    f"{common.path}: the index {text} stands for {' and '.join(map(repr, names))} "
                )
                msg += "in the tree; say with a column 'table' which label table a row speaks of"
                raise UsageError(msg)


def map_labels(common: CommonTable, own: TreeTable, *, union: bool) -> Mapping[int, int]:
    """Return voxel value -> common code for one label table of the tree; 0 stays 0.

    Raises:
        UsageError: A value has no code or two, or two values have one code and ``union`` is not
            given.
    """
    mapping: dict[int, int] = {}
    for code in common.codes:
        for value in _wanted(code, own, common.path):
            if mapping.setdefault(value, code.index) != code.index:
                msg = f"{common.path}: {_labels(own)[value]!r} becomes {mapping[value]} and "
                msg += f"{code.index}; a voxel has one value, remove one of the two"
                raise UsageError(msg)
    if mapping.setdefault(0, 0):
        msg = f"{common.path}: {_labels(own)[0]!r} is 0, the background; it stays 0"
        raise UsageError(msg)
    if lost := [f"{name!r} ({value})" for value, name in own.names.items() if value not in mapping]:
        msg = f"{common.path}: no code for {', '.join(lost)} of {own.path}; add rows, or name them "
        msg += "in the row of the code 0 to drop them"
        raise UsageError(msg)
    if not union:
        _check_injective(common, own, mapping)
    return dict(sorted(mapping.items()))


def label_table(common: CommonTable, mapping: Mapping[int, int]) -> LabelTable:
    """Return the label table of the second segmentation; ``source_index`` leads back."""
    back: dict[int, list[str]] = {}
    for value, code in mapping.items():
        back.setdefault(code, []).append(str(value))
    rows = tuple(
        {**cells, SOURCE_INDEX: ",".join(back.get(index, ())) or NONE}
        for index, cells in sorted(common.cells.items())
    )
    return LabelTable((*common.columns, SOURCE_INDEX), rows)


def _check_injective(common: CommonTable, own: TreeTable, mapping: Mapping[int, int]) -> None:
    for code in sorted(set(mapping.values())):
        merged = [value for value in mapping if mapping[value] == code]
        if len(merged) == 1:
            continue
        named = ", ".join(repr(_labels(own)[v]) for v in merged if v)
        why = f"{named} of {own.path} become {code}, and could not be told apart again"
        if code == 0:
            why = f"{named} of {own.path} would be dropped: 0 is the background"
        msg = f"{common.path}: {why}; give --union if this is meant"
        raise UsageError(msg)


def _wanted(code: Code, own: TreeTable, path: Path) -> Iterator[int]:
    for text in code.sources if code.speaks_of(own.path) else ():
        found = _values(text, own)
        if len(found) > 1:
            indices = ", ".join(map(str, found))
            msg = f"{path}: {text!r} is the name of {indices} in {own.path}; give the indices"
            raise UsageError(msg)
        yield from found


def _names(text: str, tables: Iterable[TreeTable]) -> list[str]:
    """Return the names of the labels that an index or a name stands for in any of the tables."""
    found = {_same(_labels(table)[value]) for table in tables for value in _values(text, table)}
    return sorted(found)


def _values(text: str, table: TreeTable) -> list[int]:
    """Return the voxel values that an index or a name stands for in a table."""
    labels = _labels(table)
    if text.isdecimal():
        return [int(text)] if int(text) in labels else []
    return [value for value, name in labels.items() if _same(name) == _same(text)]


def _labels(table: TreeTable) -> Mapping[int, str]:
    """Return voxel value -> name; a table need not list the background."""
    return {0: "background", **table.names}


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()


def _code(row: Mapping[str, str], columns: Iterable[str]) -> Code:
    named = "" if row["from"].strip() == NONE else row["from"]
    sources = tuple(" ".join(text.split()) for text in named.split(",") if text.strip())
    return Code(
        int(row["index"]), sources, row.get("table", NONE), {name: row[name] for name in columns}
    )


def _faults(rows: list[dict[str, str]]) -> list[str]:
    faults = list(json_schema.faults("harmonised_table", rows))
    if faults:
        return faults
    seen: dict[tuple[str, str], None] = {}
    meaning: dict[str, dict[str, str]] = {}
    for row in rows:
        index, table = row["index"], row.get("table", NONE)
        cells = {name: cell for name, cell in row.items() if name not in _OWN}
        if int(index) > _LARGEST:
            faults.append(f"the index {index} fits into no type of voxels")
        if (index, table) in seen or meaning.setdefault(index, cells) != cells:
            faults.append(
                f"the index {index} occurs twice; name all that become it in one row (rows of the "
                "same index may differ in 'from' and 'table' alone)"
            )
        seen[index, table] = None
    return faults
