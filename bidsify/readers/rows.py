"""Tables of a source: comma-, semicolon- or tab-separated text with a row for each subject."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

from ..errors import SourceError

_MOST = 1 << 24  # bytes; a table of people has a few thousand rows


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns, and rows of as many cells; blanks around and within cells are single."""

    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def read(content: bytes, path: str) -> Rows:
    """Parse a table; short rows are filled up with empty cells.

    Raises:
        SourceError: No text, no columns, columns of one name, or rows longer than the head.
    """
    try:
        text = content.decode("utf-8-sig") if len(content) < _MOST else "\0"
        lines = _lines(text, path)
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: not a readable table ({error})"
        raise SourceError(msg) from error
    if not lines or "\0" in text:
        msg = f"{path}: not a readable table; is it empty, too large, or no table?"
        raise SourceError(msg)
    head, *rows = lines
    columns = tuple(name or f"column_{place}" for place, name in enumerate(head, start=1))
    twice = [name for name, count in Counter(map(str.lower, columns)).items() if count > 1]
    if twice or any(len(row) > len(columns) for row in rows):
        why = f"the column {twice[0]!r} occurs twice" if twice else "a row is longer than the head"
        msg = f"{path}: not a table of subjects: {why}; repair or remove it"
        raise SourceError(msg)
    filled = (tuple(row) + ("",) * (len(columns) - len(row)) for row in rows)
    return Rows(columns, tuple(filled))


def _lines(text: str, path: str) -> list[list[str]]:
    """Take lines apart; in tab-separated text of BIDS a quote is text."""
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    if path.lower().endswith(".tsv"):
        rows = [line.split("\t") for line in lines]
    else:
        separator = max(",;\t", key=lines[0].count) if lines else ","
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    cells = ([" ".join(cell.split()) for cell in row] for row in rows)
    return [row for row in cells if any(row)]
