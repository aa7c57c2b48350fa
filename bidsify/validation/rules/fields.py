"""Keys of JSON files and sidecars: which must be there, and what their values may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..context import Context
from ..findings import finding
from ..issue import Finding, Located, Severity
from .definitions import FieldRule
from .rulebook import Rule

# Files that no sidecar describes.
_WITHOUT_SIDECAR = frozenset({".json", "", ".md", ".txt", ".rst", ".cff"})


def missing(rule: Rule, context: Context) -> Iterator[Finding]:
    """Yield the keys that a rule asks for and that are not there."""
    if not rule.is_for_derivatives and context.dataset.is_derivative:
        return
    document = _document(rule, context)
    if document is None:
        return
    for each in rule.fields:
        if each.name not in document and (severity := _severity(each, context)):
            yield _missing(each, rule, severity)


def present(rule: Rule, context: Context) -> Iterator[FieldRule]:
    """Yield what a rule says of the keys that are there."""
    document = _document(rule, context)
    if document is not None:
        yield from (each for each in rule.fields if each.name in document)


def check_value(each: FieldRule, rule: Rule, context: Context) -> Iterator[Located]:
    """Check a value once, where it stands, however many images it applies to."""
    if not rule.is_sidecar_rule:
        value, path = context.json[each.name], context.relative
    else:
        origin = context.origins[each.name]
        if each.name in origin.checked:
            return
        origin.checked.add(each.name)
        value, path = context.sidecar[each.name], origin.file.path
    if fault := each.values.fault(each.identifier, value):
        yield path, finding("JSON_SCHEMA_VALIDATION_ERROR", fault, each.name, rule.path)


def _document(rule: Rule, context: Context) -> Mapping[str, Any] | None:
    if not rule.is_sidecar_rule:
        return context.json
    return None if context.extension in _WITHOUT_SIDECAR else context.sidecar


def _severity(each: FieldRule, context: Context) -> Severity | None:
    if each.addendum:
        severity, key, wanted = each.addendum
        if context.sidecar.get(key) == wanted:
            return severity
    return each.severity


def _missing(each: FieldRule, rule: Rule, severity: Severity) -> Finding:
    if each.code:
        return finding(each.code, each.message, each.name, rule.path, severity)
    kind = "SIDECAR" if rule.is_sidecar_rule else "JSON"
    level = "REQUIRED" if severity == "error" else "RECOMMENDED"
    return finding(f"{kind}_KEY_{level}", f"missing: {each.summary}", each.name, rule.path)
