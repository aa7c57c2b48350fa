"""Colour tables for viewers, from the label tables of a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..errors import UsageError
from ..harmonisation.segmentations import TreeTable, find, label_tables
from ..label_colors import color_of
from ..printable import counted
from .folder import new_folder
from .result import Exported
from .safe_names import distinct, one_line

_Rows = Mapping[int, tuple[str, tuple[int, int, int]]]  # value -> name and colour


def export_colors(root: Path, dest: Path) -> Exported:
    """Write ``.label`` (ITK-SNAP), ``.ctbl`` (3D Slicer) and ``.lut`` (FSLeyes) of each table.

    Tables with the same rows below the root give one set of files.

    Raises:
        UsageError: The tree has no label table that can be used, or ``dest`` is in use.
    """
    groups = label_tables(find(root), root, count=False, workers=1)
    firsts = [
        table
        for group in groups
        for place, table in enumerate(group.tables)
        if place == 0 or "/" not in table.path
    ]
    usable = [table for table in firsts if not table.fault]
    if not usable:
        why = "; ".join(f"{table.path}: {table.fault}" for table in firsts)
        msg = f"{root}: no label table (*_dseg.tsv) to take colours from" + (why and f": {why}")
        raise UsageError(msg)
    paths = [table.path for table in usable]
    stems = distinct((path, path.removesuffix(".tsv").replace("/", "_")) for path in paths)
    with new_folder(dest, root) as folder:
        for table in usable:
            stem = stems[table.path]
            for extension, write in _WRITERS.items():
                text = "".join(f"{line}\n" for line in write(_rows(table), stem))
                path = folder / f"{stem}{extension}"
                path.write_text(text, encoding="utf-8", newline="\n")
    failures = tuple(f"{table.path}: {table.fault}" for table in firsts if table.fault)
    notes = tuple(_large(table) for table in usable if max(table.names, default=0) > 255)  # noqa: PLR2004
    return Exported(dest, {"tables": len(usable)}, notes=notes, failures=failures)


def _large(table: TreeTable) -> str:
    return f"{table.path}: 3D Slicer advises against label values as large as {max(table.names)}"


def _rows(table: TreeTable) -> _Rows:
    found = {}
    for row in table.rows:
        value = int(row["index"])
        red, green, blue = bytes.fromhex(color_of(row).removeprefix("#"))
        found[value] = (one_line(row["name"]) or f"label {value}", (red, green, blue))
    return dict(sorted(found.items()))


def _itk_snap(rows: _Rows, stem: str) -> Iterator[str]:
    yield "################################################"
    yield "# ITK-SnAP Label Description File"
    yield f"# {stem}: IDX R G B A VIS MSH LABEL"
    yield "################################################"
    yield '0 0 0 0 0 0 0 "Clear Label"'
    for value, (name, color) in rows.items():
        if value:
            quoted = name.replace('"', "'")
            yield f'{value} {" ".join(map(str, color))} 1 1 1 "{quoted}"'


def _slicer(rows: _Rows, stem: str) -> Iterator[str]:
    yield f"# Color table file {stem}.ctbl"
    yield f"# {counted(len({0, *rows}), 'value')}"
    yield "0 background 0 0 0 0"
    for value, (name, color) in rows.items():
        if value:
            yield f"{value} {'_'.join(name.split())} {' '.join(map(str, color))} 255"


def _fsleyes(rows: _Rows, _stem: str) -> Iterator[str]:
    for value, (name, color) in rows.items():
        if value:
            yield f"{value} {' '.join(f'{part / 255:.8f}' for part in color)} {name}"


_WRITERS: Mapping[str, Callable[[_Rows, str], Iterator[str]]] = {
    ".label": _itk_snap, ".ctbl": _slicer, ".lut": _fsleyes,
}  # fmt: skip
