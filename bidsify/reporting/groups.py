"""Issues by code: the one view that people can read, however many issues there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..printable import counted
from ..validation import codes
from ..validation.issue import SEVERITIES, Finding, Report, Severity

SHOWN = 3
_PLACES = 5
_LINE = re.compile(r"\bline (\d+)")


@dataclass(slots=True)
class Group:
    """All issues of one code and severity; ``examples`` are of other files while there are any."""

    code: str
    severity: Severity
    count: int = 0
    examples: list[tuple[str, Finding]] = field(default_factory=list)
    wheres: Counter[str] = field(default_factory=Counter)

    @property
    def meaning(self) -> str:
        """What the code means; of a code that nobody declared, the first message."""
        known = codes.find(self.code)
        return known.meaning if known else message_of(self.examples[0][1]) or self.code

    @property
    def remedy(self) -> str:
        """How to mend it, or nothing."""
        known = codes.find(self.code)
        return known.remedy if known else ""

    @property
    def places(self) -> str:
        """Which keys or columns it is mostly about, where several recur."""
        often = [(n, w) for w, n in self.wheres.items() if w and n > 1 and not line_of(w)]
        if len(self.wheres) < 2 or not often:  # noqa: PLR2004
            return ""
        often.sort(key=lambda pair: (-pair[0], pair[1]))
        named = ", ".join(f"{where} ({count})" for count, where in often[:_PLACES])
        more = len(self.wheres) - min(len(often), _PLACES)
        return f"{named}, and {more} more" if more else named


def group(report: Report, shown: int = SHOWN) -> list[Group]:
    """Return the groups of a report: errors first, then by number."""
    found: dict[tuple[str, str], Group] = {}
    spare: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for path, finding in report.findings:
        key = finding.severity, finding.code
        one = found.get(key)
        if one is None:
            one = found[key] = Group(finding.code, finding.severity)
            spare[key] = []
        one.count += 1
        one.wheres[finding.where] += 1
        if len(one.examples) < shown:
            is_other = not one.examples or one.examples[-1][0] != path
            (one.examples if is_other else spare[key]).append((path, finding))
    for one in found.values():
        one.examples += spare[one.severity, one.code][: shown - len(one.examples)]
    rank = {severity: number for number, severity in enumerate(SEVERITIES)}
    return sorted(found.values(), key=lambda g: (rank[g.severity], -g.count, g.code))


def message_of(finding: Finding) -> str:
    """Return what the finding adds to what its code means, which may be nothing."""
    known = codes.find(finding.code)
    message = " ".join(finding.message.split())
    return "" if message in ("", finding.code, known and known.meaning) else finding.message


def named(path: str) -> str:
    """Return a path, or what an issue of the whole dataset is about."""
    return path or "(dataset)"


def example(path: str, finding: Finding) -> str:
    """Return an issue in one line."""
    rest = detail(finding)
    return f"{named(path)}: {rest}" if rest else named(path)


def detail(finding: Finding) -> str:
    """Return place and message of a finding in one line."""
    return ": ".join(part for part in (finding.where, message_of(finding)) if part)


def line_of(where: str) -> int | None:
    """Return the number of the line that ``where`` names.

    >>> line_of("age, line 3")
    3
    """
    found = _LINE.search(where)
    return int(found[1]) or None if found else None


def numbers(counts: Mapping[Severity, int]) -> str:
    """Say how many issues there are of each severity.

    >>> numbers({"error": 1, "warning": 0, "info": 2})
    '1 error, 0 warnings, 2 info'
    """
    parts = [counted(counts.get("error", 0), "error"), counted(counts.get("warning", 0), "warning")]
    return ", ".join(parts + ([f"{counts['info']} info"] if counts.get("info") else []))


def summary(report: Report) -> str:
    """Return the whole validation in one line."""
    counts: dict[Severity, int] = dict(Counter(finding.severity for _, finding in report.findings))
    return (
        f"{numbers(counts)} in {counted(report.files, 'file')} of "
        f"{counted(report.subjects, 'subject')}, {report.seconds:.1f} s "
        f"(BIDS {report.bids_version}, schema {report.schema_version})"
    )


def in_repository(report: Report, path: str) -> str:
    """Return the path with the dataset's own folder in front, where that lies in the repository."""
    root = PurePosixPath(report.root)
    if root.is_absolute() or ".." in root.parts or root == PurePosixPath():
        return path
    return f"{root}/{path}"
