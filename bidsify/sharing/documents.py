"""JSON documents: the same bytes each time, and whether they fit their schemas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from .. import json_schema
from ..printable import printable

_LONGEST = 300  # characters of a stranger's text in a message


def first_fault(name: str, document: Any) -> str:
    """Say what in a document breaks one of our schemas; empty where nothing does.

    It is quick for documents that list each file of a large tree.
    """
    for error in _validator(name).iter_errors(document):
        parts = (
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path
        )
        return printable(f"${''.join(parts)}: {error.message}")[:_LONGEST]
    return ""


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """Format a JSON document, the same each time."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def _validator(name: str) -> Any:
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(dict(json_schema.load(name)))
