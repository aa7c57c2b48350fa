"""What rules ask of keys of JSON files and sidecars: compiled, and checked value by value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..issue import Severity

_LEVELS: Mapping[str, Severity] = {"required": "error", "recommended": "warning"}
_ADDENDUM = re.compile(r"(required|recommended) if `(\w+)` is `(\w+)`", re.ASCII)


class Definitions:
    """What values the keys of metadata may have, by the identifiers of the schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._objects = schema["objects"]
        self._validators: dict[str, Any] = {}

    def name(self, identifier: str) -> str:
        """Return the key that an identifier stands for: ``EchoTime`` for ``EchoTime__fmap``."""
        return str(self._objects["metadata"][identifier]["name"])

    def summary(self, identifier: str) -> str:
        """Return the first sentence of what the schema says of a key, without its links."""
        text = " ".join(self._objects["metadata"][identifier]["description"].split())
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
        return re.split(r"(?<=\.) (?=[A-Z])", text, maxsplit=1)[0]

    def definition(self, identifier: str) -> dict[str, Any]:
        """Return the JSON Schema of the values."""
        objects = self._objects
        made: dict[str, Any] = _with_patterns(objects["metadata"][identifier], objects["formats"])
        return made

    def fault(self, identifier: str, value: Any) -> str | None:
        """Say how a value breaks the definition of its key."""
        if identifier not in self._validators:
            from jsonschema_rs import Draft7Validator  # noqa: PLC0415  only where there is a value

            self._validators[identifier] = Draft7Validator(self.definition(identifier))
        validator = self._validators[identifier]
        if validator.is_valid(value):
            return None
        return str(next(iter(validator.iter_errors(value))).message)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a rule asks of one key. ``identifier`` names the definition of its values."""

    identifier: str
    name: str
    severity: Severity | None
    addendum: tuple[Severity, str, str] | None
    code: str | None
    message: str
    summary: str
    values: Definitions


def compile_fields(entries: Mapping[str, Any], values: Definitions) -> tuple[FieldRule, ...]:
    """Read the field requirements of a rule."""
    return tuple(_field(identifier, entry, values) for identifier, entry in entries.items())


def whole(fields: Iterable[FieldRule]) -> Callable[[Any], bool]:
    """Return what says of a whole JSON object whether all these keys have legal values."""
    from jsonschema_rs import Draft7Validator  # noqa: PLC0415

    properties = {each.name: each.values.definition(each.identifier) for each in fields}
    is_valid: Callable[[Any], bool] = Draft7Validator({"properties": properties}).is_valid
    return is_valid


def _field(identifier: str, entry: Any, values: Definitions) -> FieldRule:
    requirement: Mapping[str, Any] = {"level": entry} if isinstance(entry, str) else entry
    issue = requirement.get("issue") or {}
    return FieldRule(
        identifier,
        values.name(identifier),
        _LEVELS.get(requirement.get("level", "")),
        _addendum(requirement.get("level_addendum")),
        issue.get("code") if issue.get("message") else None,
        issue.get("message", ""),
        values.summary(identifier),
        values,
    )


def _addendum(text: str | None) -> tuple[Severity, str, str] | None:
    found = _ADDENDUM.search(text or "")
    return (_LEVELS[found[1]], found[2], found[3]) if found else None


def _with_patterns(node: Any, formats: Mapping[str, Any]) -> Any:
    """Write the formats of BIDS as patterns, which any engine checks; not anchored, as official."""
    if isinstance(node, list):
        return [_with_patterns(each, formats) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _with_patterns(value, formats) for key, value in node.items()}
    if isinstance(kind := node.get("format"), str):
        del made["format"]
        if kind in formats:
            made.setdefault("pattern", formats[kind]["pattern"])
    return made
