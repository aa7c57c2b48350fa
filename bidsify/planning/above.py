"""Folders above the data: a user's, not the dataset's.

A pattern fits the end of a path; what stands before the part that it fits depends on where
somebody keeps the download. What all used files have of it in common is the base of a plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

from ..engine.jobs import Job
from .claims import Claim


def base_of(claims: Iterable[Claim], jobs: Iterable[Job]) -> str:
    """Return the folders above everything that ``jobs`` are made from.

    Further copies of files do not count, nor do files that are not used.
    """
    used = {path for job in jobs for path in job.sources}
    above = {claim.above for claim in claims if claim.path in used}
    levels = zip(*(folders.split("/")[:-1] for folders in above), strict=False)
    shared = takewhile(lambda names: len({*names}) == 1, levels)
    return "".join(f"{names[0]}/" for names in shared)
