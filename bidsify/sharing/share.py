"""Pack what may leave of a tree: a recipe, its texts, or all of it, as one BagIt folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ..errors import UsageError
from ..printable import counted, printable, some
from ..records.conversion import RECORD
from ..text_files import to_tsv
from . import crate, croissant, inside, pages, recipe, recorded, terms, texts, validation
from .archive import write_shards
from .bag import Bag, open_bag
from .contents import contents, manifest, paths_of, require_sound
from .documents import to_bytes
from .leaks import scan
from .origin import rebased
from .overlay import overlaid
from .pages import Permission
from .recipe import MANIFEST, RECIPE, Recipe
from .terms import Verdict
from .upload import Parcel, instructions

Tier = Literal["recipe", "metadata", "full"]
TIERS: tuple[Tier, ...] = ("recipe", "metadata", "full")
SHARD_SIZE = 10_000_000_000  # bytes
_DEEP = 4  # parts of a path that is searched for in what leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user can ask of a bag."""

    tier: Tier = "recipe"
    route: str = ""
    permission: Permission | None = None
    shard_size: int = SHARD_SIZE
    citation: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Shared:
    """What was packed. ``digest`` is empty where there is no recipe; ``notes`` are for people."""

    root: Path
    tier: Tier
    files: int
    size: int
    digest: str
    shards: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Load:
    """What goes into the bag: paths of the tree, and those of them in another form."""

    title: str
    paths: tuple[str, ...]
    changed: Mapping[str, bytes]
    recipe: Recipe | None
    found: dict[str, object]
    left: tuple[str, ...]

    @property
    def differing(self) -> tuple[str, ...]:
        """Return the paths of files that leave in another form than the recipe makes them."""
        if self.recipe is None or not self.paths:
            return ()
        made = {each.path: each.content_sha256 for each in self.recipe.targets}
        return tuple(
            sorted(
                path
                for path, content in self.changed.items()
                if path != RECORD and made.get(path) != hashlib.sha256(content).hexdigest()
            )
        )

    @property
    def packed(self) -> tuple[str, ...]:
        """Return the paths of all files of the tree that are packed."""
        return tuple(sorted({*self.paths, *self.changed})) if self.paths else ()


def share(root: Path, dest: Path, options: Options) -> Shared:
    """Pack a tree into ``dest``, a new or empty folder; the same tree gives the same bytes.

    Raises:
        TermsError: All of it is asked for, and the terms do not allow that.
        UsageError: A recipe is asked for that nobody could follow, or something would leak.
        SourceError: A file of the tree cannot be read.
    """
    _require_apart(root, dest)
    described = texts.description(root)
    inner = inside.datasets_in(paths_of(root))
    verdict = inside.with_inner(root, terms.of_tree(root, options.route), inner)
    if options.tier == "full" and options.permission is None:
        verdict.require_copies(root)
        for folder in ("", *inner):
            terms.require_unedited(root / folder)
            recorded.require_known(root / folder)
    notes: list[str] = []
    load = _load(root, described, verdict, options, notes)
    with open_bag(dest) as bag:
        shards = _fill(bag, root, load, options)
        _describe(bag, load, verdict, options, shards)
        _require_tight(bag, (root, dest))
        sizes = [entry.size for entry in bag.files.values()]
    digest = load.recipe.digest if load.recipe else ""
    return Shared(dest, options.tier, len(sizes), sum(sizes), digest, shards, tuple(notes))


def _require_apart(root: Path, dest: Path) -> None:
    inside, outside = dest.resolve(), root.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        msg = f"{dest}: the tree and the folder to write lie in one another; choose another folder"
        raise UsageError(msg)


def _load(
    root: Path,
    described: Mapping[str, object],
    verdict: Verdict,
    options: Options,
    notes: list[str],
) -> _Load:
    """Collect what leaves; ``notes`` get what a user should know."""
    found = validation.summary(root, options.workers)
    if errors := found["errors"]:
        said = counted(int(errors), "error")
        notes.append(f"the validation found {said} in the tree; see 'bidsify validate'")
    made: Recipe | None = None
    try:
        made = _recipe(root, verdict, found, options, notes)
    except UsageError as error:
        if options.tier == "recipe":
            raise
        notes.append(f"without a recipe: {error}")
    is_restricted = not verdict.allows_copies and options.permission is None
    paths = every = () if options.tier == "recipe" else tuple(paths_of(root))
    left = tuple(inside.left_out(root)) if every else ()
    if left:
        notes.append(f"left out, as no part of the dataset itself: {some(left)}")
    if options.tier == "metadata":
        ours = recorded.written_by_us(root) if is_restricted else ()
        paths = tuple(texts.texts(every, is_restricted=is_restricted, written=ours))
        if is_restricted:
            notes.append("what describes single subjects stays behind, as the terms ask for")
    for path in paths:
        require_sound(root, path)
    changed = texts.changed(
        root, every, paths, citation=options.citation, is_restricted=is_restricted
    )
    title = made.document["title"] if made else printable(str(described.get("Name") or "dataset"))
    return _Load(title, paths, changed, made, found, left)


