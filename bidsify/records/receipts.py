"""Receipts: what was written, from what, and what it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..source.reading import Fact


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a job was done. A job that had nothing to write has no ``sha256``."""

    target: str
    digest: str
    size: int
    sha256: str
    content_sha256: str
    sources: tuple[tuple[str, Fact], ...]
    notes: tuple[str, ...] = ()

    @property
    def is_omitted(self) -> bool:
        """Say whether the job found that its file is not needed."""
        return not self.sha256


def receipt_from(entry: Mapping[str, Any]) -> Receipt:
    """Rebuild a receipt from JSON."""
    sources = tuple((path, Fact(size, digest)) for path, size, digest in entry["sources"])
    return Receipt(
        entry["target"],
        entry["digest"],
        entry["size"],
        entry["sha256"],
        entry["content_sha256"],
        sources,
        tuple(entry["notes"]),
    )


def receipt_entry(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON."""
    sources = [[path, fact.size, fact.sha256] for path, fact in receipt.sources]
    return {**asdict(receipt), "sources": sources, "notes": list(receipt.notes)}
