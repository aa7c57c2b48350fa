"""Apply the rules of the schema to one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..context import Context
from ..findings import finding
from ..issue import Finding, Located
from .columns import check_columns
from .definitions import FieldRule, whole
from .expressions import compile_message
from .fields import check_value, missing, present
from .functions import CONTENTS
from .known import Known
from .rulebook import Possible, Rule, Rules
from .selection import STATIC, decide, select

_MOST = 20_000  # shapes or headers that are remembered
_HEADERS = frozenset({"nifti_header", "gzip"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rules say of all files with one signature whose sidecars have the same keys.

    ``findings`` hold for each of them; ``values`` are to be checked, each by the first rule that
    names it, or all at once by ``is_sound``. ``by_header`` are the rules that read no more than
    headers, whose findings ``headers`` remembers; ``open`` are those that read more.
    """

    findings: tuple[Finding, ...]
    values: Mapping[str, tuple[FieldRule, Rule]]
    is_sound: Any
    by_header: tuple[Possible, ...]
    open: tuple[Possible, ...]
    headers: dict[Any, tuple[Finding, ...]] = field(default_factory=dict)


def apply_rules(context: Context, found: list[Located]) -> None:
    """Apply all rules whose selectors hold; append what they find."""
    rules = select(context)
    keys = tuple(context.sidecar)
    shape: Shape | None = rules.shapes.get(keys)
    if shape is None:
        shape = _shape(rules, context)
        _remember(rules.shapes, keys, shape)
    path = context.relative
    found += [(path, each) for each in shape.findings]
    if shape.values:
        _check_values(shape, context, found)
    if shape.by_header:
        found += [(path, each) for each in _of_headers(shape, context)]
    for possible in shape.open:
        if possible.holds(context):
            _apply(possible.rule, context, found)


def _check_values(shape: Shape, context: Context, found: list[Located]) -> None:
    """Hold the values of a sidecar against their definitions, once for each file with them."""
    only = context.only
    if only is not None:
        if not only.checked and shape.is_sound(context.sidecar):
            only.checked.update(shape.values)
        if shape.values.keys() <= only.checked:
            return
    for name, (each, rule) in shape.values.items():
        if name not in context.origins[name].checked:
            found += check_value(each, rule, context)


def _of_headers(shape: Shape, context: Context) -> tuple[Finding, ...]:
    header, gzip = context.header, context.gzip
    key = (header and header.key, tuple(gzip.values()) if gzip else None)
    findings = shape.headers.get(key)
    if findings is None:
        holding = (possible.rule for possible in shape.by_header if possible.holds(context))
        findings = tuple(each for rule in holding for each in _broken(rule, context))
        _remember(shape.headers, key, findings)
    return findings


def _apply(rule: Rule, context: Context, found: list[Located]) -> None:
    path = context.relative
    if rule.checks:
        found += [(path, each) for each in _broken(rule, context)]
    if rule.fields:
        found += [(path, each) for each in missing(rule, context)]
        for each in present(rule, context):
            found += check_value(each, rule, context)
    if "columns" in rule.document:
        found += check_columns(rule, context)


def _shape(rules: Rules, context: Context) -> Shape:
    """Work out what can be said without the values of the sidecar."""
    known = Known(context, STATIC | (CONTENTS - context.contents), has_keys=True)
    findings: list[Finding] = []
    values: dict[str, tuple[FieldRule, Rule]] = {}
    by_header: list[Possible] = []
    still_open: list[Possible] = []
    for possible in decide(rules.possible, known):
        rule = possible.rule
        if _reads_headers(possible):
            by_header.append(possible)
        elif possible.open or not _is_settled(rule, known, context):
            still_open.append(possible)
        else:
            findings += _broken(rule, context)
            findings += missing(rule, context)
            for each in present(rule, context):
                values.setdefault(each.name, (each, rule))
    is_sound = whole(each for each, _ in values.values())
    return Shape(tuple(findings), values, is_sound, tuple(by_header), tuple(still_open))


def _reads_headers(possible: Possible) -> bool:
    """Say whether a rule reads headers, and nothing else that is not known."""
    if not possible.rule.checks or _has_own_message(possible.rule):
        return False
    read = frozenset(root for e in (*possible.open, *possible.rule.checks) for root in e.roots)
    return bool(read & _HEADERS) and read <= _HEADERS | STATIC


def _is_settled(rule: Rule, known: Known, context: Context) -> bool:
    """Say whether the rule finds the same wherever it applies."""
    if "columns" in rule.document:
        return "columns" not in context.contents
    if rule.fields and not rule.is_sidecar_rule:
        return False
    if any(each.addendum and each.addendum[1] in context.sidecar for each in rule.fields):
        return False
    return not _has_own_message(rule) and all(known.verdict(e) is not None for e in rule.checks)


def _has_own_message(rule: Rule) -> bool:
    """Say whether the message differs from file to file."""
    return "{" in rule.document.get("issue", {}).get("message", "")


def _broken(rule: Rule, context: Context) -> Iterator[Finding]:
    for each in rule.checks:
        if not each.holds(context):
            issue = rule.document["issue"]
            message = " ".join(compile_message(issue["message"])(context).split())
            yield finding(issue["code"], message, "", rule.path, issue["level"])
            return


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    if len(memory) > _MOST:
        memory.clear()
    memory[key] = value
