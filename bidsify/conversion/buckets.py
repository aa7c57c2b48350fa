"""Where each source file went. Every file is in exactly one bucket, and the counts add up."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..engine.jobs import Job
from ..engine.work import Outcome
from ..errors import SourceError
from ..planning.jobs import Plan
from ..records.receipts import Receipt, receipt_entry
from ..source import Source
from ..source.reading import Fact
from ..version import __version__

Bucket = Literal["converted", "kept", "duplicate", "ignored", "unclaimed", "failed"]
BUCKETS: tuple[Bucket, ...] = (
    "converted",
    "kept",
    "duplicate",
    "ignored",
    "unclaimed",
    "failed",
)
UNSELECTED = "its participant was not selected"
_NOT_REACHED = "subjects that were not reached; run the same command again"


@dataclass(frozen=True, slots=True)
class Entry:
    """A source file, its bucket, and why it is there."""

    path: str
    bucket: Bucket
    reason: str = ""


def sort(
    plan: Plan,
    outcomes: Sequence[Outcome],
    unselected: Iterable[Job],
    before: Mapping[str, str] = {},
) -> list[Entry]:
    """Put each source file into its bucket.

    A file is converted when any job made something new of it, kept when all of it was there
    already, and failed when any job on it failed. ``before`` are files that failed in a run
    before this one, which did not try them, and why.
    """
    jobs = {job.target: job for job in (*plan.jobs, *plan.shared)}
    found = {path: entry for job in jobs.values() for path, entry in _unreached(job)}
    for job in unselected:
        found |= {path: Entry(path, "ignored", UNSELECTED) for path in job.files}
    found |= _successes(outcomes, jobs)
    found |= {path: Entry(path, "failed", reason) for path, reason in before.items()}
    for outcome in outcomes:
        if outcome.status == "failed":
            of = jobs.get(outcome.target)
            is_part = of is not None and {*outcome.sources} < {*of.sources}
            paths = outcome.sources if of is None or is_part else of.files
            found |= {path: Entry(path, "failed", outcome.message) for path in paths}
    for failure in plan.failures:
        found |= {path: Entry(path, "failed", failure.message) for path in failure.sources}
    found |= {path: Entry(path, "ignored", reason) for path, reason in plan.ignored}
    found |= {path: Entry(path, "unclaimed") for path in plan.unclaimed}
    return [found[path] for path in sorted(found)]


def _successes(outcomes: Iterable[Outcome], jobs: Mapping[str, Job]) -> dict[str, Entry]:
    """Return the files that were used, and the copies that were found equal to them."""
    statuses: dict[str, set[str]] = defaultdict(set)
    copies = {}
    for outcome in outcomes:
        for path in outcome.sources:
            statuses[path].add(outcome.status)
        if outcome.status != "failed" and outcome.target in jobs:
            for copy, original in jobs[outcome.target].twins:
                copies[copy] = Entry(copy, "duplicate", f"same content as {original}")
    used = {path: _used(path, seen) for path, seen in statuses.items()}
    return {**copies, **used}


def _used(path: str, statuses: set[str]) -> Entry:
    if "written" in statuses:
        return Entry(path, "converted")
    if statuses & {"kept", "omitted"}:
        return Entry(path, "kept")
    return Entry(path, "failed", f"{path}: belongs to an image that failed")


def _unreached(job: Job) -> Iterator[tuple[str, Entry]]:
    for path in job.files:
        yield path, Entry(path, "failed", _NOT_REACHED)


def count(entries: Iterable[Entry]) -> dict[str, int]:
    """Count the files in each bucket."""
    counted = Counter(entry.bucket for entry in entries)
    return {bucket: counted[bucket] for bucket in BUCKETS}


def record(
    plan: Plan,
    entries: Sequence[Entry],
    done: Mapping[str, Receipt],
    *,
    shared: Mapping[str, Sequence[str]],
    source: Source,
    known: Mapping[str, Fact],
) -> dict[str, Any]:
    """Return ``conversion.json``: what the tree is, not when and how often it was made.

    So a file that an earlier run converted counts as converted here. ``shared`` maps the files
    of all subjects to their sources, ``known`` are files that need not be hashed again. The long
    lists are functions that yield entries, see :mod:`..records.long_json`.
    """
    settled = [
        Entry(entry.path, "converted" if entry.bucket == "kept" else entry.bucket, entry.reason)
        for entry in entries
    ]
    targets: dict[str, list[str]] = defaultdict(list)
    for target, paths in shared.items():
        for path in paths:
            targets[path].append(target)
    facts = dict(known)
    for target, receipt in done.items():
        for path, fact in receipt.sources:
            facts[path] = fact
            if not receipt.is_omitted:
                targets[path].append(target)
    transforms = {job.target: job.transform for job in plan.jobs}
    written = sorted(done)
    return {
        "bidsify_version": __version__,
        "dataset": plan.dataset,
        "edition": plan.edition,
        **({"base": plan.base} if plan.base else {}),
        "buckets": count(settled),
        "files": lambda: (_file(e, targets.get(e.path, []), facts, source) for e in settled),
        "written": lambda: (
            {**receipt_entry(done[target]), "transform": transforms[target]} for target in written
        ),
        "shared": sorted(shared),
        "remarks": [{"code": r.code, "message": r.message} for r in plan.remarks],
    }


def with_hashes(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the record with the SHA-256 of each file of all subjects."""
    hashes = {path: hashlib.sha256(contents[path]).hexdigest() for path in sorted(contents)}
    return {**document, "shared_sha256": hashes}


def _file(
    entry: Entry, targets: list[str], facts: Mapping[str, Fact], source: Source
) -> dict[str, Any]:
    fact = facts.get(entry.path) or _fact(entry.path, source)
    document: dict[str, Any] = {
        "source": entry.path,
        "bucket": entry.bucket,
        "size": source.sizes[entry.path],
        "sha256": fact.sha256 if fact else None,
        "targets": sorted(targets),
    }
    return {**document, "reason": entry.reason} if entry.reason else document


def _fact(path: str, source: Source) -> Fact | None:
    """Hash a file that no job read; None where it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        for block in source.blocks(path):
            digest.update(block)
            size += len(block)
    except SourceError:
        return None
    return Fact(size, digest.hexdigest())
