"""The record of a conversion, as evidence of what must be in its tree and what need not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...records.conversion import RECORD
from ...records.harmonisation import HARMONISED, read_harmonised
from ..dataset import DESCRIPTION, Dataset
from ..files.texts import read_json
from ..findings import finding
from ..issue import Located
from .contents import faults_of

_PROGRAM = "bidsify"
_COUNTED = "SUBJECT_COUNT"  # the remark that the source has fewer subjects than the publication


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the record says of one file of a subject; ``source`` is the first that it is made of."""

    size: int
    is_omitted: bool
    source: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the record says. ``written`` is by subject and path, ``failed`` are source files.

    ``harmonised`` are second segmentations that ``bidsify labels`` added, with a record of
    their own. ``is_partial`` says that fewer subjects than the publication has are explained.
    """

    dataset: str
    edition: str
    written: Mapping[str, Mapping[str, Receipt]]
    shared: frozenset[str]
    failed: tuple[str, ...]
    is_partial: bool
    harmonised: frozenset[str] = frozenset()


def read_evidence(dataset: Dataset) -> tuple[Evidence | None, list[Located]]:
    """Read the record; without one, or with a broken one, there is no evidence."""
    folder, _, name = RECORD.removeprefix("code/").rpartition("/")
    file = dataset.root.child("code").child(folder).files.get(name)
    dataset.root.close("code")
    if file is None:
        return None, list(_missing(dataset))
    if file.is_absent:
        return None, []
    document = read_json(file)
    if document.fault:
        return None, [(RECORD, finding("PROFILE_RECORD", document.fault.message))]
    found = [(RECORD, each) for each in faults_of("conversion", document.value, "PROFILE_RECORD")]
    if found or document.value is None:
        return None, found
    found = list(_sums(document.value))
    try:
        added = frozenset(read_harmonised(Path(dataset.root.location)))
    except UsageError as error:
        added = frozenset()
        found.append((HARMONISED, finding("PROFILE_RECORD", str(error))))
    return replace(_evidence(document.value), harmonised=added), found


def _missing(dataset: Dataset) -> Iterator[Located]:
    """Miss the record where the dataset says first of all that this program made it."""
    made = dataset.description.get("GeneratedBy")
    first = made[0] if isinstance(made, list) and made else None
    if isinstance(first, dict) and first.get("Name") == _PROGRAM:
        message = f"{_PROGRAM} made this dataset, but {RECORD} is not there"
        yield DESCRIPTION, finding("PROFILE_RECORD", message, "GeneratedBy", severity="warning")


def _evidence(document: Mapping[str, Any]) -> Evidence:
    written: dict[str, dict[str, Receipt]] = {}
    for entry in document["written"]:
        target = entry["target"]
        first = entry["sources"][0][0] if entry["sources"] else ""
        receipt = Receipt(entry["size"], not entry["sha256"], first)
        written.setdefault(target.split("/")[0], {})[target] = receipt
    files = document["files"]
    return Evidence(
        document["dataset"],
        document["edition"],
        written,
        frozenset(document["shared"]),
        tuple(entry["source"] for entry in files if entry["bucket"] == "failed"),
        is_partial=any(remark["code"] == _COUNTED for remark in document["remarks"])
        or any(entry["bucket"] in {"failed", "ignored"} for entry in files),
    )


def _sums(document: Mapping[str, Any]) -> Iterator[Located]:
    """Each source file is in one bucket, and the counts say so."""
    counted = Counter(entry["bucket"] for entry in document["files"])
    for bucket, stated in document["buckets"].items():
        if counted[bucket] != stated:
            message = f"it counts {stated} files as {bucket}, and lists {counted[bucket]}"
            yield RECORD, finding("PROFILE_RECORD", message, f"$.buckets.{bucket}")
