"""What ``dataset_description.json`` of a stranger's tree says, as far as it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from .text_files import is_deep

DESCRIPTION = "dataset_description.json"
_LARGEST = 1 << 24  # bytes
_DEEPEST = 32  # levels of what is within another


def read_description(root: Path) -> tuple[Mapping[str, Any], str]:
    """Return the description, or an empty one and why it cannot be read; never raises for it."""
    path = root / DESCRIPTION
    try:
        if not path.is_file():  # a pipe would wait for ever
            return {}, f"{DESCRIPTION} is missing, so the tree does not say what it is"
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        return {}, f"{DESCRIPTION}: {error.strerror or error}"
    return parse_description(content)


def parse_description(content: bytes) -> tuple[Mapping[str, Any], str]:
    """Return the description in these bytes, or an empty one and why it cannot be read."""
    if len(content) > _LARGEST:
        return {}, f"{DESCRIPTION}: more than {_LARGEST >> 20} MiB of text: not read"
    try:
        document = orjson.loads(content)
    except ValueError as error:
        return {}, f"{DESCRIPTION}: not readable JSON ({error})"
    if not isinstance(document, dict):
        return {}, f"{DESCRIPTION}: not a JSON object"
    if is_deep(document, _DEEPEST):
        return {}, f"{DESCRIPTION}: nested in more than {_DEEPEST} levels"
    return document, ""
