"""What validation says of a tree, by code, in the words of ``bidsify explain``."""

from __future__ import annotations

from pathlib import Path

from ..errors import BidsifyError
from ..reporting import groups
from ..validation import codes
from ..validation.issue import SEVERITIES
from ..validation.nested import validate_all
from ..validation.options import Request
from .values import Found, Validity

_EXAMPLES = 5


def validity(root: Path, workers: int) -> Validity:
    """Validate headers and texts; the whole validation failing is a fault, never an error."""
    try:
        report = validate_all(Request(str(root)), workers)
    except BidsifyError as error:
        return Validity(fault=str(error).replace(f"{root}/", ""))
    found = tuple(_found(group) for group in groups.group(report, _EXAMPLES))
    counts = {str(severity): report.count(severity) for severity in SEVERITIES}
    return Validity(report.bids_version, report.schema_version, report.files, counts, found)


def _found(group: groups.Group) -> Found:
    examples = tuple(groups.example(path, finding) for path, finding in group.examples)
    known = codes.find(group.code) is not None
    explanation = codes.explain(group.code) if known else group.meaning
    return Found(group.code, group.severity, group.count, explanation, examples)
