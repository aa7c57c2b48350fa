"""What may be done with a tree: the terms of its source by route, and what the tree itself says.

Where they differ the stricter counts; what is unknown is not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import datasets
from ..errors import TermsError, UsageError
from ..records.conversion import read_record
from . import stated
from .registry import of_dataset
from .statement import Statement

_PLACE = re.compile(r"^(?:[a-z]+://)?(?:www\.)?(?:(?:dx\.)?doi\.org/|doi:)?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is stated of a tree; ``route`` is the one that the user named, else empty."""

    statements: tuple[Statement, ...]
    route: str

    @property
    def strictest(self) -> Statement:
        """Return the statement that counts."""
        return max(self.statements, key=lambda each: each.strictness)

    @property
    def allows_copies(self) -> bool:
        """Say whether the data may be passed on, be it under conditions."""
        return all(each.redistribution in {"allowed", "noncommercial"} for each in self.statements)

    @property
    def is_public_domain(self) -> bool:
        """Say whether nobody asks for anything."""
        return all(each.is_public_domain for each in self.statements)

    def require_copies(self, root: Path) -> None:
        """Refuse to pass the data on where the terms do not allow it.

        Raises:
            TermsError: With the clause and where it is known from.
        """
        if self.allows_copies:
            return
        clause = self.strictest
        known = "forbid" if clause.redistribution == "forbidden" else "are not known to allow"
        whose = f" of {clause.dataset!r}" if clause.dataset else ""
        msg = (
            f'{root}: the terms{whose} {known} passing the data on: "{clause.summary}" (licence: '
            f"{clause.licence}; known from: {clause.evidence}); share it with --tier recipe, or "
            "state a written permission with --permission FILE"
        )
        raise TermsError(msg)


def of_tree(root: Path, route: str = "") -> Verdict:
    """Return what the registry and the tree itself say.

    Raises:
        UsageError: The user names a route that no source of the tree has.
    """
    described = stated.description(root)
    known = sources_of(root, described)
    found = [one for name in known for one in of_dataset(name, route)]
    if route and not known:
        msg = f"{root}: --route {route}: the tree is of no dataset that bidsify knows; leave it out"
        raise UsageError(msg)
    licences = {datasets.load(name).terms.licence for name in known}
    is_derived = not known and _is_derived(root, described)
    return Verdict((*found, *stated.statements(root, licences, is_derived=is_derived)), route)


def sources_of(root: Path, description: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the known datasets that a tree was made from, by its record and its description.

    Of datasets that are published at one address the record says which one it is.
    """
    recorded = {_recorded(root)} & {*datasets.names()}
    cited = {*_addresses(description)}
    matching = {name for name in datasets.names() if _homes(name) & cited}
    shared = {place for name in recorded for place in _homes(name)}
    return tuple(sorted(recorded | {name for name in matching if not _homes(name) & shared}))


def _recorded(root: Path) -> str:
    try:
        record = read_record(root)
    except UsageError:
        return ""
    return record.dataset if record and isinstance(record.dataset, str) else ""


def _is_derived(root: Path, description: Mapping[str, Any]) -> bool:
    """Say whether we made the tree from another one, or nobody knows from what."""
    made = description.get("GeneratedBy")
    ours = isinstance(made, list) and any(
        isinstance(one, dict) and one.get("Name") == "bidsify" for one in made
    )
    return ours and not _recorded(root)


def _homes(name: str) -> set[str]:
    dataset = datasets.load(name)
    return {_place(text) for text in (dataset.source_url, dataset.source_doi) if text}


def _addresses(description: Mapping[str, Any]) -> Iterator[str]:
    named = description.get("SourceDatasets")
    for one in named if isinstance(named, list) else ():
        for key in ("URL", "DOI") if isinstance(one, dict) else ():
            if isinstance(one.get(key), str):
                yield _place(one[key])


def _place(address: str) -> str:
    """Return what makes an address or DOI the same: no scheme, no case, no slash at its end."""
    return _PLACE.sub("", address.strip().lower()).rstrip("/")
