"""Count the numbers of a text: so many as an image has are found, however they are written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import orjson

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(rb"(?<![\w./-])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w/-])")
_WORD = re.compile(rb"(?<![\w./-])(?:true|false|null|nan|n/a)(?![\w/-])", re.IGNORECASE)
_WORDS = frozenset({"true", "false", "null", "nan", "n/a", ""})
#: Rows of tables that describe a subject, a session or a file of one.
_ROW = re.compile(rb"\A\"?(?:[\w-]+/)*((?:sub|ses)-[^\s,;\"]+)")
_FEW = 32  # numbers that a row, a text or an object may have


def numbers_in(content: bytes) -> int:
    """Return how many numbers, or words in their place, the lists of a text hold altogether."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in {b"{", b"["}:
        try:
            return sum(_in_json(orjson.loads(content)))
        except ValueError:
            pass  # lines of JSON, or no JSON at all
    return _in_lines(content)


def _in_lines(content: bytes) -> int:
    """Count them in any text; a few in the only row of a subject are what is known of it."""
    seen: set[bytes] = set()
    count = 0
    for line in content.splitlines():
        found = len(_TOKEN.findall(line)) + len(_WORD.findall(line))
        row = _ROW.match(line)
        if row and row[1] not in seen and found <= _FEW:
            seen.add(row[1])
        else:
            count += found
    return count


def _in_json(document: Any) -> Iterator[int]:
    """Count them in lists, in long texts, and in objects with many; equal lists count once."""
    todo, seen = [document], set[bytes]()
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            numbers = sum(not isinstance(value, str | list | dict) for value in each.values())
            yield numbers if numbers > _FEW else 0
            todo += each.values()
        elif isinstance(each, str):
            yield _in_text(each)
        elif isinstance(each, list):
            scalars, inner = _flat(each)
            todo += inner
            yield _values(scalars, seen)


def _flat(found: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return what a list and the lists in it hold, and the objects among that."""
    scalars: list[Any] = []
    inner: list[Any] = []
    todo = [found]
    while todo:
        for each in todo.pop():
            if isinstance(each, list):
                todo.append(each)
            else:
                (inner if isinstance(each, dict) else scalars).append(each)
    return scalars, inner


def _values(scalars: list[Any], seen: set[bytes]) -> int:
    """Count the values of a list of values; names in order, or with single numbers, are none."""
    texts = [each for each in scalars if isinstance(each, str)]
    is_of_names = len(texts) == len(scalars) and all(a < b for a, b in pairwise(texts))
    count = 0 if is_of_names else sum(map(_is_value, scalars))
    if 2 * count < len(scalars) or count == 0:
        return sum(map(_in_text, texts))
    digest = hashlib.sha256(orjson.dumps(scalars)).digest()
    if digest in seen:  # the mapping of labels, in each of many records
        return 0
    seen.add(digest)
    return count


def _is_value(scalar: Any) -> bool:
    if not isinstance(scalar, str):
        return True
    text = scalar.strip()
    return len(text) < 2 or text.lower() in _WORDS or _NUMBER.fullmatch(text) is not None  # noqa: PLR2004


def _in_text(text: str) -> int:
    """Count the numbers in a text of a document, where it is a list of them."""
    if len(text) < 2 * _FEW:
        return 0
    found = len(_TOKEN.findall(text.encode()))
    return found if found > _FEW else 0
