"""Mutations made for single rules of the schema: keys of sidecars with bad or clashing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from random import Random

from mutating.documents import GONE
from mutating.images import nifti, pack
from mutating.sayings import ADDED, DEFINED, SET
from mutating.tree import Mutation, Name, Tree, documents, dump, named


def mutations() -> Iterator[Mutation]:
    """Yield all edits made for single rules."""
    for number, (suffix, edits) in enumerate(SET):
        title = f"rule-{number:03}-{suffix}-{'-'.join(edits)}"
        yield Mutation(title, partial(_set, suffix, edits), 1)
    for number, (where, shape, said) in enumerate(ADDED):
        title = f"added-{number:02}-{Name.of(where).suffix}"
        yield Mutation(title, partial(_add, where, shape, said), 2)
    yield Mutation("added-epi-gradients", _add_gradients, 2)
    for number, (suffix, column, value) in enumerate(DEFINED):
        title = f"define-{number:02}-{suffix}-{column}"
        yield Mutation(title, partial(_define, suffix, column, value), 2)


def _set(suffix: str, edits: Mapping[str, object], tree: Tree, random: Random) -> str | None:
    """Change a sidecar; where a data file has none, a new one is put beside it."""
    found = [one for one in documents(tree) if Name.of(one[0]).suffix == suffix]
    if found:
        path, document = random.choice(found)
    else:
        data = [Name.of(path) for path in named(tree) if Name.of(path).suffix == suffix]
        if not data:
            return None
        one = random.choice(data)
        path, document = Name(one.folder, one.entities, suffix, ".json").path, {}
    changed = {**document, **edits}
    tree[path] = dump({key: value for key, value in changed.items() if value != GONE})
    return f"{path}: {edits}"


def _add(
    where: str, shape: tuple[int, ...], said: dict[str, object], tree: Tree, random: Random
) -> str | None:
    subjects = sorted({path.split("/")[0] for path in tree if path.startswith("sub-")})
    if not subjects:
        return None
    subject = random.choice(subjects)
    path = f"{subject}/{where.format(subject)}"
    tree[path] = pack(nifti(shape))
    if said:
        tree[path.removesuffix(".nii.gz") + ".json"] = dump(said)
    return f"{path} added, {said}"


def _add_gradients(tree: Tree, random: Random) -> str | None:
    """Give a field map directions and weights, none of them small."""
    paths = [path for path in named(tree, "_epi.nii.gz") if "/fmap/" in path]
    if not paths:
        return None
    start = random.choice(paths).removesuffix(".nii.gz")
    tree[f"{start}.bval"] = b"1000 1000 1000\n"
    tree[f"{start}.bvec"] = b"1 0 0\n0 1 0\n0 0 1\n"
    return f"{start}.bval, .bvec"


def _define(suffix: str, column: str, value: object, tree: Tree, random: Random) -> str | None:
    """Describe a column of a table in the sidecar of the table."""
    tables = sorted(
        path for path in tree if path.endswith(".tsv") and Name.of(path).suffix == suffix
    )
    if not tables:
        return None
    known = [one for one in documents(tree) if Name.of(one[0]).suffix == suffix]
    path, document = known[0] if known else (random.choice(tables)[:-4] + ".json", {})
    tree[path] = dump({**document, column: value})
    return f"{path}: {column} = {value}"
