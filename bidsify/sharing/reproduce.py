"""Prove that a tree is the one that a recipe speaks of, or say what differs and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import UsageError
from ..printable import some
from ..records.conversion import RECORD, Record, read_record
from ..version import __version__
from .contents import contents, manifest, paths_of
from .recipe import Recipe


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A file that is not as the recipe says: ``changed``, ``missing`` or ``extra``."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, in the tree and in its source; ``packed`` files hold the same all the same.

    ``digest`` is that of the tree as it was found, which is that of the recipe where nothing
    differs.
    """

    files: int
    digest: str
    tree: tuple[Difference, ...]
    source: tuple[Difference, ...]
    packed: int
    notes: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Say whether each file of the tree holds what it should, and there is no other."""
        return not self.tree


def place_of(source: Path, sizes: Mapping[str, int], recipe: Recipe) -> Path:
    """Return the folder in ``source`` from which the paths of the recipe start.

    Raises:
        UsageError: None of its files are there, under their names.
    """
    wanted = [str(each["path"]) for each in recipe.document["source"]["files"]]
    if not wanted or any(path in sizes for path in wanted):
        return source
    folders = _above(wanted, sizes)
    if len(folders) == 1 and source.is_dir():
        return source / folders.pop()
    if folders:
        where = some(sorted(folders))
        msg = f"{source}: the download is in {where} there; give that folder, unpacked"
        raise UsageError(msg)
    msg = (
        f"{source}: holds none of the {len(wanted)} files that the recipe needs, such as "
        f"{wanted[0]}; give the download as it is ({recipe.document['source']['url']})"
    )
    raise UsageError(msg)


def _above(wanted: Sequence[str], sizes: Mapping[str, int]) -> set[str]:
    """Return the folders below which some wanted file lies."""
    ends = {PurePosixPath(path).name: path for path in reversed(wanted)}
    found: set[str] = set()
    for path in sizes:
        end = ends.get(PurePosixPath(path).name)
        if end and path.endswith(f"/{end}"):
            found.add(path.removesuffix(f"/{end}"))
    return found


def compare(root: Path, recipe: Recipe, workers: int = 1) -> Comparison:
    """Compare each file of a converted tree with the recipe, and its source where they differ.

    Raises:
        SourceError: A file cannot be read.
    """
    wanted = {each.path: each for each in recipe.targets}
    present = [path for path in paths_of(root) if path != RECORD]
    there = [path for path in present if path in wanted and (root / path).is_file()]
    found = {each.path: each for each in contents(root, there, workers)}
    tree = [Difference(path, "extra") for path in present if path not in wanted]
    tree += [Difference(path, "missing") for path in wanted if path not in found]
    same = {p for p, each in found.items() if each.content_sha256 == wanted[p].content_sha256}
    tree += [Difference(path, "changed") for path in found if path not in same]
    packed = sum(found[path].sha256 != wanted[path].sha256 for path in same)
    digest = hashlib.sha256(manifest(found.values())).hexdigest()
    source: list[Difference] = []
    notes = list(_versions(recipe.document))
    if tree and (record := read_record(root)):
        source = sorted(_source(recipe.document, record))
    return Comparison(len(wanted), digest, tuple(sorted(tree)), tuple(source), packed, tuple(notes))


def _versions(document: Mapping[str, Any]) -> Iterator[str]:
    version = document["bidsify_version"]
    if version != __version__:
        yield (
            f"the recipe was made by bidsify {version}, this is {__version__}: texts that name "
            f"the version differ; pip install bidsify-datasets=={version}"
        )


def _source(document: Mapping[str, Any], record: Record) -> Iterator[Difference]:
    """Compare the files that the tree was made from; others are of no account."""
    wanted = {each["path"]: each["sha256"] for each in document["source"]["files"]}
    for path, sha256 in wanted.items():
        if path not in record.facts:
            yield Difference(path, "unreadable" if path in record.reasons else "missing")
        elif record.facts[path].sha256 != sha256:
            yield Difference(path, "changed")
    for entry in record.document["files"]:
        if entry["source"] not in wanted and entry["bucket"] in {"converted", "duplicate"}:
            yield Difference(entry["source"], "extra")
