"""Read ``bidsify_export.json``: which case is which file of the tree, and labels both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import UsageError
from .beginning import MAP

_LARGEST = 1 << 28
_MOST = 1 << 53  # a label beyond is in no image


@dataclass(frozen=True, slots=True)
class Origin:
    """What a case was made from, as paths in the tree; ``segmentation`` None for images alone."""

    segmentation: str | None
    table: str | None
    images: tuple[str, ...]
    is_test: bool


@dataclass(frozen=True, slots=True)
class ExportMap:
    """The map of an export. ``backward``: number in a prediction -> value in the tree."""

    kind: str
    names: Mapping[int, str]
    backward: Mapping[int, int]
    cases: Mapping[str, Origin]


def read_map(path: Path) -> ExportMap:
    """Read the map beside an export.

    Raises:
        UsageError: There is none, or it is no map, or it names files outside of a tree.
    """
    try:
        with path.open("rb") as stream:
            document = json.loads(stream.read(_LARGEST))  # what is cut off is no JSON
        labels = document["labels"]
        found = ExportMap(
            _kind(document["kind"]),
            {_label(value): _line(name) for value, name in labels["names"].items()},
            {_label(number): _label(value) for number, value in labels["backward"].items()},
            {_inside(name): _origin(case) for name, case in document["cases"].items()},
        )
    except FileNotFoundError as error:
        msg = f"{path}: there is no such file; name the {MAP} of the export with --export"
        raise UsageError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{path}: not a map that 'bidsify export nnunet' wrote; take the one of the export"
        raise UsageError(msg) from error
    return found


def _origin(case: Mapping[str, Any]) -> Origin:
    segmentation, table = case["segmentation"], case["table"]
    images = tuple(map(_inside, case["images"]))
    if not images:
        raise ValueError
    return Origin(
        None if segmentation is None else _inside(segmentation),
        None if table is None else _inside(table),
        images,
        case["purpose"] == "test",
    )


def _label(value: object) -> int:
    if not isinstance(value, str | int) or abs(int(value)) > _MOST:
        raise ValueError
    return int(value)


def _kind(value: object) -> str:
    """Check that a kind can be part of a file name: ``dseg`` or ``seg-zones``."""
    text = _text(value)
    if not re.fullmatch(r"dseg|seg-[0-9A-Za-z+]+", text):
        raise ValueError
    return text


def _line(value: object) -> str:
    """Check that a name fits into a cell of a table."""
    text = _text(value)
    if not text.isprintable():
        raise ValueError
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _inside(value: object) -> str:
    """Check that a path stays in its folder."""
    path = PurePosixPath(_text(value))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError
    return str(path)
