"""JSON files: keys that tell who a person is, and what texts look as if they held."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..errors import SourceError
from ..identifying import (
    DEEPEST,
    identifying_items,
    is_identifying,
    traces,
    without_items,
)
from ..printable import some
from .trace import Trace, label_of

#: A date in a sidecar may be that of a release; a mail address, that of who answers questions.
_TELLING = frozenset({"a name as in DICOM", "a user's folder", "a patient"})
_PATIENT = re.compile(r"^\W*patient[ _]?id\s*[:=]\s*([\w-]+)\s*\Z", re.IGNORECASE)
_PAIR = re.compile(r'"((?:[^"\\\n]|\\.){1,80})"\s*:\s*[\[{\s]*("(?:[^"\\\n]|\\.)*|[^\s",\[\]{}]+)')
_KEY = "a key that tells who a person is"
_LONGEST, _OVERLAP = 1 << 16, 1 << 8  # characters that are looked at at once


def in_document(path: str, content: bytes) -> Iterator[Trace]:
    """Yield what a JSON file holds; one that cannot be read is looked at as text."""
    try:
        document, is_fixable = _parse(content, path), True
    except SourceError:
        document, is_fixable = _leniently(content), False
    if document is None:
        found = list(_in_pairs(path, content))
        yield from found
        lines = {trace.where for trace in found}
        yield from (trace for trace in in_text(path, content) if trace.where not in lines)
        return
    label = label_of(path)
    for key, value in identifying_items(document, label):
        yield Trace(path, key, _KEY, is_fixable, str(value).strip())
    for where, text in _texts(document, ""):
        key = where.rpartition(".")[2]
        kinds = [kind for kind in kinds_in(text) if kind in _TELLING]
        if kinds and not is_identifying(key.partition("[")[0], text, label):
            yield Trace(path, where, f"looks as if it held {some(kinds)}: {text[:80]!r}")


def kinds_in(text: str) -> list[str]:
    """Return what a text looks as if it held, however long it is."""
    starts = range(0, max(len(text), 1), _LONGEST)
    parts = (text[at : at + _LONGEST + _OVERLAP] for at in starts)
    return list(dict.fromkeys(kind for part in parts for kind in traces(part)))


def keys_in(content: bytes) -> list[str]:
    """Return the keys that tell who a person is, in JSON that another file holds."""
    document = _leniently(content.strip(b"\0 \n"))
    return list(dict.fromkeys(key for key, _ in identifying_items(document)))


def in_text(path: str, content: bytes) -> Iterator[Trace]:
    """Yield what lines of text look as if they held."""
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        if found := [kind for kind in kinds_in(line) if kind in _TELLING]:
            what = f"looks as if it held {some(found)}: {line.strip()[:80]!r}"
            patient = _PATIENT.search(line) if found == ["a patient"] else None
            yield Trace(path, f"line {number}", what, patient=patient[1] if patient else "")


def _in_pairs(path: str, content: bytes) -> Iterator[Trace]:
    """Yield the keys in what was meant to be JSON."""
    text, label = content.decode("utf-8", "replace"), label_of(path)
    number, last = 1, 0
    for pair in _PAIR.finditer(text):
        value = pair[2].lstrip('"')
        if is_identifying(pair[1], value, label):
            number += text.count("\n", last, pair.start())
            last = pair.start()
            yield Trace(path, f"line {number}", f"{_KEY}: {pair[1]}", patient=value.strip())


def without_keys(path: str, content: bytes) -> bytes:
    """Return a JSON file without keys that tell who a person is, all else with equal values.

    Raises:
        SourceError: It cannot be written again without losing something.
    """
    left = without_items(_parse(content, path), label_of(path))
    made = _packed(left)
    if _parse(made, path) != left:
        msg = f"{path}: cannot be written again with equal values; edit it by hand"
        raise SourceError(msg)
    return made


def _packed(document: Any) -> bytes:
    """Write JSON; half of a character can only be written by its number."""
    try:
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(document, indent=2) + "\n").encode()


def _parse(content: bytes, path: str) -> Any:
    """Read JSON; refuse what would not come back as it was.

    Raises:
        SourceError: It is no JSON, has a key twice, or a number that would not stay the same.
    """
    try:
        document = json.loads(
            content, object_pairs_hook=_once, parse_float=_exact, parse_constant=_refused
        )
        _require_shallow(document)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as JSON that can be written again ({error}); edit it by hand"
        raise SourceError(msg) from error
    return document


def _exact(text: str) -> float:
    """Read a number; refuse one that a float only comes near to."""
    value = float(text)
    try:
        if math.isfinite(value) and Decimal(repr(value)) == Decimal(text):
            return value
    except ArithmeticError:  # an exponent that even a decimal cannot have
        pass
    msg = f"the number {text[:40]} would change"
    raise ValueError(msg)


def _refused(text: str) -> float:
    msg = f"{text} is no number in JSON"
    raise ValueError(msg)


def _require_shallow(document: Any) -> None:
    """Refuse objects and lists that lie deeper in one another than is looked at."""
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(DEEPEST + 1):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for values in inner for each in values if isinstance(each, (dict, list))]
    if level:
        msg = f"more than {DEEPEST} objects or lists in one another"
        raise ValueError(msg)


def _leniently(content: bytes) -> Any:
    """Read JSON with keys that are there twice, and with any numbers; None for no JSON."""
    try:
        document = json.loads(content, object_pairs_hook=_all, parse_int=str, parse_float=str)
        _require_shallow(document)
    except (ValueError, RecursionError):
        return None
    return document


def _all(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep all values of a key that is there twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = [found[key], value] if key in found else value
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "a key is there twice"
        raise ValueError(msg)
    return found


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield each text with its path, as ``a.b[3]``."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _texts(each, f"{where}[{number}]")
