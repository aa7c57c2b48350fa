"""The report as JSON, piece by piece: a million issues do not have to fit into memory twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from ..validation.issue import Finding, Report
from ..version import __version__

_CHUNK = 4096  # issues


def render(report: Report) -> Iterator[bytes]:
    """Yield the document; each issue stands on a line of its own."""
    head = {
        "bidsify_version": __version__,
        "schema_version": report.schema_version,
        "bids_version": report.bids_version,
        "root": report.root,
    }
    yield dumps(head)[:-1] + b',"issues":['
    yield from _issues(report)
    summary = {
        "files": report.files,
        "subjects": report.subjects,
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "seconds": round(report.seconds, 3),
    }
    yield b'\n],"summary":' + dumps(summary) + b"}\n"


def clean(text: str) -> str:
    """Return text that can be UTF-8; bytes of a file name that are none are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def dumps(value: Any) -> bytes:
    """Return a value as JSON, whatever characters its texts have."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_cleaned(value))


def _issues(report: Report) -> Iterator[bytes]:
    """Yield the issues. A finding that many files share is made JSON once."""
    known: dict[int, tuple[bytes, bytes]] = {}
    lines: list[bytes] = []
    comma = b"\n"
    for path, finding in report.findings:
        halves = known.get(id(finding))
        if halves is None:
            halves = known[id(finding)] = _halves(finding)
        before, after = halves
        lines.append(comma + before + dumps(path) + after)
        comma = b",\n"
        if len(lines) == _CHUNK:
            yield b"".join(lines)
            lines.clear()
    yield b"".join(lines)


def _halves(finding: Finding) -> tuple[bytes, bytes]:
    """Return what stands before and after the path."""
    before = dumps({"code": finding.code, "severity": finding.severity})
    after = dumps({"where": finding.where, "message": finding.message, "rule": finding.rule})
    return before[:-1] + b',"path":', b"," + after[1:]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(one) for key, one in value.items()}
    return value