def _recipe(
    root: Path, verdict: Verdict, found: object, options: Options, notes: list[str]
) -> Recipe:
    record = recorded.require_record(root)
    same = recorded.require_same(root, record, options.workers)
    known = {each.path for each in same} | {RECORD}
    if more := [path for path in paths_of(root) if path not in known]:
        notes.append(f"the recipe does not make what was added to the tree: {some(more)}")
    if failed := recipe.failed(record):
        said = f"{counted(len(failed), 'file')} of the source: {some(failed)}"
        notes.append(f"the conversion failed on {said}; the tree is without what they hold")
    return recipe.make(root, record, [*rebased(root, same, record.base)], verdict, found)


def _fill(bag: Bag, root: Path, load: _Load, options: Options) -> tuple[str, ...]:
    """Put the files of the tree into the bag, and the manifest; return the archives."""
    if load.recipe:
        bag.add(RECIPE, to_bytes(load.recipe.document))
        bag.add(MANIFEST, load.recipe.manifest)
        if splits := load.recipe.document["splits"]:
            rows = [[who, part] for who, part in sorted(splits.items())]
            bag.add(croissant.SPLITS, to_tsv(("participant_id", "split"), rows))
        for path, table in load.recipe.document["label_tables"].items():
            rows = [[*row.values()] for row in table]
            bag.add(f"labels/{path}", to_tsv([*table[0]] if table else [], rows))
    paths = load.packed
    with overlaid(root, load.changed) as place:
        if load.paths and not load.recipe:
            bag.add(MANIFEST, manifest(contents(place, paths, options.workers)))
        if options.tier == "full":
            return tuple(write_shards(place, paths, bag, options.shard_size))
        for path in paths:
            bag.add(f"tree/{path}", load.changed.get(path) or place / path)
    return ()


def _describe(
    bag: Bag, load: _Load, verdict: Verdict, options: Options, shards: tuple[str, ...]
) -> None:
    """Write what machines and people read about the bag."""
    bag.add("validation.json", to_bytes(load.found))
    if options.permission:
        bag.add("permission.json", to_bytes(asdict(options.permission)))
        bag.add_tag("PERMISSIONS.md", pages.permissions(options.permission, verdict))
    strictest = verdict.strictest
    described = croissant.document(load.title, strictest, load.recipe, bag.files)
    bag.add(croissant.CROISSANT, to_bytes(described))
    files = None if options.tier == "recipe" else bag.files
    bag.add(crate.CRATE, to_bytes(crate.document(load.title, strictest, load.recipe, files)))
    parcel = Parcel(
        title=load.title,
        tier=options.tier,
        licence=strictest.licence,
        is_public_domain=verdict.is_public_domain,
        shards=shards,
        by_permission=options.permission is not None,
    )
    bag.add_tag("TERMS.md", pages.terms(verdict, by_permission=options.permission is not None))
    differing = load.differing
    page = pages.Page(load.title, options.tier, load.recipe, shards, load.left, differing)
    bag.add_tag("HOWTO.md", pages.howto(page))
    bag.add_tag("UPLOAD.md", instructions(parcel))
    if texts.CITATION in load.changed:
        bag.add_tag(texts.CITATION, load.changed[texts.CITATION])


def _require_tight(bag: Bag, places: Sequence[Path]) -> None:
    """Look through the whole bag before anybody else can.

    Raises:
        UsageError: Something is in it that must not leave.
    """
    allowed = any(path.endswith(".tar") for path in bag.files)
    full = [str(place.resolve()) for place in places]
    names = [name for name in full if len(Path(name).parts) >= _DEEP]
    if found := scan(bag.folder, voxels_allowed=allowed, names=names):
        said = [f"{leak.path} ({leak.what})" for leak in found]
        msg = (
            f"not shared, as this would leave with it: {some(said)}; see 'bidsify deid-check' and "
            "its --fix, or remove it from the tree"
        )
        raise UsageError(msg)
