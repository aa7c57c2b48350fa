"""The report as annotations of a GitHub job, and as a page for its summary.

A step shows ten errors, ten warnings and ten notices at most and drops the rest without a word, so
there is one annotation for each code, and the tenth stands for all that follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..printable import counted, printable
from ..validation.issue import SEVERITIES, Report
from .groups import Group, example, group, in_repository, line_of, summary

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_ANNOTATIONS = 10
_PAGE = 1_000_000  # bytes; GitHub drops the summary of a step that is larger than 1 MiB
_LONGEST = 500  # characters of a path or message on the page


def render(report: Report) -> Iterator[str]:
    """Yield one workflow command in a line for each code, then a summary for the log."""
    found = group(report)
    for severity in SEVERITIES:
        same = [one for one in found if one.severity == severity]
        single = len(same) if len(same) <= _ANNOTATIONS else _ANNOTATIONS - 1
        for one in same[:single]:
            yield _annotation(report, one)
        if same[single:]:
            yield _rest(same[single:])
    yield f"bidsify validate: {printable(summary(report))}\n"


def summarize(report: Report) -> Iterator[str]:
    """Yield the page in Markdown."""
    yield f"### bidsify validate: {_cell(report.root)}\n\n{_cell(summary(report))}\n\n"
    found = group(report)
    if not found:
        return
    yield "| severity | code | issues | meaning | such as |\n|---|---|--:|---|---|\n"
    left = _PAGE
    for number, one in enumerate(found):
        row = _row(one)
        left -= len(row.encode("utf-8", "replace"))
        if left < 0:
            yield f"\n{counted(len(found) - number, 'more code')}: see the log or another format.\n"
            return
        yield row


def _annotation(report: Report, one: Group) -> str:
    path, finding = one.examples[0]
    place = in_repository(report, path)
    line = line_of(finding.where)
    properties = {"title": f"{one.code} ({counted(one.count, 'issue')})"}
    if place:
        properties = {"file": place, **({"line": str(line)} if line else {}), **properties}
    lines = [one.meaning]
    lines += [example(*shown) for shown in one.examples]
    if one.count > len(one.examples):
        lines.append(f"... and {one.count - len(one.examples)} more")
    lines += [f"How to mend it: {one.remedy}"] if one.remedy else []
    return _command(_COMMANDS[one.severity], properties, lines)


def _rest(left: Sequence[Group]) -> str:
    lines = [f"{one.code}: {counted(one.count, 'issue')}" for one in left]
    title = f"{len(left)} more codes"
    return _command(_COMMANDS[left[0].severity], {"title": title}, lines)


def _command(name: str, properties: dict[str, str], lines: Sequence[str]) -> str:
    stated = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {stated}::{'%0A'.join(map(_data, lines))}\n"


def _data(text: str) -> str:
    """Escape as the runner reads it: nothing in a file name may start a command of its own."""
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _row(one: Group) -> str:
    shown = [_cell(example(path, finding)) for path, finding in one.examples]
    meaning = " ".join(_cell(part) for part in (one.meaning, one.remedy) if part)
    cells = (one.severity, _cell(one.code), str(one.count), meaning, "<br>".join(shown))
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    """Return text that Markdown neither formats nor takes for the end of a cell."""
    text = printable(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
    return "".join(f"&#{ord(c)};" if c in _MARKDOWN else escape(c) for c in text)


_MARKDOWN = frozenset("|`*_[]\\~@#")
