"""Tables: columns of names and birth dates, ages above 89, and dates in free text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from ..identifying import OLDEST, is_old
from ..printable import counted
from .documents import in_text, kinds_in
from .trace import Trace

_COLUMNS: Mapping[str, re.Pattern[str]] = {
    "dates of birth": re.compile(r"birth|\bdob\b", re.IGNORECASE),
    "names": re.compile(
        r"(?:^|[ _-])(?:(?:first|last|family|given|sur|middle|maiden|patient|full)[ _-]?name"
        r"|name of (?:the )?(?:patient|subject))$",
        re.IGNORECASE,
    ),
    "numbers of persons": re.compile(
        r"^(?:mrn|ssn|phone|telephone|(?:patient|medical record|insurance|social security)"
        r"[ _-]?(?:id|no|nr|number)|medical record)$",
        re.IGNORECASE,
    ),
    "addresses": re.compile(
        r"^(?:e-?mail|address|street|zip[ _-]?code|post(?:al)?[ _-]?code)(?![^\W_])", re.IGNORECASE
    ),
}
#: Names of columns that are harmless in other tables: those of structures, channels, raters.
_OF_PEOPLE = re.compile(r"^(?:(?:first|last|full)?names?|.*[ _-]initials|initials)$", re.IGNORECASE)
_PLACES = re.compile(r"^(?:zip|plz|city|town|home[ _-]address)$", re.IGNORECASE)
_PEOPLE = re.compile(r"(?:^|[_/])(?:participants|sessions|scans|subjects|patients)\.[a-z.]+\Z")
_PERSON = re.compile(r"^(?:participant|patient|subject)(?:[ _-]?id)?$", re.IGNORECASE)
_AGE = re.compile(
    r"(?:^|[ _-])(?:patient|participant|subject|scan)?[ _-]?age(?:$|[ _(-])", re.IGNORECASE
)
_YOUNG = re.compile(r"month|week|day", re.IGNORECASE)  # ages in these are of small children
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EMPTY = frozenset({"", "n/a", "na", "nan", "none", "null", "unknown", "-"})


def in_table(path: str, content: bytes) -> Iterator[Trace]:
    """Yield what the columns of a table hold, one that is cut by tabs or by commas."""
    text = content.decode("utf-8-sig", "replace").replace("\0", "")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text.partition("\n")[0]
    cut = "\t" if "\t" in head or path.endswith((".tsv", ".tsv.gz")) else ","
    try:
        yield from _in_rows(path, _rows(text, cut))
    except csv.Error as error:
        yield Trace(
            path, "", f"a table that cannot be read ({error}), looked at as text; repair it"
        )
        yield from in_text(path, content)


def _in_rows(path: str, rows: Iterator[list[str]]) -> Iterator[Trace]:
    names = [name.strip() for name in next(rows, [])]
    columns: list[list[str]] = [[] for _ in names]
    behind: list[str] = []
    for row in rows:
        behind += row[len(names) :]
        for column, cell in zip(columns, row, strict=False):
            if cell.strip().lower() not in _EMPTY:
                column.append(cell.strip())
    is_of_people = any(map(_PERSON.match, names)) or bool(_PEOPLE.search(path.lower()))
    for name, cells in zip(names, columns, strict=True):
        if cells:
            yield from _in_column(path, name, cells, is_of_people=is_of_people)
    yield from _in_cells(path, "cells behind the last column", behind)


def _rows(text: str, cut: str) -> Iterator[list[str]]:
    if cut == "\t":
        yield from (line.split("\t") for line in text.split("\n") if line)
        return
    csv.field_size_limit(1 << 28)
    yield from csv.reader(io.StringIO(text))


def _in_column(
    path: str, name: str, cells: Sequence[str], *, is_of_people: bool
) -> Iterator[Trace]:
    where, spelt = f"column {name!r}", _HUMP.sub("_", name)
    for what, pattern in _COLUMNS.items():
        if pattern.search(name):
            yield Trace(path, where, f"{what}, in {counted(len(cells), 'row')}")
    if is_of_people and _OF_PEOPLE.match(spelt):
        yield Trace(path, where, f"names, in {counted(len(cells), 'row')}")
    if is_of_people and _PLACES.match(spelt):
        yield Trace(path, where, f"addresses, in {counted(len(cells), 'row')}")
    if _AGE.search(spelt) and not _YOUNG.search(name):
        old = sum(map(is_old, cells))
        if old:
            yield Trace(path, where, f"{counted(old, 'age')} above {OLDEST}")
    yield from _in_cells(path, where, cells)


def _in_cells(path: str, where: str, cells: Sequence[str]) -> Iterator[Trace]:
    found: dict[str, int] = {}
    for cell in cells:
        for kind in kinds_in(cell):
            found[kind] = found.get(kind, 0) + 1
    for kind, number in found.items():
        yield Trace(path, where, f"{kind}, in {counted(number, 'row')}")
