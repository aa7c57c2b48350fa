"""The report as SARIF 2.1.0, for code scanning.

GitHub shows 5,000 results of a run and rejects a run of more than 25,000, so no more than 5,000 are
written: errors first, then a fair share of each code. A notification says how many there are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..validation import codes
from ..validation.issue import SEVERITIES, Finding, Report
from ..version import __version__
from .groups import Group, group, in_repository, line_of, message_of
from .json_report import clean, dumps

LIMIT = 5000
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "recommendation"}
_BASE = "%SRCROOT%"


def render(report: Report) -> Iterator[bytes]:
    """Yield the document."""
    found = group(report, shown=1)
    shares = share(found)
    # A code of two severities is one rule: the worse one comes first and gives its level.
    rules = {one.code: one for one in reversed(found)}
    order = {code: number for number, code in enumerate(rules)}
    yield b'{"$schema":' + dumps(_SCHEMA) + b',"version":"2.1.0","runs":[{"tool":{"driver":'
    yield dumps(
        {
            "name": "bidsify",
            "semanticVersion": __version__,
            "properties": {"bids": report.bids_version, "schema": report.schema_version},
            "rules": [_rule(one) for one in rules.values()],
        }
    )
    head = {
        "originalUriBaseIds": {
            _BASE: {"description": {"text": "The checkout, or the dataset where there is none."}}
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(len(report.findings), sum(shares.values()))],
    }
    yield b"}," + dumps(head)[1:-1] + b',"results":['
    yield from _results(report, shares, order)
    yield b"\n]}]}\n"


def share(found: list[Group], limit: int = LIMIT) -> dict[tuple[str, str], int]:
    """Return how many issues of each severity and code are written; errors first."""
    shares: dict[tuple[str, str], int] = {}
    left = limit
    for severity in SEVERITIES:
        same = sorted((one for one in found if one.severity == severity), key=lambda g: g.count)
        for number, one in enumerate(same):
            part = min(one.count, left // (len(same) - number))
            shares[severity, one.code] = part
            left -= part
    return shares


def _rule(one: Group) -> dict[str, Any]:
    known = codes.find(one.code)
    parts = [one.meaning, known.matters if known else "", one.remedy]
    marked = [parts[0], f"**Why it matters.** {parts[1]}", f"**How to mend it.** {parts[2]}"]
    shown = [text for text, plain in zip(marked, parts, strict=True) if plain]
    return {
        "id": one.code,
        "shortDescription": {"text": one.meaning},
        "fullDescription": {"text": " ".join(part for part in parts[:2] if part)},
        "help": {"text": "\n".join(filter(None, parts)), "markdown": "\n\n".join(shown)},
        "defaultConfiguration": {"level": _LEVELS[one.severity]},
        "properties": {"tags": ["bids"], "problem.severity": _GITHUB_LEVELS[one.severity]},
    }


def _invocation(total: int, written: int) -> dict[str, Any]:
    if written == total:
        return {"executionSuccessful": True}
    text = f"{written} of {total} issues are in this file; the JSON report has all of them"
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}}],
    }


def _results(
    report: Report, shares: Mapping[tuple[str, str], int], order: Mapping[str, int]
) -> Iterator[bytes]:
    left = dict(shares)
    seen: Counter[str] = Counter()
    comma = b"\n"
    for path, finding in report.findings:
        key = finding.severity, finding.code
        if not left[key]:
            continue
        left[key] -= 1
        result = _result(in_repository(report, path), finding, order[finding.code], seen)
        yield comma + dumps(result)
        comma = b",\n"


def _result(path: str, finding: Finding, index: int, seen: Counter[str]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(path), "uriBaseId": _BASE}}
    line = line_of(finding.where)
    if line:
        place["region"] = {"startLine": line}
    location: dict[str, Any] = {"physicalLocation": place}
    if finding.where and not line:
        location["logicalLocations"] = [{"name": finding.where}]
    known = codes.find(finding.code)
    message = message_of(finding) or (known.meaning if known else finding.code)
    text = f"{finding.where}: {message}" if finding.where else message
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(path, finding, seen)},
        **({"properties": {"rule": finding.rule}} if finding.rule else {}),
    }


def _uri(path: str) -> str:
    """Return the path as a reference; one that looked like a scheme or host stays a path.

    >>> _uri("sub-1/a b#1.json"), _uri("")
    ('sub-1/a%20b%231.json', './')
    """
    return quote(_bytes(path.lstrip("/")), safe="/") or "./"


def _fingerprint(path: str, finding: Finding, seen: Counter[str]) -> str:
    """Return what an issue is recognised by in the next run, though lines above it were added."""
    place = "" if line_of(finding.where) else finding.where
    short = hashlib.sha256(_bytes(f"{finding.code}\0{path}\0{place}")).hexdigest()[:16]
    seen[short] += 1
    return f"{short}:{seen[short]}"


def _bytes(text: str) -> bytes:
    """Return the bytes of a file name; half a surrogate pair, which none can have, is escaped."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return clean(text).encode()
