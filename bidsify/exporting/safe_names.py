"""Names that any file system and any program takes, made from those of strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..cases.case import Case

_UNSAFE = re.compile(r"[^0-9A-Za-z_+-]")


def safe_names(cases: Iterable[Case]) -> Mapping[str, str]:
    """Return a name for each case; all differ."""
    return distinct((case.name, case.name) for case in cases)


def distinct(texts: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return for each key a name made from its text; all differ."""
    names, taken = dict[str, str](), set[str]()
    for key, text in texts:
        base = name = _UNSAFE.sub("", text) or "case"
        count = 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[key] = name
    return names


def one_line(text: str) -> str:
    """Return a text without line breaks, tabs and other signs that no program expects."""
    return "".join(c if c.isprintable() else " " for c in text)
