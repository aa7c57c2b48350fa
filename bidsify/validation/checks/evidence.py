"""What only the whole dataset shows: label tables that nothing uses, and rows that nothing has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..context import Context
from ..dataset import Dataset
from ..files.names import Name, split_name
from ..findings import finding
from ..issue import Located
from .labels import listed, rows, tables_of
from .registry import Kind, is_table, uses_table

if TYPE_CHECKING:
    from .summary import Summary


@dataclass(frozen=True, slots=True)
class Table:
    """A label table was met: its path, and the index and name of its rows."""

    path: str
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A segmentation was met to which tables apply; ``values`` are those of its voxels, if read.

    One that is met both by its header and by its voxels leaves one of each.
    """

    tables: tuple[str, ...]
    values: tuple[int, ...] | None = None


Evidence = Table | Use


def observe(context: Context) -> Iterator[Evidence]:
    """Note a table, or a segmentation that a table may serve."""
    kind = Kind("", context.suffix, context.extension)
    if is_table(kind):
        yield Table(context.relative, tuple(rows(context.columns)))
    elif uses_table(kind) and context.file and (tables := tables_of(context.file)):
        yield _use(tuple(table.path for table in tables))


def observe_voxels(context: Context, voxels: Summary) -> Iterator[Evidence]:
    """Note the values of a segmentation."""
    if context.suffix != "dseg" or context.file is None or not voxels.is_complete:
        return
    if tables := tables_of(context.file):
        values = tuple(sorted(int(v) for v in voxels.counts if v == int(v)))
        yield _use(tuple(table.path for table in tables), values)


def conclude(evidence: Iterable[Evidence], dataset: Dataset) -> Iterator[Located]:
    """Say which tables no segmentation uses, and which of their rows."""
    tables: dict[str, Table] = {}
    users: dict[str, int] = {}
    values: dict[str, set[int]] = {}
    for each in evidence:
        if isinstance(each, Table):
            tables[each.path] = each
            continue
        for path in each.tables:
            # Each segmentation is one user by its header, and none any more once it was read.
            users[path] = users.get(path, 0) + (1 if each.values is None else -1)
            values.setdefault(path, set()).update(each.values or ())
    for path, table in sorted(tables.items()):
        if path not in users:
            if not any(_ignored_users(dataset, path)):
                yield path, finding("TABLE_WITHOUT_SEGMENTATION")
            continue
        unused = [f"{i} ({name})" for i, name in table.rows if i and i not in values[path]]
        is_read = users[path] == 0
        if is_read and unused and not any(_ignored_users(dataset, path)):
            yield path, finding("DSEG_ROW_UNUSED", f"in no segmentation: {listed(unused)}", "index")


@lru_cache(maxsize=65536)  # most segmentations of a dataset share their tables and values
def _use(tables: tuple[str, ...], values: tuple[int, ...] | None = None) -> Use:
    return Use(tables, values)


def _ignored_users(dataset: Dataset, path: str) -> Iterator[str]:
    """Yield the segmentations that a table serves though ``.bidsignore`` leaves them out."""
    if not dataset.ignore.has_lines:
        return
    folder, _, name = path.rpartition("/")
    table = split_name(name)
    for _, _, files in os.walk(dataset.root.location + folder):
        yield from (file for file in files if _serves(table, split_name(file)))


def _serves(table: Name, file: Name) -> bool:
    kind = Kind("", file.suffix, file.extension)
    return uses_table(kind) and table.entities.items() <= file.entities.items()
