"""A report for a terminal: by code, with counts, examples and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ..printable import counted, printable
from ..validation.issue import Report
from .groups import SHOWN, Group, detail, group, named, summary

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def render(report: Report, *, color: bool = False, shown: int = SHOWN) -> Iterator[str]:
    """Yield the lines; ``shown`` examples of each code."""
    for one in group(report, shown):
        yield from _lines(one, color=color)
        yield "\n"
    yield _styled(summary(report), color=color, bold=True) + "\n"


def _lines(one: Group, *, color: bool) -> Iterator[str]:
    head = _styled(f"{one.severity} {printable(one.code)}", color=color, fg=_COLORS[one.severity])
    yield f"{head}  {counted(one.count, 'issue')}\n"
    yield f"  {printable(one.meaning)}\n"
    for path, finding in one.examples:
        rest = detail(finding)
        where = _styled(printable(named(path)), color=color, bold=True)
        yield f"    {where}" + (f"  {printable(rest)}\n" if rest else "\n")
    more = one.count - len(one.examples)
    if more:
        yield f"    ... and {more} more\n"
    if one.places:
        yield f"  mostly: {printable(one.places)}\n"
    if one.remedy:
        yield f"  mend: {printable(one.remedy)}\n"


def _styled(text: str, *, color: bool, fg: str | None = None, bold: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold) if color else text
