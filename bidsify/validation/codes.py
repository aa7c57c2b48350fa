"""The catalogue of issue codes: what each means, why it matters, and how to mend it.

Codes of the official validator and of our own checks have their words in ``codes.tsv``; what the
BIDS schema declares itself is looked up there, and only when it is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from ..bids_schema import schema
from ..errors import UsageError
from .issue import SEVERITIES, Severity

Origin = Literal["bids", "bidsify", "schema"]
_SEVERITY_OF_LEVEL: Mapping[str, Severity] = MappingProxyType(
    {"required": "error", "recommended": "warning", "deprecated": "warning", "optional": "info"}
)


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of issue. ``origin``: the official validator, a check of ours, or the BIDS schema."""

    code: str
    origin: Origin
    severity: Severity
    meaning: str
    matters: str = ""
    remedy: str = ""
    rules: tuple[str, ...] = ()


def _read() -> dict[str, Code]:
    lines = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines[1:])
    return {
        code: Code(
            code, cast("Origin", origin), cast("Severity", severity), meaning, matters, remedy
        )
        for code, origin, severity, meaning, matters, remedy in rows
    }


_WRITTEN = _read()
OWN: Mapping[str, Code] = MappingProxyType(
    {code: entry for code, entry in _WRITTEN.items() if entry.origin == "bidsify"}
)
OFFICIAL: Mapping[str, Code] = MappingProxyType(
    {code: entry for code, entry in _WRITTEN.items() if entry.origin == "bids"}
)


def severity_of(code: str) -> Severity:
    """Return how bad an issue of this code is where no rule of the schema says otherwise."""
    return _WRITTEN[code].severity if code in _WRITTEN else "error"


def official_codes() -> frozenset[str]:
    """Return all codes that the official validator can report."""
    return frozenset(OFFICIAL) | frozenset(_declared())


def find(code: str) -> Code | None:
    """Return what is known of a code: our own words first, then those of the schema."""
    return _WRITTEN.get(code) or _declared().get(code)


def explain(code: str) -> str:
    """Return what a code means, as text for people.

    Raises:
        UsageError: There is no such code.
    """
    found = find(code) or find(code.upper())
    if found is None:
        msg = f"no issue code {code!r}{_hint(code)}"
        raise UsageError(msg)
    lines = [f"{found.code} ({found.severity}, {_ORIGINS[found.origin]})", "", found.meaning]
    lines += [f"Why it matters: {found.matters}"] if found.matters else []
    lines += [f"How to mend it: {found.remedy}"] if found.remedy else []
    lines += [line for path in _declaring(found) for line in _rule_lines(path, found.code)]
    return "\n".join(lines)


def check_patterns(patterns: Iterable[str], document: Mapping[str, Any] | None = None) -> None:
    """Refuse patterns that can fit no issue: a typing error must not hide anything.

    A pattern is a code, a glob such as ``TSV_*``, or a severity. ``document`` is a BIDS schema
    other than the installed one.

    Raises:
        UsageError: A pattern fits no code.
    """
    known = {*SEVERITIES, *_WRITTEN, *_declared(), *(_codes_of(document) if document else ())}
    for pattern in patterns:
        if not any(fnmatchcase(code, pattern) for code in known):
            msg = f"no issue code {pattern!r}{_hint(pattern)}"
            raise UsageError(msg)


_ORIGINS = {
    "bids": "official BIDS validator",
    "bidsify": "bidsify",
    "schema": "declared by the BIDS schema",
}


def _hint(code: str) -> str:
    close = difflib.get_close_matches(code.upper(), {*_WRITTEN, *_declared()}, n=3, cutoff=0.6)
    return f"; close ones: {', '.join(close)}" if close else "; codes are like NOT_INCLUDED"


def _declaring(found: Code) -> tuple[str, ...]:
    declared = _declared().get(found.code)
    return declared.rules if declared else ()


def _rule_lines(path: str, code: str) -> Iterator[str]:
    """Show a rule of the schema: where it applies, and what must hold."""
    rule: Any = schema()
    for step in path.split("."):
        rule = rule[step]
    if not rule.keys() & {"selectors", "checks"}:
        return
    yield ""
    yield f"Rule {path}"
    yield from (f"  applies where  {text}" for text in rule.get("selectors", ()))
    yield from (f"  must hold      {text}" for text in rule.get("checks", ()))
    for key, wanted in rule.get("fields", {}).items():
        if isinstance(wanted, dict) and wanted.get("issue", {}).get("code") == code:
            yield f"  {wanted['level']:<13}  {key}"


@cache
def _declared() -> Mapping[str, Code]:
    return _codes_of(schema())


def _codes_of(document: Mapping[str, Any]) -> Mapping[str, Code]:
    """Return the codes that a schema declares; one that several rules declare is one code."""
    found: dict[str, Code] = {}
    for path, issue, level in _issues(document["rules"], "rules"):
        code, severity = issue["code"], issue.get("level", _SEVERITY_OF_LEVEL.get(level, "error"))
        earlier = found.get(code)
        rules = (*earlier.rules, path) if earlier else (path,)
        meaning = " ".join(str(issue.get("message", "")).split())
        found[code] = Code(code, "schema", severity, meaning, rules=tuple(dict.fromkeys(rules)))
    return found


def _issues(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield the path of the rule, what it declares, and how much it demands."""
    for name, child in node.items():
        if not isinstance(child, dict):
            continue
        here = f"{path}.{name}"
        if path == "rules.errors":
            yield here, child, ""
        elif isinstance(child.get("issue"), dict):
            # A field is part of its rule: the selectors are there.
            owner = path.removesuffix(".fields") if path.endswith(".fields") else here
            yield owner, child["issue"], child.get("level", "")
        else:
            yield from _issues(child, here)
