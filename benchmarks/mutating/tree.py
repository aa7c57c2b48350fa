"""A small dataset in memory: a dictionary from path to bytes, which mutations edit in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link; the target is as written into the link."""

    target: str


Tree = dict[str, "bytes | Link"]
Change = Callable[[Tree, Random], "str | None"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break a tree.

    `change` edits the tree and says what it did; None when the tree has nothing of the kind.
    `times` is how many base datasets it is tried on.
    """

    name: str
    change: Change
    times: int = 2


@dataclass(frozen=True, slots=True)
class Name:
    """A BIDS file name in parts."""

    folder: str
    entities: tuple[str, ...]
    suffix: str
    extension: str

    @classmethod
    def of(cls, path: str) -> Name:
        """Split a path."""
        folder, _, name = path.rpartition("/")
        stem, dot, extension = name.partition(".")
        *entities, suffix = stem.split("_")
        return cls(folder, tuple(entities), suffix, dot + extension)

    @property
    def path(self) -> str:
        """Put the parts together."""
        name = "_".join((*self.entities, self.suffix)) + self.extension
        return f"{self.folder}/{name}" if self.folder else name


def read(root: Path) -> dict[str, bytes]:
    """Read a folder; links are read as what they point at."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(files)}


def write(tree: Tree, root: Path) -> None:
    """Write a tree into a new folder; a path that ends in / is an empty folder."""
    root.mkdir(parents=True)
    for path, content in tree.items():
        target = root / path
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            target.symlink_to(content.target)
        else:
            target.write_bytes(content)


def named(tree: Tree, *endings: str) -> list[str]:
    """Return the files inside subject or template folders whose names end so.

    What lies inside a folder that stands for a file (.ds, .zarr) is left out.
    """
    return [
        path
        for path in tree
        if path.startswith(("sub-", "tpl-"))
        and path.endswith(endings or "")
        and not any("." in folder for folder in path.split("/")[:-1])
        and path.count("/")
    ]


def shuffled(paths: list[str], random: Random) -> list[str]:
    """Return the paths in a random order."""
    return random.sample(paths, len(paths))


def documents(tree: Tree, ending: str = ".json") -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the JSON objects whose path ends so."""
    for path, content in tree.items():
        if path.endswith(ending) and path.endswith(".json") and isinstance(content, bytes):
            try:
                document = json.loads(content)
            except ValueError:
                continue
            if isinstance(document, dict):
                yield path, document


def dump(document: object) -> bytes:
    """Return JSON as people write it."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def content(tree: Tree, path: str) -> bytes:
    """Return the bytes of a file."""
    data = tree[path]
    if isinstance(data, Link):
        message = f"{path}: a link, not a file"
        raise TypeError(message)
    return data
