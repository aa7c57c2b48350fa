"""Prove that a tree is the one that a recipe speaks of, or say what differs and why."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..printable import printable, some
from ..records.conversion import RECORD, Record, read_record
from ..version import __version__
from . import recipe as recipes
from .contents import contents, manifest, paths_of
from .intact import bag_of
from .origin import bases_of, below, rebased, with_base
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


def bases_in(source: Path, sizes: Mapping[str, int], recipe: Recipe) -> list[str]:
    """Return the folders in ``source`` below which the paths of the recipe can be meant.

    Raises:
        UsageError: None of its files are there, under their names.
    """
    wanted = [str(each["path"]) for each in recipe.document["source"]["files"]]
    found = bases_of(wanted, sizes)
    if wanted and not found:
        msg = (
            f"{source}: holds none of the {len(wanted)} files that the recipe needs, such as "
            f"{printable(wanted[0])}; give the download as it is "
            f"({recipe.document['source']['url']})"
        )
        raise UsageError(msg)
    return found


def base_among(source: Path, bases: Sequence[str], planned: str) -> str:
    """Return the one base that is meant; of several that of the plan.

    Raises:
        UsageError: It is none of them.
    """
    if len(bases) == 1:
        return bases[0]
    if bases and planned not in bases:
        where = printable(some([base.rstrip("/") or "." for base in bases]))
        msg = f"{source}: the download is in {where} there; give that folder, unpacked"
        raise UsageError(msg)
    return planned


def require_other(out: Path, place: Path, recipe: Recipe) -> None:
    """Refuse to replace a tree that was made with other options, and to write into the bag.

    Raises:
        UsageError: ``out`` is such a place.
    """
    bag = bag_of(place)
    if bag and out.resolve().is_relative_to(bag.resolve()):
        msg = f"{out}: lies in the folder of the recipe, which it would change; choose another"
        raise UsageError(msg)
    try:
        record = read_record(out)
    except UsageError:
        return  # damaged, so all is written again
    stated = recipe.document["options"]
    if record is None or record.dataset != recipe.document["dataset"]:
        return
    table = record.document.get("shared_sha256", {}).get("dseg.tsv")
    text = stated["label_table"]
    if text is not None and table and table != hashlib.sha256(text.encode()).hexdigest():
        raise UsageError(_made_otherwise(out, "another label table"))
    people = {target.split("/")[0].removeprefix("sub-") for target in record.receipts}
    others = sorted(people - {*stated["participants"]})
    if stated["participants"] and others:
        raise UsageError(_made_otherwise(out, f"more participants ({some(others)})"))


def _made_otherwise(out: Path, what: str) -> str:
    return f"{out}: holds a tree that was made with {what}; choose another folder"


def compare(root: Path, recipe: Recipe, base: str | None = None, workers: int = 1) -> Comparison:
    """Compare each file of a converted tree with the recipe, and those that it was made from.

    ``base`` are the folders above the data of its source, of which a recipe knows nothing; by
    default those that its record tells.

    Raises:
        SourceError: A file cannot be read.
    """
    wanted = {each.path: each for each in recipe.targets}
    record = read_record(root)
    if base is None:
        base = with_base(record).base if record else ""
    present = [path for path in paths_of(root) if path != RECORD]
    there = [path for path in present if path in wanted and (root / path).is_file()]
    found = {each.path: each for each in rebased(root, contents(root, there, workers), base)}
    tree = [Difference(path, "extra") for path in present if path not in wanted]
    tree += [Difference(path, "missing") for path in wanted if path not in found]
    same = {p for p, each in found.items() if each.content_sha256 == wanted[p].content_sha256}
    tree += [Difference(path, "changed") for path in found if path not in same]
    packed = sum(found[path].sha256 != wanted[path].sha256 for path in same)
    digest = hashlib.sha256(manifest(found.values())).hexdigest()
    source: list[Difference] = []
    notes = list(_versions(recipe.document))
    tree += _labelled(root, recipe.document, same)
    if record:
        source = sorted(_source(recipe.document, replace(record, base=base)))
    return Comparison(len(wanted), digest, tuple(sorted(tree)), tuple(source), packed, tuple(notes))


def _labelled(
    root: Path, document: Mapping[str, Any], same: Collection[str]
) -> Iterator[Difference]:
    """Yield the label tables of which the recipe says something else than the tree does."""
    for path, stated in document["label_tables"].items():
        if path not in same:
            if path not in {each["path"] for each in document["targets"]}:
                yield Difference(path, "missing")
        elif recipes.rows_of(root / path) != stated:
            yield Difference(path, "labelled otherwise")


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
        place = record.base + path
        if place not in record.facts:
            yield Difference(path, "unreadable" if place in record.reasons else "missing")
        elif record.facts[place].sha256 != sha256:
            yield Difference(path, "changed")
    for entry in record.document["files"]:
        path = str(entry["source"])
        name = below(record.base, path)
        is_used = entry["bucket"] == "converted" or (name and entry["bucket"] == "duplicate")
        if is_used and (not name or name not in wanted):
            yield Difference(name or path, "extra")
