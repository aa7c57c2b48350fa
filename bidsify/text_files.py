"""How the texts of a tree are written: JSON and TSV, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

MISSING = "n/a"


def to_json(document: object) -> str:
    """Format a document, the same each time."""
    return (
        json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    )


def to_tsv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Format a table."""
    lines = ["\t".join(columns)]
    lines.extend("\t".join(row) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def is_deep(document: object, levels: int) -> bool:
    """Say whether JSON is nested in more than so many levels; found without recursion."""
    level: list[object] = [document]
    for _ in range(levels):
        level = [child for entry in level for child in _children(entry)]
        if not level:
            return False
    return True


def _children(entry: object) -> list[object]:
    if isinstance(entry, dict):
        return list(entry.values())
    return entry if isinstance(entry, list) else []
