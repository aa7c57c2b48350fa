"""The functions that expressions of the BIDS schema call, and the names that they read."""

from __future__ import annotations

import math
import re
from bisect import insort_right
from collections.abc import Callable
from functools import cache, cmp_to_key
from typing import Any, Protocol

from .. import values
from ..values import NothingError

_SHORT = 15
TEXTS = frozenset({"path", "suffix", "extension", "datatype", "modality"})
MAPPINGS = frozenset(
    {"entities", "sidecar", "json", "columns", "associations", "dataset", "subject"}
)
# What only some files have: the rest of what is read shows in the name.
CONTENTS = frozenset(
    {"sidecar", "json", "columns", "associations", "gzip", "nifti_header", "ome", "tiff"}
)
ROOTS = TEXTS | MAPPINGS | {"size", "gzip", "nifti_header", "ome", "tiff", "schema", "directory"}
NAMES = {
    "index": "index",
    "intersects": "intersects",
    "match": "matches",
    "type": "kind",
    "min": "least",
    "max": "greatest",
    "length": "length",
    "unique": "unique",
    "count": "count",
    "exists": "exists",
    "substr": "substring",
    "sorted": "in_order",
    "allequal": "all_equal",
}


kind = values.kind


class Finder(Protocol):
    """What knows the files of a dataset: :class:`~bidsify.validation.context.Context`."""

    def has(self, path: str, base: Any) -> bool:
        """Say whether a path exists, relative to what ``base`` names."""


def index(items: Any, item: Any) -> int | None:
    """Return the position of an item."""
    wanted = _key(item)
    return next((i for i, each in enumerate(_sequence(items)) if _key(each) == wanted), None)


def intersects(left: Any, right: Any) -> list[Any] | bool:
    """Return what two lists share, in the order of the longer one, or false."""
    a = left if isinstance(left, list) else [left]
    b = right if isinstance(right, list) else [right]
    if len(a) < len(b):
        a, b = b, a
    wanted = set(map(_key, b))
    shared = [each for each in a if _key(each) in wanted]
    return shared or False


def matches(target: Any, pattern: Any) -> bool:
    """Say whether a pattern is found in a text."""
    if not isinstance(target, str):
        raise NothingError
    return regex("null" if pattern is None else values.text(pattern)).search(target) is not None


def least(items: Any) -> float | None:
    """Return the smallest of the numbers; what is no number does not count."""
    numbers = _numbers(items)
    return None if numbers is None else min(numbers, default=math.inf)


def greatest(items: Any) -> float | None:
    """Return the largest of the numbers; what is no number does not count."""
    numbers = _numbers(items)
    return None if numbers is None else max(numbers, default=-math.inf)


def length(items: Any) -> int | None:
    """Return the length of a list or a text."""
    return len(items) if isinstance(items, list | str) else None


def unique(items: Any) -> list[Any] | None:
    """Drop repeated items."""
    if items is None:
        return None
    first: dict[Any, Any] = {}
    for each in _sequence(items):
        first.setdefault(_key(each), each)
    return list(first.values())


def count(items: Any, item: Any) -> int:
    """Return how often an item occurs."""
    if not isinstance(items, list):
        raise NothingError
    wanted = _key(item)
    return sum(_key(each) == wanted for each in items)


def exists(context: Finder, items: Any, base: Any = "dataset") -> int:
    """Count the paths that exist, relative to what ``base`` names."""
    if items is None:
        return 0
    paths = items if isinstance(items, list) else [items]
    if any(not isinstance(each, str) for each in paths):
        raise NothingError
    if base == "bids-uri":  # the official validator takes them on trust
        return sum(each.startswith("bids:") for each in paths)
    return sum(context.has(each, base) for each in paths)


def substring(text: Any, start: Any, end: Any) -> str | None:
    """Return a part of a text."""
    if text is None or start is None or end is None:
        return None
    if not isinstance(text, str) or not all(isinstance(n, int | float) for n in (start, end)):
        raise NothingError
    first = int(start) if start >= 0 else max(0, len(text) + int(start))
    return text[first : first + max(0, int(end) - int(start))]


def in_order(items: Any, method: Any = "auto") -> list[Any]:
    """Sort: ``numeric``, ``lexical``, or as the values compare with each other."""
    if not isinstance(items, list):
        raise NothingError
    if method == "lexical":
        return sorted(items, key=values.text)
    if method == "numeric":
        numbers = [values.number(each) for each in items]
        if not any(map(math.isnan, numbers)):
            return [items[i] for i in sorted(range(len(items)), key=numbers.__getitem__)]
        return _sorted(items, _difference)
    if all(isinstance(each, str) for each in items):
        return sorted(items)
    return _sorted(items, _order)


def all_equal(left: Any, right: Any) -> bool:
    """Say whether two lists hold the same."""
    if not isinstance(left, list) or not isinstance(right, list):
        return False
    return [_key(each) for each in left] == [_key(each) for each in right]


@cache
def regex(pattern: str) -> re.Pattern[str]:
    """Compile a pattern as JavaScript means it: ``$`` is the very end, digits are ASCII."""
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern), re.ASCII)


def _sorted(items: list[Any], compare: Callable[[Any, Any], int]) -> list[Any]:
    """Sort by a comparison in which some values are equal to all others.

    The result depends on the way then: in short lists the official validator puts one value
    after the other where halving finds its place.
    """
    key = cmp_to_key(compare)
    if len(items) > _SHORT:
        return sorted(items, key=key)
    placed: list[Any] = []
    for each in items:
        insort_right(placed, key(each))
    return [each.obj for each in placed]


def _order(left: Any, right: Any) -> int:
    """Compare as values do; ``null`` counts as 0."""
    a, b = values.or_zero(left), values.or_zero(right)
    return values.more(a, b) - values.more(b, a)


def _difference(left: Any, right: Any) -> int:
    """Compare for a numeric sort; what is no number is equal to all, and stays where it is."""
    difference = values.number(left) - values.number(right)
    return (difference > 0) - (difference < 0)


def _numbers(items: Any) -> list[float] | None:
    if items is None:
        return None
    numbers = [0 if each is None else values.number(each) for each in _listed(items)]
    return [each for each in numbers if not math.isnan(each)]


def _listed(items: Any) -> list[Any]:
    return items if isinstance(items, list) else [items]


def _sequence(items: Any) -> list[Any]:
    if not isinstance(items, list | str):
        raise NothingError
    return list(items)


def _key(value: Any) -> Any:
    """Return what is equal for equal values and hashable: true is not 1, objects are themselves."""
    if isinstance(value, bool):
        return ("bool", value)
    return ("object", id(value)) if isinstance(value, list | dict) else value
