"""The schema of the Citation File Format (``CITATION.cff``), and the licences that it knows."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

NAME = "CITATION.cff"
_SCHEMA = ("check_jsonschema", "builtin_schemas/vendor/citation-file-format.json")


@cache
def schema() -> Mapping[str, Any]:
    """Return the schema, as ``check-jsonschema`` brings it."""
    package, name = _SCHEMA
    found = importlib.util.find_spec(package)
    origin = Path(found.origin) if found and found.origin else Path()
    document: Mapping[str, Any] = json.loads((origin.parent / name).read_text("utf-8"))
    return document


@cache
def identifiers() -> frozenset[str]:
    """Return the SPDX identifiers of the licences that a citation file can name."""
    return frozenset(schema()["definitions"]["license-enum"]["enum"])
