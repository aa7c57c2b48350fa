"""Mutations of TSV files."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from mutating.cells import DROPS, VALUES
from mutating.tree import Mutation, Tree, content, shuffled

Rows = list[list[str]]
Edit = Callable[[Rows, Random], "Rows | None"]


def mutations() -> Iterator[Mutation]:
    """Yield all edits of tables."""
    for name, edit in EDITS.items():
        yield Mutation(f"tsv-{name}", partial(_edit, edit), 5)
    for name, change in BYTES.items():
        yield Mutation(f"tsv-{name}", partial(_edit_bytes, change), 4)
    for number, (where, column, value) in enumerate(VALUES):
        title = f"tsv-value-{number:03}-{where.strip('_/').split('.')[0]}-{column}"
        yield Mutation(title, partial(_put, where, column, value), 2)
    for name, change in PACKED.items():
        yield Mutation(f"tsv-gz-{name}", partial(_edit_packed, change), 2)
    for where, column in DROPS:
        title = f"tsv-drop-{where.strip('_').split('.')[0]}-{column}"
        yield Mutation(title, partial(_drop_column, where, column), 2)


def _split(data: bytes) -> Rows:
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n").split("\n")
    return [line.split("\t") for line in lines]


def _join(rows: Rows) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def _tables(tree: Tree) -> list[str]:
    return [
        path
        for path in tree
        if path.endswith(".tsv") and b"\t" in content(tree, path) and "_motion." not in path
    ]


def _edit(edit: Edit, tree: Tree, random: Random) -> str | None:
    for path in shuffled(_tables(tree), random):
        rows = edit(_split(content(tree, path)), random)
        if rows is not None:
            tree[path] = _join(rows)
            return path
    return None


def _edit_bytes(change: Callable[[bytes], bytes], tree: Tree, random: Random) -> str | None:
    for path in shuffled(_tables(tree), random):
        data = change(content(tree, path))
        if data != tree[path]:
            tree[path] = data
            return path
    return None


def _edit_packed(change: Callable[[bytes], bytes], tree: Tree, random: Random) -> str | None:
    packed = [path for path in tree if path.endswith(".tsv.gz")]
    for path in shuffled(packed, random):
        try:
            data = gzip.decompress(content(tree, path))
        except (OSError, EOFError):
            continue
        tree[path] = gzip.compress(change(data), mtime=0)
        return path
    return None


def _put(where: str, column: str, value: str, tree: Tree, random: Random) -> str | None:
    """Put a value into a cell; the column is added where no table has it."""
    paths = [path for path in _tables(tree) if where in path]
    for add in (False, True):
        for path in shuffled(paths, random):
            rows = _split(content(tree, path))
            if (column not in rows[0] and not add) or len(rows) < 2:
                continue
            if column not in rows[0]:
                rows = [
                    [*row, cell]
                    for row, cell in zip(rows, [column, *["n/a"] * (len(rows) - 1)], strict=True)
                ]
            at, row = rows[0].index(column), random.randrange(1, len(rows))
            if at >= len(rows[row]):
                continue
            rows[row][at] = value
            tree[path] = _join(rows)
            return f"{path}: row {row}, {column} = {value!r}"
    return None


def _drop_column(where: str, column: str, tree: Tree, random: Random) -> str | None:
    for path in shuffled([path for path in _tables(tree) if path.endswith(where)], random):
        rows = _split(content(tree, path))
        if column in rows[0]:
            at = rows[0].index(column)
            tree[path] = _join([row[:at] + row[at + 1 :] for row in rows])
            return f"{path}: without {column}"
    return None


def _remove(rows: Rows, random: Random) -> Rows:
    at = random.randrange(len(rows[0]))
    return [row[:at] + row[at + 1 :] for row in rows]


def _head(change: Callable[[str], str]) -> Edit:
    def edit(rows: Rows, random: Random) -> Rows:
        at = random.randrange(len(rows[0]))
        rows[0][at] = change(rows[0][at])
        return rows

    return edit


def _rotate(rows: Rows, _: Random) -> Rows | None:
    return [row[1:] + row[:1] for row in rows] if len(rows[0]) > 1 else None


def _ragged(by: int, rows: Rows, random: Random) -> Rows | None:
    if len(rows) < 2:
        return None
    at = random.randrange(1, len(rows))
    rows[at] = rows[at][:-1] if by < 0 else [*rows[at], "1"]
    return rows


def _cell(value: str, rows: Rows, random: Random) -> Rows | None:
    if len(rows) < 2:
        return None
    row = rows[random.randrange(1, len(rows))]
    row[random.randrange(len(row))] = value
    return rows


def _repeat_row(rows: Rows, random: Random) -> Rows | None:
    return [*rows, random.choice(rows[1:])] if len(rows) > 1 else None


EDITS: dict[str, Edit] = {
    "column-removed": _remove,
    "first-column-removed": lambda rows, _: [row[1:] for row in rows],
    "column-renamed": _head(lambda name: name + "x"),
    "column-case": _head(str.upper),
    "column-spaces": _head(lambda name: f" {name} "),
    "column-empty-name": _head(lambda _: ""),
    "column-quoted": _head(lambda name: f'"{name}"'),
    "columns-reordered": _rotate,
    "column-duplicated": lambda rows, _: [[*row, row[-1]] for row in rows],
    "column-added": lambda rows, _: [
        [*row, cell] for row, cell in zip(rows, ["my_extra", *["5"] * (len(rows) - 1)], strict=True)
    ],
    "ragged-short": partial(_ragged, -1),
    "ragged-long": partial(_ragged, 1),
    "trailing-tab": lambda rows, _: [[*row, ""] for row in rows],
    "row-repeated": _repeat_row,
    "rows-none": lambda rows, _: rows[:1],
    "header-none": lambda rows, _: rows[1:] or None,
    "header-repeated": lambda rows, _: [rows[0], *rows],
    "comma-separated": lambda rows, _: [[",".join(row)] for row in rows],
    "empty-line-middle": lambda rows, _: [*rows[:1], [""], *rows[1:]],
    "empty-line-end": lambda rows, _: [*rows, [""]],
    "empty-lines-end": lambda rows, _: [*rows, [""], [""]],
    "empty-line-start": lambda rows, _: [[""], *rows],
    "cell-empty": partial(_cell, ""),
    "cell-space": partial(_cell, " "),
    "cell-na": partial(_cell, "n/a"),
    "cell-NA": partial(_cell, "N/A"),
    "cell-nan": partial(_cell, "NaN"),
    "cell-text": partial(_cell, "some text"),
    "cell-utf8": partial(_cell, "µV é"),
    "cell-quote": partial(_cell, '"'),
}
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "cr-only": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
    "no-final-newline": lambda data: data.rstrip(b"\r\n"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "latin-1": lambda data: data.rstrip(b"\n") + b"\xe9\xb5\n",
    "utf-16": lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    "emptied": lambda _: b"",
    "newline-only": lambda _: b"\n",
    "null-byte": lambda data: data.replace(b"\t", b"\t\0", 1),
    "space-separated": lambda data: data.replace(b"\t", b"    "),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "header": lambda data: (
        b"\t".join([b"a"] * (data.split(b"\n")[0].count(b"\t") + 1)) + b"\n" + data
    ),
    "more-columns": lambda data: data.replace(b"\n", b"\t1\n"),
    "fewer-columns": lambda data: b"".join(
        line.rpartition(b"\t")[0] + b"\n" for line in data.splitlines()
    ),
    "ragged": lambda data: data.replace(b"\n", b"\t1\n", 1),
    "text": lambda data: b"x" + data,
    "empty": lambda _: b"",
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "empty-line": lambda data: data.replace(b"\n", b"\n\n", 1),
}
