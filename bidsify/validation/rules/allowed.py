"""What the values of a column may be: what BIDS says of it, narrowed by a sidecar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..values import leading_number, number, text, true
from .functions import regex

_NA = "n/a"
_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True)
class Values:
    """What the values of a column may be."""

    formats: tuple[str, ...]
    pattern: str | None = None
    units: str | None = None
    levels: tuple[str, ...] | None = None
    maximum: float | None = None
    minimum: float | None = None

    @property
    def is_anything(self) -> bool:
        """Say whether every value fits."""
        is_text = self.formats[0] == "string" if self.pattern is None else self.pattern == ".*"
        return is_text and self.levels is None and self.maximum is None and self.minimum is None


def effective(column: Mapping[str, Any], definition: Any) -> tuple[Values, str]:
    """Combine what BIDS and the sidecar say, and how the sidecar contradicts BIDS.

    The sidecar may only narrow; where it does more, what BIDS says holds.
    """
    if "definition" in column:  # a convention, which a sidecar may replace as a whole
        return of_definition(column["definition"] if definition is None else definition), ""
    base = of_schema(column)
    if not true(definition):
        return base, ""
    if isinstance(definition, Mapping):  # what is null narrows nothing
        definition = {key: value for key, value in definition.items() if value is not None}
    own = of_definition(definition)
    narrowed = Values(
        own.formats,
        base.pattern,
        base.units if own.units is None else own.units,
        base.levels if own.levels is None else own.levels,
        base.maximum if own.maximum is None else own.maximum,
        base.minimum if own.minimum is None else own.minimum,
    )
    conflict = _conflict(base, narrowed)
    return (base, conflict) if conflict else (narrowed, "")


def _conflict(base: Values, narrowed: Values) -> str:
    """Say where one allows what the other does not; nothing where all is well."""
    if _type(narrowed.formats[0]) not in map(_type, base.formats):
        return f"format {narrowed.formats[0]!r} must be {' or '.join(base.formats)}"
    levels = narrowed.levels or ()
    if base.levels is not None and not set(levels) <= set(base.levels):
        return f"levels {', '.join(levels)} are not among {', '.join(base.levels)}"
    if base.units is not None and narrowed.units != base.units:
        return f"unit {narrowed.units!r} must be {base.units!r}"
    if base.minimum is not None and number(narrowed.minimum) < base.minimum:
        return f"minimum {narrowed.minimum} is less than {base.minimum}"
    if base.maximum is not None and number(narrowed.maximum) > base.maximum:
        return f"maximum {narrowed.maximum} is greater than {base.maximum}"
    return ""


def of_schema(column: Mapping[str, Any]) -> Values:
    """Read what BIDS says of a column."""
    return Values(
        tuple(_formats(column)),
        column.get("pattern"),
        column.get("unit"),
        tuple(column["enum"]) if "enum" in column else None,
        column.get("maximum"),
        column.get("minimum"),
    )


def of_definition(definition: Any) -> Values:
    """Read what a sidecar says of a column; what makes no sense there is found elsewhere."""
    given = definition if isinstance(definition, Mapping) else {}
    levels, format_ = given.get("Levels"), given.get("Format")
    if format_ is None:
        format_ = "number" if true(given.get("Units")) else "string"
    return Values(
        (text(format_),),
        None,
        given.get("Units"),
        _keys(levels) if true(levels) else None,
        _bound(given, "Maximum"),
        _bound(given, "Minimum"),
    )


def _bound(definition: Mapping[str, Any], key: str) -> Any:
    """Return a bound; ``null`` counts as 0, as for the official validator."""
    bound = definition.get(key)
    return 0 if bound is None and key in definition else bound


def _keys(levels: Any) -> tuple[str, ...]:
    """Return the keys of what should be an object; those of a list are its positions."""
    if isinstance(levels, Mapping):
        return tuple(levels)
    return tuple(map(str, range(len(levels)))) if isinstance(levels, list | str) else ()


def _formats(column: Mapping[str, Any]) -> Iterator[str]:
    if "anyOf" in column:
        for each in column["anyOf"]:
            yield from _formats(each)
    else:
        yield column.get("format") or column.get("type") or "string"


def _type(name: str) -> str:
    return "number" if name in _NUMBERS else "boolean" if name == "boolean" else "string"


def pattern_of(wanted: Values, formats: Mapping[str, Any]) -> re.Pattern[str]:
    """Write the pattern as the official validator does: anchored at its two ends only."""
    patterns = (formats[each]["pattern"] for each in wanted.formats if each in formats)
    return _anchored(wanted.pattern or "|".join(patterns))


@lru_cache(maxsize=1024)
def _anchored(pattern: str) -> re.Pattern[str]:
    return regex(f"^{pattern}$")


def fits(value: str, wanted: Values, pattern: re.Pattern[str]) -> bool:
    """Say whether a value is allowed."""
    if value == _NA:
        return True
    if not pattern.search(value) or (wanted.levels is not None and value not in wanted.levels):
        return False
    if wanted.maximum is None and wanted.minimum is None:
        return True
    amount = leading_number(value)
    is_low = wanted.maximum is None or amount <= number(wanted.maximum)
    return is_low and (wanted.minimum is None or amount >= number(wanted.minimum))
