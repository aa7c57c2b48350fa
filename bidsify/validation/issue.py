"""What validation finds: the value that crosses from the rules to every report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, whichever file it is wrong with; equal ones are one object.

    ``where`` is the place inside the file: a key of a JSON document or a column, as the official
    validator's ``subCode``, with ``line 3`` where a line is known. ``rule`` is the path of the
    rule in the BIDS schema (``rules.checks.asl.ASL001``), or empty for a rule of our own.
    """

    code: str
    severity: Severity
    message: str
    where: str = ""
    rule: str = ""


#: A finding and where: a path relative to the tree, with ``/``; folders end with one.
Located = tuple[str, Finding]


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding in a file. ``path`` is relative to the tree, with ``/``; folders end with one."""

    code: str
    severity: Severity
    path: str
    where: str
    message: str
    rule: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that one validation found, in an order that does not depend on the number of workers.

    ``findings`` keeps path and finding apart, because a tree of 100,000 files repeats few findings
    very often; ``issues`` joins them.
    """

    root: str
    schema_version: str
    bids_version: str
    files: int
    subjects: int
    seconds: float
    findings: tuple[Located, ...]

    def issues(self) -> Iterator[Issue]:
        """Yield the findings with their paths."""
        return join(self.findings)

    def count(self, severity: Severity) -> int:
        """Return how many issues are of this severity."""
        return sum(finding.severity == severity for _, finding in self.findings)


def join(findings: Iterable[Located]) -> Iterator[Issue]:
    """Make issues of paths and findings."""
    for path, f in findings:
        yield Issue(f.code, f.severity, path, f.where, f.message, f.rule)
