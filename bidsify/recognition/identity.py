"""All that a look at a source shows: which dataset it is, why, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..dataset import Dataset
from ..planning.claims import sort_files
from ..planning.expectations import describe
from ..planning.plan import make_plan
from ..source import Source
from .detection import Candidate, candidates, choose
from .series import Named
from .survey import look
from .suspicion import suspicion


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a source is. ``candidates`` are ranked, of ``file_count`` files each."""

    dataset: Dataset
    evidence: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    file_count: int
    suspicion: str
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def identify(source: Source) -> Identity:
    """Look at a source: all its names, and into some of its files.

    Raises:
        UsageError: It is no dataset that we know, or could be several.
    """
    found = candidates(list(source.sizes))
    settled = choose(source, found)
    dataset = settled.dataset
    seen = look(dataset, source)
    plan = make_plan(dataset, source.sizes, seen.names, seen.faults)
    remarks = (r for r in plan.remarks if r.code in {"MISSING", "SUBJECT_COUNT"})
    return Identity(
        dataset=dataset,
        evidence=tuple(filter(None, [settled.because, *_evidence(source, dataset, seen)])),
        candidates=tuple(sorted(found, key=lambda c: (-c.fitting, c.dataset is not dataset))),
        file_count=len(source.sizes),
        suspicion=suspicion(plan, source),
        missing=tuple(remark.message for remark in remarks),
        unexpected=plan.unclaimed,
    )


def _evidence(source: Source, dataset: Dataset, seen: Named) -> Iterator[str]:
    claims = sort_files(dataset, source.sizes, seen.names).claims
    for product in dataset.products:
        files = sorted({c.path for c in claims if any(u.product is product for u in c.uses)})
        if files:
            yield f"{len(files)} files fit {describe(product)}, such as {files[0]}"
