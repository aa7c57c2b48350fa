"""The report as JUnit XML, for the test views of GitLab, Jenkins and others.

One test case for each code: those views compare test names between branches ("newly failed"), and
GitLab drops all but the first case of a name. Errors fail; warnings pass and speak in their output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from ..printable import counted
from ..validation.issue import Report
from .groups import Group, example, group

_EXAMPLES = 20
# XML 1.0, section 2.2; also the halves of surrogate pairs, which no encoding can hold.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> Iterator[str]:
    """Yield the document."""
    found = group(report, _EXAMPLES)
    failures = sum(one.severity == "error" for one in found)
    numbers = f'tests="{max(len(found), 1)}" failures="{failures}" errors="0"'
    seconds = f'time="{report.seconds:.3f}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="bidsify validate" {numbers} {seconds}>\n'
    yield f'<testsuite name={_attribute(report.root)} {numbers} skipped="0" {seconds}>\n'
    for one in found:
        yield from _case(one)
    if not found:
        yield '<testcase classname="bidsify" name="no issues" time="0"/>\n'
    yield "</testsuite>\n</testsuites>\n"


def _case(one: Group) -> Iterator[str]:
    name = f'classname="bidsify.{one.severity}" name={_attribute(one.code)}'
    path = one.examples[0][0]
    place = f" file={_attribute(path)}" if path else ""
    yield f'<testcase {name}{place} time="0">\n'
    if one.severity == "error":
        message = _attribute(f"{counted(one.count, 'issue')}: {one.meaning}")
        yield f"<failure type={_attribute(one.code)} message={message}>"
        yield from _body(one)
        yield "</failure>\n"
    else:
        yield "<system-out>"
        yield from _body(one)
        yield "</system-out>\n"
    yield "</testcase>\n"


def _body(one: Group) -> Iterator[str]:
    yield _text(f"{one.meaning}\n")
    for path, finding in one.examples:
        yield _text(example(path, finding) + "\n")
    if one.count > len(one.examples):
        yield f"... and {one.count - len(one.examples)} more\n"
    if one.remedy:
        yield _text(f"How to mend it: {one.remedy}\n")


def _attribute(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", text))


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text))
