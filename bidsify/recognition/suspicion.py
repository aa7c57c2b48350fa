"""Refuse a source whose labels were changed by someone before it came to us."""

from __future__ import annotations

from collections import defaultdict

from ..errors import UsageError
from ..planning.jobs import Plan, VolumeJob
from ..product import Suspect
from ..source import Source
from . import probes


def suspicion(plan: Plan, source: Source) -> str:
    """Say why the labels of a source cannot be what they claim; empty where nothing is odd.

    A converted copy has other integers for the same parts, and single masks do not betray it:
    those that lack the telling value would be given wrong names. So some masks are looked into
    before anything is written.
    """
    suspects: dict[Suspect, list[str]] = defaultdict(list)
    for job in plan.jobs:
        if isinstance(job, VolumeJob) and job.recode and job.reader == "nifti":
            for suspect in job.recode.suspects:
                suspects[suspect].extend(job.sources)
    for suspect, paths in suspects.items():
        found = probes.label_values(source, paths)
        odd = sorted(found.intersection(suspect.values))
        if odd and not found.intersection(suspect.unless):
            values = ", ".join(map(str, odd))
            return f"{paths[0]} and its like hold the label values {values}: {suspect.reason}"
    return ""


def refuse_suspects(plan: Plan, source: Source) -> None:
    """Refuse such a source.

    Raises:
        UsageError: Its labels cannot be what they claim.
    """
    if why := suspicion(plan, source):
        msg = f"{source.root}: {why}"
        raise UsageError(msg)
