"""A survey as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from .values import Survey


def to_json(survey: Survey) -> str:
    """Return all that was found, in ASCII, the same each time; numbers that are none are null."""
    return json.dumps(_plain(survey), indent=1, ensure_ascii=True, allow_nan=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
