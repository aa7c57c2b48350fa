"""Say fast of most documents that they fit a schema, so that only the others take long.

A table of 70,000 points takes a general engine ten seconds. This compiles the keywords that our
own schemas use into functions. It only ever says "surely fits": all else, an unknown keyword
included, is left to the engine, which also words what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ... import json_schema

Check = Callable[[Any], bool]
_NOTES = {"$schema", "$id", "$defs", "$comment", "title", "description", "format"}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "object": dict, "array": list, "integer": int, "number": (int, float),
    "boolean": bool, "null": type(None),
}  # fmt: skip
#: Keywords that only ever hold of one type here, so that its check is part of theirs.
_IMPLIES = {
    "string": ("pattern", "enum", "minLength"),
    "object": ("properties", "additionalProperties"),
    "array": ("items", "prefixItems"),
}
_OBJECT = {"properties", "patternProperties", "additionalProperties"}
_ARRAY = {"items", "prefixItems"}


def surely_fits(schema: str, document: Any) -> bool:
    """Say whether a document fits for sure; False where it may or may not."""
    return _of(schema)(document)


@cache
def _of(schema: str) -> Check:
    document = json_schema.load(schema)
    return _compile(document, document)


def _compile(node: Any, root: Any) -> Check:
    if node is True:
        return _always
    if node is False or set(node) - _NOTES - _OBJECT - _ARRAY - set(_KEYWORDS) - {"$ref"}:
        return _never
    implied = any(key in node for key in _IMPLIES.get(str(node.get("type")), ()))
    checks = [
        make(node[key], root)
        for key, make in _KEYWORDS.items()
        if key in node and not (implied and key == "type")
    ]
    if "$ref" in node:
        checks.append(_compile(_resolved(node["$ref"], root), root))
    if node.keys() & _OBJECT:
        checks.append(_object(node, root))
    if node.keys() & _ARRAY:
        checks.append(_array(node, root))
    return _all(checks)


def _all(checks: Sequence[Check]) -> Check:
    if not checks:
        return _always
    first, rest = checks[0], checks[1:]
    if not rest:
        return first
    others = _all(rest)
    return lambda value: first(value) and others(value)


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _resolved(reference: str, root: Any) -> Any:
    node = root
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


def _object(node: Mapping[str, Any], root: Any) -> Check:
    named = {key: _compile(value, root) for key, value in node.get("properties", {}).items()}
    shaped = [
        (re.compile(key).search, _compile(value, root))
        for key, value in node.get("patternProperties", {}).items()
    ]
    other = _compile(node.get("additionalProperties", True), root)
    if not shaped:
        return lambda v: isinstance(v, dict) and all(named.get(k, other)(v[k]) for k in v)

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for key, each in value.items():
            own = named.get(key)
            more = [fits for search, fits in shaped if search(key)]
            if not (own or (_always if more else other))(each):
                return False
            if not all(fits(each) for fits in more):
                return False
        return True

    return check


def _array(node: Mapping[str, Any], root: Any) -> Check:
    first = [_compile(each, root) for each in node.get("prefixItems", ())]
    rest = _compile(node.get("items", True), root)
    count = len(first)
    if not first:
        return lambda v: isinstance(v, list) and all(map(rest, v))

    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and all(fits(each) for fits, each in zip(first, value, strict=False))
            and all(map(rest, value[count:]))
        )

    return check


def _type(name: Any, _: Any) -> Check:
    if not isinstance(name, str):
        return _never
    kinds = _TYPES[name]
    is_number = name in {"integer", "number"}
    return lambda v: isinstance(v, kinds) and not (is_number and isinstance(v, bool))


def _pattern(pattern: str, _: Any) -> Check:
    search = re.compile(pattern).search
    return lambda v: isinstance(v, str) and search(v) is not None


def _required(names: Sequence[str], _: Any) -> Check:
    wanted = frozenset(names)
    return lambda v: isinstance(v, dict) and v.keys() >= wanted


def _dependent(needs: Mapping[str, Sequence[str]], _: Any) -> Check:
    pairs = [(key, frozenset(names)) for key, names in needs.items()]
    return lambda v: (
        isinstance(v, dict) and all(key not in v or v.keys() >= names for key, names in pairs)
    )


def _any_of(nodes: Sequence[Any], root: Any) -> Check:
    checks = [_compile(node, root) for node in nodes]
    return lambda v: any(check(v) for check in checks)


def _enum(values: Sequence[Any], _: Any) -> Check:
    words = {value for value in values if isinstance(value, str)}
    return lambda v: isinstance(v, str) and v in words


def _one_of(nodes: Sequence[Any], _: Any) -> Check:
    """Alternatives that name the keys that there must be, which can be told apart for sure."""
    if any(set(node) != {"required"} for node in nodes):
        return _never
    wanted = [frozenset(node["required"]) for node in nodes]
    return lambda v: isinstance(v, dict) and sum(v.keys() >= names for names in wanted) == 1


_KEYWORDS: Mapping[str, Callable[[Any, Any], Check]] = {
    "type": _type,
    "pattern": _pattern,
    "required": _required,
    "dependentRequired": _dependent,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "enum": _enum,
    "const": lambda value, root: _enum([value], root),
    "minLength": lambda least, _: lambda v: isinstance(v, str) and len(v) >= least,
    "minItems": lambda least, _: lambda v: isinstance(v, list) and len(v) >= least,
    "maxItems": lambda most, _: lambda v: isinstance(v, list) and len(v) <= most,
    "minimum": lambda least, _: lambda v: isinstance(v, int) and v >= least,
}
