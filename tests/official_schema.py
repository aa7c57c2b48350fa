"""The BIDS schema as the package that ships it reads it, to compare ours with."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from bidsschematools.rules import regexify_filename_rules
from bidsschematools.schema import load_schema


@cache
def official_schema() -> Any:
    """The object model of the schema; slow to load, so once in a process."""
    return load_schema()


@cache
def official_names() -> list[re.Pattern[str]]:
    """Which names the schema allows, in raw datasets and in derivatives."""
    schema = official_schema()
    return [
        re.compile(rule["regex"])
        for group in (schema.rules.files.common, schema.rules.files.raw, schema.rules.files.deriv)
        for rule in regexify_filename_rules(group, schema, level=2)
    ]


@cache
def is_official(path: str) -> bool:
    """Whether the schema has a name for a path."""
    return any(pattern.match(path) for pattern in official_names())
