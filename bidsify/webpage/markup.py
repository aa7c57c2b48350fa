"""Markup from values: strangers' text escaped, tables that can be read aloud, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from ..printable import printable

_LONGEST, _LONGEST_SENTENCE = 300, 20000


def text(value: object) -> str:
    """Escape what comes from files, also what would turn the direction of a line; cut it short."""
    plain = printable(str(value))
    return escape(plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…")


def paragraph(*sentences: str) -> str:
    """Return a paragraph of plain sentences; empty ones are left out."""
    joined = " ".join(printable(each[:_LONGEST_SENTENCE]) for each in sentences if each)
    return f"<p>{escape(joined)}</p>\n" if joined else ""


def listed(items: Iterable[str], most: int = 20) -> str:
    """Return a list of plain texts, the first few of them and how many more there are."""
    every = list(items)
    lines = [f"<li>{text(item)}</li>\n" for item in every[:most]]
    if len(every) > most:
        lines.append(f"<li>and {len(every) - most} more</li>\n")
    return f"<ul>\n{''.join(lines)}</ul>\n" if lines else ""


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many digits that count; nothing for what is none.

    >>> number(1234.5678), number(0.012345), number(None), number(12.0)
    ('1235', '0.0123', '', '12')
    """
    if value is None or not math.isfinite(value):
        return "" if value is None else "?"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    written = f"{value:.{places}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def table(
    caption: str, columns: Sequence[str], rows: Iterable[str], *, sortable: bool = False
) -> str:
    """Return a table; ``columns`` are plain, ``rows`` are made by :func:`row`."""
    kind = ' class="sortable"' if sortable else ""
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in columns)
    return framed(caption, head, rows, kind)


def framed(caption: str, head: str, rows: Iterable[str], kind: str) -> str:
    """Return a table that may be wider than the window; head and rows are markup."""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}">'
        f"<table{kind}>\n<caption>{text(caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table></div>\n"
    )


def row(name: str, *cells: str) -> str:
    """Return a row of a table from markup; the first cell names it."""
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'


def swatch(color: str) -> str:
    """Return a small square of a colour, which is said in no other way and so is not read out."""
    return (
        f'<svg class="key" width="12" height="12" aria-hidden="true"><rect width="12" height="12" '
        f'fill="{escape(color)}" stroke="currentColor"/></svg>'
    )


def link(number_of_case: int, label: str) -> str:
    """Link a plain text to the row of a case in the matrix."""
    return f'<a href="#case-{number_of_case}">{text(label)}</a>'
