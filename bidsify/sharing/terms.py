"""What may be done with a tree: the terms of its source by route, and what the tree itself says.

Where they differ the stricter counts; what is unknown is not allowed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import datasets
from ..errors import TermsError, UsageError
from ..printable import printable
from ..records.conversion import Record, read_record
from . import stated
from .named import named_in
from .registry import of_dataset
from .statement import Statement

_DESCRIPTION = "dataset_description.json"
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
    others = named_in(root, described, known, _texts_of_ours(root))
    found += [one for name in sorted(others) for one in of_dataset(name)]
    if route and not known:
        msg = f"{root}: --route {route}: the tree is of no dataset that bidsify knows; leave it out"
        raise UsageError(msg)
    licences = {datasets.load(name).terms.licence for name in known}
    doubt = "" if known else _doubt(root, described)
    return Verdict((*found, *stated.statements(root, licences, doubt)), route)


def require_unedited(root: Path) -> None:
    """Refuse a converted tree of a known dataset to which somebody gave another licence.

    Raises:
        TermsError: The file is named.
    """
    record = _record(root)
    if record is None or record.dataset not in datasets.names() or not _is_edited(root, record):
        return
    licence = stated.description(root).get("License")
    recorded = datasets.load(record.dataset).terms.licence
    if licence != recorded:
        said = printable(str(licence))[:100] if licence else "none"
        msg = (
            f"{root / _DESCRIPTION}: was changed since the conversion, and its License is now "
            f"{said} instead of {recorded}; convert again, or state a written permission with "
            "--permission FILE"
        )
        raise TermsError(msg)


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
    record = _record(root)
    return record.dataset if record else ""


def _record(root: Path) -> Record | None:
    try:
        record = read_record(root)
    except UsageError:
        return None
    return record if record and isinstance(record.dataset, str) else None


def _hashes(record: Record) -> Mapping[str, Any]:
    found = record.document.get("shared_sha256")  # older records have none
    return found if isinstance(found, dict) else {}


def _texts_of_ours(root: Path) -> set[str]:
    """Return the hashes of what we wrote of a known dataset."""
    record = _record(root)
    is_known = record is not None and record.dataset in datasets.names()
    return {*map(str, _hashes(record).values())} if record and is_known else set()


def _is_edited(root: Path, record: Record) -> bool:
    """Say whether the description is known not to be as it was written."""
    try:
        content = (root / _DESCRIPTION).read_bytes()
    except OSError:
        return True
    recorded = _hashes(record).get(_DESCRIPTION)
    return recorded not in {None, hashlib.sha256(content).hexdigest()}


def _doubt(root: Path, description: Mapping[str, Any]) -> str:
    """Say why what a tree of no known dataset states of its licence does not count, if so."""
    record = _record(root)
    if record is not None and (_is_edited(root, record) or _DESCRIPTION not in _hashes(record)):
        return stated.EDITED
    return stated.DERIVED if _is_derived(root, description) else ""


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
