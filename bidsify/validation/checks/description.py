"""Names and descriptions: what the schema states, though the official validator lets it pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..context import Context
from ..dataset import DESCRIPTION
from ..files.names import NO_LABEL
from .registry import Fault, Kind, any_file, header_check

Allowed = Mapping[str, tuple[str, ...]]
_BY_ENTITY: dict[int, tuple[Mapping[str, Any], Allowed]] = {}
_BY_KIND: dict[int, tuple[Mapping[str, Any], Mapping[tuple[str, str], Allowed]]] = {}


def _is_description(kind: Kind) -> bool:
    return kind.name == DESCRIPTION


@header_check("DESCRIPTION_KEY_MISSING", on=_is_description)
def derivatives_have_the_required_keys(context: Context) -> Iterator[Fault]:
    """The description of a derivative has the keys that the schema requires.

    Officially, rules that do not name derivatives in their selectors ask nothing of them.
    """
    if not context.dataset.is_derivative or not context.json:
        return
    for rule in context.dataset.rulebook.rules:
        if rule.is_sidecar_rule or rule.is_for_derivatives or not rule.fields:
            continue
        if all(selector.holds(context) for selector in rule.selectors):
            for each in rule.fields:
                if each.severity == "error" and each.name not in context.json:
                    yield Fault(f"{each.name!r} is missing", each.name, rule=rule.path)


@header_check("ENTITY_VALUE_NOT_ALLOWED", on=any_file)
def entities_have_listed_values(context: Context) -> Iterator[Fault]:
    """An entity for which BIDS lists values has one of them."""
    entities = context.entities
    if not entities:
        return
    allowed = _of_entities(context.schema)
    if not allowed.keys().isdisjoint(entities):
        yield from _unlisted(entities, allowed)
    by_kind = _of_kinds(context.schema).get((context.suffix, context.extension))
    if by_kind:
        yield from _unlisted(entities, by_kind)


def _unlisted(entities: Mapping[str, str], allowed: Allowed) -> Iterator[Fault]:
    for key, values in allowed.items():
        label = entities.get(key, NO_LABEL)
        if label != NO_LABEL and label not in values:
            wanted = ", ".join(f"{key}-{value}" for value in values)
            yield Fault(f"{key}-{label} is none of {wanted}", key)


def _of_entities(schema: Mapping[str, Any]) -> Allowed:
    """Return the values of entities that the schema lists whatever the file."""
    if id(schema) not in _BY_ENTITY:
        entries = schema["objects"]["entities"].values()
        found = {e["name"]: tuple(map(str, e["enum"])) for e in entries if "enum" in e}
        _BY_ENTITY[id(schema)] = (schema, found)  # kept, so that no other document gets its id
    return _BY_ENTITY[id(schema)][1]


def _of_kinds(schema: Mapping[str, Any]) -> Mapping[tuple[str, str], Allowed]:
    """Return the values that all rules for a suffix and an extension list."""
    if id(schema) not in _BY_KIND:
        entities = schema["objects"]["entities"]
        listed: dict[tuple[str, str], list[Allowed]] = {}
        for rule in _rules(schema["rules"]["files"]):
            lists = {
                entities[name]["name"]: tuple(map(str, level["enum"]))
                for name, level in rule.get("entities", {}).items()
                if isinstance(level, dict) and "enum" in level
            }
            for suffix in rule.get("suffixes", ()):
                for extension in rule.get("extensions", ()):
                    listed.setdefault((suffix, extension), []).append(lists)
        found = {kind: joined for kind, lists in listed.items() if (joined := _joined(lists))}
        _BY_KIND[id(schema)] = (schema, found)
    return _BY_KIND[id(schema)][1]


def _joined(lists: list[Allowed]) -> Allowed:
    keys = set.intersection(*(set(each) for each in lists))
    return {key: tuple(sorted({v for each in lists for v in each[key]})) for key in sorted(keys)}


def _rules(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in node.values():
        if isinstance(child, dict):
            if "suffixes" in child:
                yield child
            else:
                yield from _rules(child)
