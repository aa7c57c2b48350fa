"""The official BIDS schema, as the package ``bidsschematools`` ships it: the source of all rules.

Read as plain JSON: the parsed object model of that package takes over a second to build.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .errors import SchemaError


@cache
def schema() -> Mapping[str, Any]:
    """Return the schema document."""
    import orjson  # noqa: PLC0415  only commands that plan need it

    found = importlib.util.find_spec("bidsschematools")
    if found is None or found.origin is None:
        msg = "the package 'bidsschematools' is not installed; reinstall bidsify"
        raise SchemaError(msg)
    document: Mapping[str, Any] = orjson.loads(
        (Path(found.origin).parent / "data" / "schema.json").read_bytes()
    )
    return document


def load(path: Path) -> Mapping[str, Any]:
    """Return the schema document in a file of the user's.

    Raises:
        SchemaError: it cannot be read, or is no schema of BIDS.
    """
    import orjson  # noqa: PLC0415

    try:
        document: Mapping[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{path}: not a BIDS schema: {error}"
        raise SchemaError(msg) from error
    wanted = {"meta", "objects", "rules", "schema_version", "bids_version"}
    if not isinstance(document, dict) or not wanted <= set(document):
        msg = f"{path}: not a BIDS schema: it lacks {sorted(wanted - set(document))}"
        raise SchemaError(msg)
    return document


@cache
def entity_order() -> tuple[str, ...]:
    """Return the names of all entities in the order in which a file name states them."""
    return tuple(schema()["rules"]["entities"])


@cache
def entity_keys() -> Mapping[str, str]:
    """Return entity name -> key in file names: ``acquisition`` -> ``acq``."""
    return {name: entry["name"] for name, entry in schema()["objects"]["entities"].items()}


@cache
def entity_patterns() -> Mapping[str, re.Pattern[str]]:
    """Return entity name -> what its value may look like."""
    formats = schema()["objects"]["formats"]
    return {
        name: re.compile(formats[entry["format"]]["pattern"])
        for name, entry in schema()["objects"]["entities"].items()
    }


@cache
def entity_labels() -> Mapping[str, frozenset[str]]:
    """Return entity name -> the labels that it is limited to, of those that are."""
    return {
        name: frozenset(v if isinstance(v, str) else v["name"] for v in entry["enum"])
        for name, entry in schema()["objects"]["entities"].items()
        if "enum" in entry
    }


@cache
def file_rules() -> tuple[Mapping[str, Any], ...]:
    """Return the rules that a file with entities can follow, of raw and derivative datasets."""
    groups = schema()["rules"]["files"]
    return tuple(
        rule
        for level in ("deriv", "raw", "common")
        for rule in _leaves(groups[level])
        if "suffixes" in rule
    )


def _leaves(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in node.values():
        yield from (
            (child,)
            if "suffixes" in child or "stem" in child or "path" in child
            else (_leaves(child))
        )
