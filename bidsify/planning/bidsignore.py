"""The patterns of ``.bidsignore`` that declarations use."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def is_bidsignored(path: str, patterns: Sequence[str]) -> bool:
    """Say whether one of the patterns (``*_points.tsv``, ``**/ct``) fits a part of the path."""
    parts = path.split("/")
    return any(fnmatchcase(p, pattern.removeprefix("**/")) for pattern in patterns for p in parts)
