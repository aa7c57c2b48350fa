"""Path patterns of a declaration, such as ``{case}/{case}_fat.nii[.gz]``. No file is opened here.

``{name}`` matches a field (the same text each time that it occurs), ``*`` anything but a slash,
``[...]`` may be absent; all else is literal. A pattern is tied to the end of a path, so the
extra folder levels of archives and mirrors do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .errors import DeclarationError

Fields = Mapping[str, str | None]

_TOKEN = re.compile(
    r"\{(?P<name>[a-z_]+)(?::0(?P<width>\d+))?\}|(?P<mark>[\[\]*])|(?P<text>[^{\[\]*]+)"
)
_ANY_LABEL = "[0-9A-Za-z]+"


@dataclass(frozen=True, slots=True)
class Match:
    """A path taken apart: the folder levels before the pattern, and the fields in it."""

    prefix: str
    fields: Fields


class Pattern:
    """One compiled pattern."""

    __slots__ = ("_match", "endings", "text")

    def __init__(self, text: str, fields: Mapping[str, str]) -> None:
        self.text = text
        self.endings = _endings(text)
        self._match = re.compile(f"(?P<_prefix>(?:[^/]*/)*?){_expression(text, fields)}").fullmatch

    def match(self, path: str) -> Match | None:
        """Take ``path`` apart, or return None where the pattern does not fit."""
        found = self._match(path) if path.endswith(self.endings) else None
        if found is None:
            return None
        fields = found.groupdict()
        return Match(fields.pop("_prefix") or "", fields)


def _expression(text: str, fields: Mapping[str, str]) -> str:
    seen: set[str] = set()
    parts = []
    for token in _tokens(text):
        name = token["name"]
        if name in seen:
            parts.append(f"(?P={name})")
        elif name:
            seen.add(name)
            parts.append(f"(?P<{name}>{fields.get(name, _ANY_LABEL)})")
        elif token["mark"]:
            parts.append({"[": "(?:", "]": ")?", "*": "[^/]*"}[token["mark"]])
        else:
            parts.append(re.escape(token["text"]))
    return "".join(parts)


def _endings(text: str) -> tuple[str, ...]:
    """Return how all paths of a pattern end: most paths fit none, and this tells fast."""
    optional = re.fullmatch(r".*?([^{}*\[\]]*)\[([^{}*\[\]]*)\]", text)
    if optional:
        return (optional[1] + optional[2], optional[1])
    return (re.split(r"[}*\]]", text)[-1],)


def render(template: str, fields: Fields) -> str:
    """Fill a template with the fields of a path.

    A number gets the width that the template states, a part in brackets vanishes when one of
    its fields is absent:

    >>> render("p{texture:03}", {"texture": "7"})
    'p007'
    >>> render("[{split}_Sets/]CT/{case}", {"split": None, "case": "3"})
    'CT/3'
    """
    outer: list[str] = []
    inner: list[str] | None = None
    for token in _tokens(template):
        if token["mark"] == "[":
            inner = []
        elif token["mark"] == "]":
            outer.extend(() if inner is None or None in inner else inner)
            inner = None
        else:
            (outer if inner is None else inner).append(_filled(token, fields))  # type: ignore[arg-type]
    return "".join(part for part in outer if part)


def field_names(template: str) -> frozenset[str]:
    """Return the fields that a template names."""
    return frozenset(token["name"] for token in _tokens(template) if token["name"])


def natural_key(path: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts ``IMG-2`` before ``IMG-10``."""
    return tuple(
        (0, int(p)) if p.isdecimal() and p.isascii() else (1, p)
        for p in re.split(r"([0-9]+)", path)
        if p
    )


def _filled(token: Mapping[str, str], fields: Fields) -> str | None:
    if not token["name"]:
        return token["text"] or token["mark"]
    value = fields.get(token["name"])
    if value is not None and token["width"] and value.isdecimal() and value.isascii():
        return value.zfill(int(token["width"]))
    return value


@cache
def _tokens(text: str) -> tuple[Mapping[str, str], ...]:
    tokens = tuple(found.groupdict() for found in _TOKEN.finditer(text))
    marks = "".join(token["mark"] for token in tokens if token["mark"] and token["mark"] in "[]")
    if marks.replace("[]", ""):
        msg = f"pattern {text!r}: brackets that do not pair, or lie in one another"
        raise DeclarationError(msg)
    if sum(len(found[0]) for found in _TOKEN.finditer(text)) != len(text):
        msg = f"pattern {text!r}: not understood; fields are lower-case words in braces"
        raise DeclarationError(msg)
    return tokens
