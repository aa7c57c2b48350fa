"""What operators of the BIDS schema's expressions mean: those of JavaScript.

``None`` stands for what is absent (``undefined``); the official validator evaluates expressions
as JavaScript, and agreeing with it means to coerce as it does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_LEADING = re.compile(r"\s*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Infinity", re.ASCII)
_BASED = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")


class NothingError(Exception):
    """A member of nothing was read: the expression as a whole is nothing."""


def true(value: Any) -> bool:
    """Say whether a value counts as true; empty lists and objects do."""
    if value is None or value is False or value == "":
        return False
    return not isinstance(value, int | float) or (value != 0 and value == value)  # noqa: PLR0124  NaN


def both(left: Any, right: Callable[[], Any]) -> Any:
    """``left && right``."""
    return right() if true(left) else left


def either(left: Any, right: Callable[[], Any]) -> Any:
    """``left || right``."""
    return left if true(left) else right()


def member(value: Any, name: str) -> Any:
    """``value.name``; other values than objects have no members here."""
    if value is None:
        raise NothingError
    return value.get(name) if isinstance(value, dict) else None


def item(value: Any, key: Any) -> Any:
    """``value[key]``."""
    if value is None:
        raise NothingError
    if isinstance(value, dict):
        return value.get(text(key))
    if isinstance(key, str) and key.isdecimal():
        key = number(key)
    if isinstance(value, list | str) and isinstance(key, int | float) and key >= 0:
        return value[int(key)] if key < len(value) and key == int(key) else None
    return None


def contains(value: Any, key: Any) -> bool:
    """``key in value``."""
    if isinstance(value, dict):
        return text(key) in value
    if isinstance(value, list):
        return text(key) in {str(i) for i in range(len(value))}
    raise NothingError


def equal(left: Any, right: Any) -> bool:
    """``left == right``, which coerces; objects are equal to themselves only."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, dict | list) and isinstance(right, dict | list):
        return left is right
    if isinstance(left, dict | list):
        return equal(text(left), right)
    if isinstance(right, dict | list):
        return equal(left, text(right))
    return number(left) == number(right)


def less(left: Any, right: Any) -> bool:
    """``left < right``: text with text by its characters, all else as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    return number(left) < number(right)


def more(left: Any, right: Any) -> bool:
    """``left > right``."""
    return less(right, left)


def at_most(left: Any, right: Any) -> bool:
    """``left <= right``; not the opposite of more: nothing compares with NaN."""
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    return number(left) <= number(right)


def at_least(left: Any, right: Any) -> bool:
    """``left >= right``."""
    return at_most(right, left)


def plus(left: Any, right: Any) -> Any:
    """``left + right``: joins where one side is text, a list or an object."""
    if isinstance(left, str | list | dict) or isinstance(right, str | list | dict):
        return text(left) + text(right)
    return number(left) + number(right)


def minus(left: Any, right: Any) -> float:
    """``left - right``."""
    return number(left) - number(right)


def times(left: Any, right: Any) -> float:
    """``left * right``."""
    return number(left) * number(right)


def divided(left: Any, right: Any) -> float:
    """``left / right``; by zero is infinite or NaN, never an error."""
    a, b = number(left), number(right)
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)


def modulo(left: Any, right: Any) -> float:
    """``left % right``, with the sign of the left side."""
    a, b = number(left), number(right)
    return math.fmod(a, b) if b and math.isfinite(a) else math.nan


def power(left: Any, right: Any) -> float:
    """``left ** right``."""
    result = number(left) ** number(right)
    return result if isinstance(result, int | float) else math.nan


def rounded(value: float) -> float:
    """Round to thousandths, halves up: what the official validator compares sizes and times by."""
    scaled = value * 1000
    return math.floor(scaled + 0.5) / 1000 if math.isfinite(scaled) else value


def or_zero(value: Any) -> Any:
    """Let ``null`` compare as 0."""
    return 0 if value is None else value


def number(value: Any) -> float:
    """Coerce to a number; NaN where that makes no sense."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | dict):
        value = text(value)
    if not isinstance(value, str):
        return math.nan
    value = value.strip()
    if not value:
        return 0
    if _NUMBER.fullmatch(value):
        return float(value)
    return int(value, 0) if _BASED.fullmatch(value) else math.nan


def leading_number(value: str) -> float:
    """Read the number that a text starts with: 10 of ``10nm``."""
    found = _LEADING.match(value)
    return float(found[0]) if found else math.nan


def text(value: Any) -> str:
    """Coerce to text."""
    match value:
        case None:
            return "undefined"
        case bool():
            return str(value).lower()
        case float():
            return _decimal(value)
        case list():
            return ",".join("" if each is None else text(each) for each in value)
        case dict():
            return "[object Object]"
    return str(value)


def is_deeper(value: Any, levels: int) -> bool:
    """Say whether lists and objects are nested in more than some levels."""
    within = [value]
    while levels >= 0 and within:
        levels -= 1
        found: list[Any] = []
        for each in within:
            found += each.values() if isinstance(each, dict) else each if type(each) is list else ()
        within = found
    return bool(within)


def _decimal(value: float) -> str:
    """Write a number as JavaScript does."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    size = abs(value)
    if value.is_integer() and size < 1e21:  # noqa: PLR2004  from there on with an exponent
        return str(int(value))
    if 1e-6 <= size < 1e-4:  # noqa: PLR2004  where Python writes an exponent already
        return f"{Decimal(repr(value)):f}"
    return re.sub(r"e([+-])0+", r"e\1", repr(value))


def kind(value: Any) -> str:
    """Name the type of a value, as JSON does."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case int() | float():
            return "number"
    return "object"
