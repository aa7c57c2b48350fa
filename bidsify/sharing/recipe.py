"""Recipes: what a tree was made from and what is in it, without anything of it.

Whoever has the same download makes the identical tree from a recipe, and proves it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from .. import datasets
from ..conversion.buckets import UNSELECTED
from ..errors import BidsifyError, UsageError
from ..labels import read_rows
from ..printable import printable
from ..records.conversion import Record
from ..stated import is_complete
from .contents import Content, manifest
from .documents import first_fault
from .intact import bag_of, require_intact
from .origin import below
from .terms import Verdict

VERSION = 1
RECIPE, MANIFEST = "recipe.json", "content-manifest.tsv"
_TABLE = re.compile(r"([a-z]+-[0-9A-Za-z]+_)*dseg\.tsv|regions\.tsv")
_USED = frozenset({"converted", "duplicate", "ignored", "failed"})
_SHARED = "made for all subjects"
_LARGEST = 1 << 28  # bytes of a recipe


@dataclass(frozen=True, slots=True)
class Recipe:
    """``recipe.json``, and what it says of each file of the tree."""

    document: Mapping[str, Any]
    targets: tuple[Content, ...]

    @property
    def manifest(self) -> bytes:
        """Return ``content-manifest.tsv``; its hash stands for the content of the whole tree."""
        return manifest(self.targets)

    @property
    def digest(self) -> str:
        """Return the hash of the manifest."""
        return hashlib.sha256(self.manifest).hexdigest()


def make(
    root: Path, record: Record, found: Sequence[Content], verdict: Verdict, validation: Any
) -> Recipe:
    """Write the recipe of a tree that is as its record says.

    Raises:
        UsageError: The tree states something that a recipe cannot hold.
    """
    dataset = datasets.load(record.dataset)
    recipe = Recipe({}, tuple(sorted(found)))
    document = {
        "recipe_version": VERSION,
        "bidsify_version": record.document["bidsify_version"],
        "dataset": record.dataset,
        "edition": record.document["edition"],
        "title": dataset.title,
        "options": {
            "label_table": None if is_complete(dataset) else _text(root / "dseg.tsv"),
            "participants": _participants(record),
        },
        "source": {
            "url": dataset.source_url,
            "doi": dataset.source_doi,
            "version": dataset.source_version,
            "files": list(_source_files(record)),
            "failed": failed(record),
        },
        "targets": list(_targets(record, recipe.targets)),
        "content_manifest_sha256": recipe.digest,
        "label_tables": {
            path: rows_of(root / path) for path in sorted(record.shared) if _TABLE.fullmatch(path)
        },
        "splits": _splits(root, record),
        "citation": dataset.citation,
        "terms": [statement.document for statement in verdict.statements],
        "validation": validation,
    }
    if fault := first_fault("recipe", document):
        msg = f"{root}: cannot be written as a recipe: {fault}"
        raise UsageError(msg)
    return Recipe(document, recipe.targets)


def read(place: Path) -> Recipe:
    """Read a recipe: a file, or the folder that ``bidsify share`` wrote.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    path = _path_of(place)
    if bag := bag_of(place):
        require_intact(bag, (RECIPE, MANIFEST, "splits.tsv", "labels/"))
    if path.stat().st_size > _LARGEST:
        msg = f"{path}: more than {_LARGEST >> 20} MiB, which is no recipe; get it again"
        raise UsageError(msg)
    try:
        document = orjson.loads(path.read_bytes())
    except ValueError as error:
        msg = f"{path}: not JSON; get the recipe again"
        raise UsageError(msg) from error
    if fault := first_fault("recipe", document):
        msg = f"{path}: not a recipe that this version reads: {fault}"
        raise UsageError(msg)
    targets = sorted(
        Content(each["path"], each["size"], each["sha256"], each["content_sha256"])
        for each in document["targets"]
    )
    twice = next((one.path for one, two in pairwise(targets) if one.path == two.path), "")
    if twice:
        msg = f"{path}: lists {printable(twice)} twice; get it again"
        raise UsageError(msg)
    if odd := [each.path for each in targets if not each.is_sound]:
        msg = f"{path}: has two hashes for the content of {printable(odd[0])}; get it again"
        raise UsageError(msg)
    recipe = Recipe(document, tuple(targets))
    if recipe.digest != document["content_manifest_sha256"]:
        msg = f"{path}: its list of files and its content_manifest_sha256 differ; get it again"
        raise UsageError(msg)
    return recipe


def _path_of(place: Path) -> Path:
    places = (place / RECIPE, place / "data" / RECIPE) if place.is_dir() else (place,)
    path = next((one for one in places if one.is_file()), None)
    if path is None:
        msg = f"{place}: no {RECIPE} there; give the folder that 'bidsify share' wrote"
        raise UsageError(msg)
    return path


def failed(record: Record) -> list[str]:
    """Return the files of the source that the conversion could not read or write."""
    entries = record.document["files"]
    paths = (str(entry["source"]) for entry in entries if entry["bucket"] == "failed")
    return sorted(name for path in paths if (name := below(record.base, path)))


def _participants(record: Record) -> list[str]:
    """Return the subjects that were selected; none where all were."""
    if UNSELECTED not in record.reasons.values():
        return []
    return sorted({target.split("/")[0].removeprefix("sub-") for target in record.receipts})


def _targets(record: Record, found: Sequence[Content]) -> Iterator[dict[str, Any]]:
    transforms = {entry["target"]: entry["transform"] for entry in record.document["written"]}
    for each in found:
        yield {**asdict(each), "transform": transforms.get(each.path, _SHARED)}


def _source_files(record: Record) -> Iterator[dict[str, Any]]:
    """Yield the files that matter, by their paths below the folders of their owner.

    What nobody knows, or lies elsewhere, may be the owner's own, and is not told.
    """
    for entry in sorted(record.document["files"], key=lambda entry: str(entry["source"])):
        is_used = entry["bucket"] in _USED and entry.get("reason") != UNSELECTED
        path = below(record.base, str(entry["source"]))
        if is_used and path and entry["sha256"]:
            yield {"path": path, "size": entry["size"], "sha256": entry["sha256"]}


def _splits(root: Path, record: Record) -> dict[str, str]:
    if "participants.tsv" not in record.shared:
        return {}
    rows = rows_of(root / "participants.tsv")
    return {row["participant_id"]: row["split"] for row in rows if "split" in row}


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return [dict(row) for row in read_rows(path)[1]]
    except BidsifyError as error:
        raise UsageError(str(error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        msg = f"{path}: the label table that was stated cannot be read; convert again"
        raise UsageError(msg) from error
