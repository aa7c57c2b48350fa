"""What the validation of a tree found, by code: without the values that messages may quote."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ..validation.nested import validate_all
from ..validation.options import Level, Options, Request

_LEVEL: Level = "headers"


def summary(root: Path, workers: int = 1) -> dict[str, Any]:
    """Validate a tree, and count what is found.

    Raises:
        UsageError: The folder cannot be listed.
    """
    options = Options(_LEVEL, nifti_headers=True, skip_missing=True)
    report = validate_all(Request(str(root), None, options, None), workers, recursive=False)
    counted = Counter((found.severity, found.code) for _, found in report.findings)
    return {
        "level": _LEVEL,
        "schema_version": report.schema_version,
        "bids_version": report.bids_version,
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "codes": [
            {"code": code, "severity": severity, "count": count}
            for (severity, code), count in sorted(counted.items())
        ],
    }
