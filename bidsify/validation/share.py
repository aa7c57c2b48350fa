"""What the visit of some folders at the root of a dataset gave, and how two of these are joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .issue import Located
from .walk import Tally

_VERDICT = "JSON_SCHEMA_VALIDATION_ERROR"


@dataclass(slots=True)
class Share:
    """What the visit of some folders gave.

    ``viewed`` and ``checked`` are files at the root that were used, and keys of them that were
    held against the schema; ``met`` is for the cache: what is to be kept, by folder.
    """

    tally: Tally = field(default_factory=Tally)
    viewed: set[str] = field(default_factory=set)
    checked: set[tuple[str, str]] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    met: dict[str, str] = field(default_factory=dict)

    def add(self, other: Share) -> None:
        """Join with the visit of folders that come later, as if one had visited them all."""
        tally = other.tally
        self.tally.files += tally.files
        self.tally.found += unclaimed(tally.found, self.checked)
        self.tally.orphans += tally.orphans
        self.tally.evidence += tally.evidence
        self.viewed |= other.viewed
        self.checked |= other.checked
        self.seen |= other.seen
        self.met |= other.met


def unclaimed(found: Iterable[Located], claimed: set[tuple[str, str]]) -> Iterator[Located]:
    """Leave out verdicts on values at the root that were judged before: each is judged once."""
    for path, each in found:
        if each.code != _VERDICT or (path, each.where) not in claimed:
            yield path, each
