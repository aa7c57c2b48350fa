"""Mutations of which sidecars a file inherits from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from mutating.layout import a_subject
from mutating.tree import Change, Mutation, Name, Tree, content, documents, dump


def mutations() -> Iterator[Mutation]:
    """Yield all changes of inheritance."""
    for name, inherit in INHERITED.items():
        yield Mutation(f"inherit-{name}", inherit, 4)


def _sidecar(tree: Tree, random: Random) -> tuple[Name, dict[str, object]] | None:
    found = [
        (Name.of(path), document)
        for path, document in documents(tree)
        if path.startswith(("sub-", "tpl-"))
        and document
        and len(Name.of(path).entities) > 1
        and "coordsystem" not in path
    ]
    return random.choice(found) if found else None


def _other(value: object) -> object:
    """Return another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case list():
            return value[:-1]
    return {}


def _at_root(tree: Tree, random: Random, *, override: bool, subject: bool = False) -> str | None:
    match _sidecar(tree, random):
        case (name, document):
            entities = (
                name.entities[-1:] if not name.entities[-1].startswith(("sub-", "ses-")) else ()
            )
            folder = name.folder.split("/")[0] if subject else ""
            entities = name.entities[:1] if subject else entities
            above = Name(folder, entities, name.suffix, ".json").path
            if above in tree:
                return None
            keys = list(document)[: 3 if override else None]
            tree[above] = dump(
                {key: _other(document[key]) if override else document[key] for key in keys}
            )
            if not override:
                del tree[name.path]
            return f"{above} {'added' if override else f'instead of {name.path}'}"
    return None


def _two(tree: Tree, random: Random) -> str | None:
    """Give one file two sidecars in the root that both fit."""
    match _sidecar(tree, random):
        case (name, document):
            entities = [one for one in name.entities if not one.startswith(("sub-", "ses-"))]
            first = Name("", tuple(entities[:1]), name.suffix, ".json").path
            second = Name("", tuple(entities[1:2]), name.suffix, ".json").path
            key, value = next(iter(document.items()))
            tree[first], tree[second] = dump({key: value}), dump({key: _other(value)})
            return f"{first} and {second}"
    return None


def _two_beside(tree: Tree, random: Random) -> str | None:
    """Put a second, more general sidecar into the folder of the first."""
    match _sidecar(tree, random):
        case (name, document):
            beside = Name(name.folder, name.entities[:1], name.suffix, ".json").path
            tree[beside] = dump({key: _other(value) for key, value in list(document.items())[:2]})
            return beside
    return None


def _moved_below(tree: Tree, random: Random) -> str | None:
    """Move a file of the root that others inherit into one subject."""
    inherited = [
        p for p in tree if "/" not in p and p.endswith((".json", ".tsv", ".bval")) and "_" in p
    ]
    inherited = [path for path in inherited if path != "dataset_description.json"]
    if not inherited:
        return None
    path, subject = random.choice(sorted(inherited)), a_subject(tree, random)
    tree[f"{subject}/{subject}_{path}"] = tree.pop(path)
    return f"{path} -> {subject}/{subject}_{path}"


def _invalid_at_root(tree: Tree, random: Random) -> str | None:
    match _sidecar(tree, random):
        case (name, _):
            above = f"{name.suffix}.json"
            if above in tree:
                return None
            tree[above] = content(tree, name.path)[:-3]
            return f"{above} broken"
    return None


INHERITED: dict[str, Change] = {
    "root-override": partial(_at_root, override=True),
    "root-instead": partial(_at_root, override=False),
    "subject-override": partial(_at_root, override=True, subject=True),
    "subject-instead": partial(_at_root, override=False, subject=True),
    "two-at-root": _two,
    "two-beside": _two_beside,
    "moved-below": _moved_below,
    "broken-at-root": _invalid_at_root,
}
