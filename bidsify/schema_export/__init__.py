"""JSON Schemas made from the BIDS schema, for any program that can check JSON.

No rule is typed in here: names, sidecars and tables follow from the rules of the BIDS schema.
A schema never refuses what those rules allow; what JSON Schema cannot say is left out, and the
document says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from . import naming, sidecars, tables
from .document import Json, head

_WIDTH = 100


def documents(bids: Mapping[str, Any]) -> dict[str, Json]:
    """Return all schemas that follow from a BIDS schema, by name: ``sidecars/T1w``."""
    made = {"naming": naming.document(bids)}
    made |= {f"sidecars/{suffix}": entry for suffix, entry in sidecars.documents(bids).items()}
    made |= {f"tables/{rule}": entry for rule, entry in tables.documents(bids).items()}
    return {name: head(name, bids) | entry for name, entry in sorted(made.items())}


def render(document: Json) -> str:
    """Return the text of a file: what fits into a line is on one line."""
    return "".join(_lines(document, "", "")) + "\n"


def _lines(node: Any, indent: str, key: str) -> Iterator[str]:
    short = key + json.dumps(node, ensure_ascii=False)
    if not isinstance(node, (dict, list)) or not node or len(indent + short) < _WIDTH:
        yield indent + short
        return
    opening, closing = "{}" if isinstance(node, dict) else "[]"
    yield f"{indent}{key}{opening}\n"
    children = (
        [(json.dumps(name) + ": ", child) for name, child in node.items()]
        if isinstance(node, dict)
        else [("", child) for child in node]
    )
    for place, (name, child) in enumerate(children, 1):
        yield from _lines(child, indent + "  ", name)
        yield ",\n" if place < len(children) else "\n"
    yield indent + closing
