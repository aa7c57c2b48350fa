"""The patterns of ``.bidsignore`` that declarations use."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from .. import bids_schema
from ..entities import BidsPath, format_name


def is_bidsignored(path: str, patterns: Sequence[str]) -> bool:
    """Say whether one of the patterns (``*_points.tsv``, ``**/ct``) fits a part of the path."""
    parts = path.split("/")
    return any(fnmatchcase(p, pattern.removeprefix("**/")) for pattern in patterns for p in parts)


def pattern_for(path: BidsPath) -> str:
    """Return the pattern to list for a file that BIDS has no name for, and for its sidecar.

    A folder that is no datatype, else a suffix that is none, else the name but for the subject.
    """
    rules = bids_schema.file_rules()
    if path.datatype not in {name for rule in rules for name in rule.get("datatypes", ())}:
        return f"**/{path.datatype}"
    own = {n: label for n, label in path.entities.items() if n not in {"subject", "session"}}
    known = any(path.suffix in rule["suffixes"] for rule in rules)
    extension = ".*" if path.extension == ".nii.gz" else path.extension
    return f"*_{format_name(own if known else {}, path.suffix, extension)}"
