"""Mutations of file and folder names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from random import Random

from mutating.tree import Mutation, Name, Tree, content, named, shuffled

Rename = Callable[[Name, Random], "Name | None"]
SUFFIXES = ("T1w", "bold", "eeg", "xyz", "dseg", "events", "T2starw", "meg", "label", "mask")
EXTENSIONS = (".nii", ".nii.gz", ".txt", ".json", ".tsv", ".NII.GZ", ".nii.gz.bak", "", ".csv")
DATATYPES = ("anat", "func", "dwi", "perf", "pet", "ct", "eeg", "beh", "fmap", "mrs", "figures")
LABELS = ("a_b", "a-b", "a b", "a.b", "ä", "", "+", "1+2", "#1", "01x", "-1", "A" * 80)
FOLDERS = {
    "sub-folder-underscore": ("sub-", "_x"),
    "sub-folder-space": ("sub-", " x"),
    "sub-folder-plus": ("sub-", "+x"),
    "sub-folder-case": ("Sub-", ""),
    "sub-folder-no-dash": ("sub", ""),
}


def mutations() -> Iterator[Mutation]:
    """Yield all renames."""
    for name, rename in RENAMES.items():
        for ending in ("", ".json", ".nii.gz") if name in {"suffix", "extension"} else ("",):
            title = f"rename-{name}{ending.replace('.', '-')}"
            yield Mutation(title, partial(_rename, rename, ending), 5)
    for label in LABELS:
        safe = "".join(c if c.isascii() and c.isalnum() else "x" for c in label[:4]) or "empty"
        title = f"rename-label-{LABELS.index(label)}-{safe}"
        yield Mutation(title, partial(_rename, partial(_with_label, label), ""), 2)
    for name, (prefix, end) in FOLDERS.items():
        yield Mutation(f"rename-{name}", partial(_rename_subject, prefix, end, whole=False), 2)
        yield Mutation(f"rename-{name}-all", partial(_rename_subject, prefix, end, whole=True), 2)
    yield Mutation("copy-under-other-name", _copy, 4)
    yield Mutation("rename-session-folder", _rename_session, 3)
    yield Mutation("rename-subject-without-participant", _other_subject, 4)


def _rename(rename: Rename, ending: str, tree: Tree, random: Random) -> str | None:
    for path in shuffled(named(tree, ending), random):
        new = rename(Name.of(path), random)
        if new is not None and new.path not in tree and new.path != path:
            tree[new.path] = tree.pop(path)
            return f"{path} -> {new.path}"
    return None


def _swap(name: Name, random: Random) -> Name | None:
    if len(name.entities) < 2:
        return None
    entities = list(name.entities)
    at = random.randrange(len(entities) - 1)
    entities[at], entities[at + 1] = entities[at + 1], entities[at]
    return replace(name, entities=tuple(entities))


def _insert(part: str, name: Name, random: Random) -> Name:
    at = random.randint(1, max(1, len(name.entities)))
    return replace(name, entities=(*name.entities[:at], part, *name.entities[at:]))


def _drop(name: Name, random: Random) -> Name | None:
    if len(name.entities) < 2:
        return None
    at = random.randrange(1, len(name.entities))
    return replace(name, entities=(*name.entities[:at], *name.entities[at + 1 :]))


def _change(name: Name, random: Random, change: Callable[[str], str]) -> Name | None:
    if not name.entities:
        return None
    at = random.randrange(len(name.entities))
    part = change(name.entities[at])
    return replace(name, entities=(*name.entities[:at], part, *name.entities[at + 1 :]))


def _with_label(label: str, name: Name, random: Random) -> Name | None:
    return _change(name, random, lambda part: f"{part.split('-')[0]}-{label}")


def _datatype(name: Name, random: Random) -> Name:
    folder = name.folder.rpartition("/")[0]
    return replace(name, folder=f"{folder}/{random.choice(DATATYPES)}")


def _up(name: Name, _: Random) -> Name:
    return replace(name, folder=name.folder.rpartition("/")[0])


RENAMES: dict[str, Rename] = {
    "entity-order": _swap,
    "unknown-entity": partial(_insert, "foo-1"),
    "known-entity": lambda name, random: _insert(
        random.choice(
            ("acq-x", "run-1", "task-x", "desc-x", "space-x", "echo-1", "res-2", "dir-y")
        ),
        name,
        random,
    ),
    "run-not-number": partial(_insert, "run-one"),
    "echo-not-number": partial(_insert, "echo-a"),
    "hemi-out-of-list": partial(_insert, "hemi-X"),
    "two-dashes": lambda name, random: _change(name, random, lambda part: part.replace("-", "--")),
    "no-dash": lambda name, random: _change(name, random, lambda part: part.replace("-", "")),
    "no-label": lambda name, random: _change(name, random, lambda part: part.split("-")[0] + "-"),
    "label-only": lambda name, random: _change(name, random, lambda part: part.split("-")[-1]),
    "entity-case": lambda name, random: _change(name, random, str.capitalize),
    "entity-long-name": lambda name, random: _change(
        name, random, lambda part: part.replace("ses-", "session-").replace("sub-", "subject-")
    ),
    "duplicate-entity": lambda name, random: replace(
        name, entities=(*name.entities, random.choice(name.entities))
    ),
    "drop-entity": _drop,
    "drop-subject": lambda name, _: replace(name, entities=name.entities[1:]),
    "no-entities": lambda name, _: replace(name, entities=()),
    "wrong-subject": lambda name, _: replace(name, entities=("sub-99", *name.entities[1:])),
    "wrong-session": lambda name, _: replace(
        name,
        entities=(
            name.entities[0],
            "ses-99",
            *(part for part in name.entities[1:] if not part.startswith("ses-")),
        ),
    ),
    "suffix": lambda name, random: replace(name, suffix=random.choice(SUFFIXES)),
    "suffix-case": lambda name, _: replace(name, suffix=name.suffix.swapcase()),
    "no-suffix": lambda name, _: replace(
        name, entities=name.entities[:-1], suffix=name.entities[-1]
    ),
    "suffix-with-dash": lambda name, _: replace(name, suffix=name.suffix + "-1"),
    "double-underscore": lambda name, _: replace(name, suffix="_" + name.suffix),
    "trailing-underscore": lambda name, _: replace(name, suffix=name.suffix + "_"),
    "extension": lambda name, random: replace(name, extension=random.choice(EXTENSIONS)),
    "extension-case": lambda name, _: replace(name, extension=name.extension.upper()),
    "two-dots": lambda name, _: replace(name, extension="." + name.extension),
    "datatype": _datatype,
    "up": _up,
    "to-root": lambda name, _: replace(name, folder=""),
    "down": lambda name, _: replace(name, folder=name.folder + "/more"),
    "space-in-name": lambda name, _: replace(name, suffix=name.suffix + " copy"),
    "dotfile": lambda name, _: replace(name, entities=("." + name.entities[0], *name.entities[1:])),
    "gz-added-or-removed": lambda name, _: replace(
        name,
        extension=name.extension.removesuffix(".gz")
        if name.extension.endswith(".gz")
        else name.extension + ".gz",
    ),
}


def _rename_subject(
    prefix: str, end: str, tree: Tree, random: Random, *, whole: bool
) -> str | None:
    subjects = sorted({path.split("/")[0] for path in tree if path.startswith("sub-")})
    if not subjects:
        return None
    old = random.choice(subjects)
    new = prefix + old.removeprefix("sub-") + end
    for path in [path for path in tree if path.startswith(f"{old}/")]:
        renamed = path.replace(old, new) if whole else path.replace(old, new, 1)
        tree[renamed] = tree.pop(path)
    return f"folder {old} -> {new}" + (", names too" if whole else "")


def _other_subject(tree: Tree, random: Random) -> str | None:
    if "participants.tsv" not in tree:
        return None
    return _rename_subject("sub-", "new", tree, random, whole=True)


def _rename_session(tree: Tree, random: Random) -> str | None:
    folders = sorted({tuple(path.split("/")[:2]) for path in tree if "/ses-" in path})
    if not folders:
        return None
    old = "/".join(random.choice(folders))
    for path in [path for path in tree if path.startswith(f"{old}/")]:
        tree[f"{old}x{path.removeprefix(old)}"] = tree.pop(path)
    return f"folder {old} -> {old}x"


def _copy(tree: Tree, random: Random) -> str | None:
    """Leave both a file and its copy without the compression."""
    packed = named(tree, ".nii.gz", ".tsv.gz")
    if not packed:
        return None
    path = random.choice(packed)
    tree[path.removesuffix(".gz")] = content(tree, path)
    return f"{path} also as {path.removesuffix('.gz')}"
