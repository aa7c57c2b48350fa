"""Which issues of a report count: codes, the dataset's own exceptions, and what is old news."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import orjson

from ..errors import UsageError
from ..validation.issue import SEVERITIES, Finding, Report, Severity
from .json_report import clean

Key = tuple[str, str, str]  # code, path, where


def choose(
    report: Report,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    severities: Collection[Severity] = SEVERITIES,
) -> Report:
    """Keep the issues that ``select`` names, or all, without those that ``ignore`` names.

    A pattern is a code, a glob such as ``TSV_*``, or a severity. Let ``codes.check_patterns`` see
    those of a user first: here, one that fits nothing is no fault.
    """

    def is_kept(finding: Finding) -> bool:
        return (
            finding.severity in severities
            and (not select or is_named(finding, select))
            and not is_named(finding, ignore)
        )

    return _keep(report, is_kept)


def is_named(finding: Finding, patterns: Sequence[str]) -> bool:
    """Say whether a pattern fits the code or the severity of a finding."""
    return any(p == finding.severity or fnmatchcase(finding.code, p) for p in patterns)


def fails(report: Report, fail_on: Severity = "error") -> bool:
    """Say whether an issue is as bad as ``fail_on``, or worse."""
    bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.severity in bad for _, finding in report.findings)


def read_baseline(path: Path) -> Mapping[Key, int]:
    """Read which issues an earlier report of ours has, and how often.

    Raises:
        UsageError: The file is missing, or is not what ``--format json`` writes.
    """
    try:
        document = orjson.loads(path.read_bytes())
        return Counter((i["code"], i["path"], i["where"]) for i in document["issues"])
    except OSError as error:
        msg = f"{path}: {error.strerror}; a baseline is what --output json=FILE wrote"
        raise UsageError(msg) from error
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a report that --output json=FILE wrote"
        raise UsageError(msg) from error


def without(report: Report, baseline: Mapping[Key, int]) -> Report:
    """Leave out the issues of the baseline; one that occurs more often than there is new."""
    left = dict(baseline)
    kept = []
    for path, finding in report.findings:
        key = finding.code, clean(path), clean(finding.where)
        if left.get(key):
            left[key] -= 1
        else:
            kept.append((path, finding))
    return replace(report, findings=tuple(kept))


def _keep(report: Report, is_kept: Callable[[Finding], bool]) -> Report:
    """Judge each finding once, however many files share it."""
    verdicts: dict[int, bool] = {}
    kept = []
    for path, finding in report.findings:
        verdict = verdicts.get(id(finding))
        if verdict is None:
            verdict = verdicts[id(finding)] = is_kept(finding)
        if verdict:
            kept.append((path, finding))
    return replace(report, findings=tuple(kept))
