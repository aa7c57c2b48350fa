"""What a tree itself says of its terms, in each of the places where that may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import yaml

from .. import json_schema
from ..citation_format import NAME as CITATION
from ..printable import printable
from .licences import STRICTNESS, is_share_alike, judged, restriction_of
from .statement import Statement

TERMS = "code/bidsify/terms.json"
_LICENCE_FILE = re.compile(r"(?:LICEN[CS]E|COPYING)(?:\.(?:txt|md|rst))?", re.IGNORECASE)
_LONGEST = 300  # characters of a stranger's licence in a message
_MOST = 1 << 18  # bytes of a citation file or a licence
_SUMMARIES = {
    "allowed": "The dataset is published under this open licence.",
    "noncommercial": "The dataset is published under this licence, not for commercial use.",
    "forbidden": "The licence does not let anybody pass on what is made from the data.",
    "unknown": "Nothing is stated that allows passing the data on.",
}
DERIVED = "The tree was made from another one, and the terms of that one are not known."
EDITED = (
    "dataset_description.json is not as it was converted, so nobody knows whether its License is "
    "that of the data."
)


def statements(root: Path, ours: set[str], doubt: str = "") -> Iterator[Statement]:
    """Yield what a tree states, unless it is what we wrote there: ``ours``, of known sources.

    A tree of no dataset that we know is judged by this alone: a standard licence, or unknown;
    one whose licence is in ``doubt``, which says why, is not known at all.
    """
    found = [(text, where) for text, where in _licences(root) if text]
    if doubt:
        text = found[0][0] if found else "none stated"
        yield _statement(text, "dataset_description.json of the tree", summary=doubt, judge="")
    else:
        yield from (_statement(text, where) for text, where in found if text not in ours)
    is_silent = not found and not ours and not doubt
    yield from _in_licence_files(root, is_silent=is_silent)
    if is_silent:
        yield _statement("none stated", "License in dataset_description.json of the tree")
    yield from _own(root)


def description(root: Path) -> Mapping[str, Any]:
    """Return ``dataset_description.json``; empty where it cannot be read."""
    found = _json(root / "dataset_description.json")
    return found if isinstance(found, dict) else {}


def _licences(root: Path) -> Iterator[tuple[str, str]]:
    licence = description(root).get("License")
    text = licence if isinstance(licence, str) else ""
    yield _short(text), "License in dataset_description.json of the tree"
    for each in _cited(root / CITATION):
        yield _short(each), f"license in {CITATION} of the tree"


def _short(text: str) -> str:
    return printable(text.strip())[:_LONGEST]


def _statement(
    licence: str, evidence: str, *, summary: str = "", judge: str | None = None
) -> Statement:
    spdx, allows = judged(licence if judge is None else judge)
    return Statement(
        licence=licence,
        summary=summary or _SUMMARIES[allows],
        redistribution=allows,
        evidence=evidence,
        spdx=spdx,
        share_alike=is_share_alike(spdx),
    )


def _cited(path: Path) -> list[str]:
    """Return the licences of a citation file; of one that cannot be read, that nobody knows."""
    if not _is_there(path):
        return []
    text = _text(path)
    if not text:
        return ["unreadable"]
    try:
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506  it knows texts, lists and keys
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return ["unreadable"]
    found = document.get("license") if isinstance(document, dict) else ["unreadable"]
    values = found if isinstance(found, list) else [found] if found else []
    return [each if isinstance(each, str) else "unreadable" for each in values]


def _in_licence_files(root: Path, *, is_silent: bool) -> Iterator[Statement]:
    """Yield what the texts of licences forbid; they allow nothing that is not stated elsewhere."""
    with suppress(OSError):
        for name in sorted(path.name for path in root.iterdir()):
            if not _LICENCE_FILE.fullmatch(name) or (root / name).is_dir():
                continue
            found = restriction_of(_text(root / name))
            if found:
                yield Statement(
                    licence=_short(found.licence),
                    summary=_SUMMARIES[found.redistribution],
                    redistribution=found.redistribution,
                    evidence=f"{name} of the tree",
                    share_alike=found.is_share_alike,
                )
            elif is_silent:
                yield _statement(f"the text in {name}", f"{name} of the tree", judge="")


def _own(root: Path) -> Iterator[Statement]:
    """Yield what terms of its own a tree has; what cannot be read allows nothing."""
    if not _is_there(root / TERMS):
        return
    document = _json(root / TERMS)
    if any(True for _ in json_schema.faults("terms", document)):
        document = {
            "licence": "unreadable",
            "summary": "The tree states terms of its own, but not in a form that can be read.",
            "redistribution": "unknown",
            "evidence": TERMS,
        }
    names = Statement.__dataclass_fields__
    stated = {name: value for name, value in document.items() if name in names}
    texts = {name: printable(text) for name, text in stated.items() if isinstance(text, str)}
    spdx, allows = judged(document.get("spdx") or document["licence"])
    made = {"spdx": spdx, **stated, **texts}
    made["share_alike"] = made.get("share_alike", False) or is_share_alike(made["spdx"])
    if allows != "unknown":  # a licence that is known is not looser for being called so
        made["redistribution"] = max(made["redistribution"], allows, key=STRICTNESS.index)
    yield Statement(**made)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _text(path: Path) -> str:
    """Return a text; empty where it cannot be read, or is longer than any licence."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST:
            return ""
        return path.read_text("utf-8-sig", "replace")
    except OSError:
        return ""


def _json(path: Path) -> Any:
    """Return a document; None where it is broken or not there."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
