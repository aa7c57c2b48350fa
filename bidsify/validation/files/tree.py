"""A dataset on disk as validation sees it: each folder is listed once, when it is first needed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .ignore import Ignore
from .names import Name, split_name

_IGNORE = ".bidsignore"
_DEEPEST = 256  # folders within folders that are looked into
_MOST = 1 << 20  # characters of a .bidsignore that are read
_ANNEX = ".git/annex/objects"  # where the links of a DataLad or git-annex clone point


class File:
    """One file. ``path`` is relative to the dataset, without a slash in front."""

    __slots__ = ("_size", "is_absent", "is_viewed", "name", "parent", "parts")

    def __init__(self, name: str, parent: Folder, *, is_absent: bool = False) -> None:
        self.name = name
        self.parts: Name = split_name(name)
        self.parent = parent
        self.is_absent = is_absent  # a link whose content was never fetched
        self.is_viewed = False  # something else of the dataset refers to it
        self._size = -1

    @property
    def path(self) -> str:
        """The path in the dataset."""
        return self.parent.path + self.name

    @property
    def location(self) -> str:
        """The path on this machine."""
        return self.parent.location + self.name

    @property
    def size(self) -> int:
        """The size in bytes; 0 for a file that has gone."""
        if self._size < 0:
            try:
                self._size = os.stat(self.location).st_size  # noqa: PTH116  100,000 files
            except OSError:
                self._size = 1 if self.is_absent else 0
        return self._size

    @size.setter
    def size(self, value: int) -> None:
        """Note the size where reading has shown it, which saves a system call."""
        self._size = value

    @property
    def is_sized(self) -> bool:
        """Say whether the size is known without asking."""
        return self._size >= 0


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link that leads nowhere; ``code`` says how."""

    path: str
    code: str
    target: str


class Folder:
    """One folder: its files, the names of its folders, and look-up by kind of file."""

    __slots__ = (
        "_classes", "_kinds", "_open", "_reach", "contents", "error", "files", "folders",
        "is_ignored", "links", "location", "name", "parent", "path",
    )  # fmt: skip

    def __init__(self, root: str, name: str = "", parent: Folder | None = None) -> None:
        self.name = name
        self.parent = parent
        self.path: str = parent.path + name + "/" if parent else ""
        self.location: str = parent.location + name + "/" if parent else root.rstrip("/") + "/"
        self.is_ignored = False
        self.files: dict[str, File] = {}
        self.folders: dict[str, None] = {}  # in order, and quick to look up
        self.links: list[BrokenLink] = []
        self.error: OSError | None = None
        self.contents: dict[str, object] = {}  # what was read from files here, by name
        self._kinds: dict[tuple[str, str], list[File]] | None = None
        self._reach: set[tuple[str, str]] | None = None
        self._classes: dict[tuple[str, str, bool], _Classes] = {}
        self._open: dict[str, Folder] = {}
        self._list()

    def child(self, name: str) -> Folder:
        """Return a folder in this one."""
        if name not in self._open:
            self._open[name] = Folder("", name, self)
        return self._open[name]

    def close(self, name: str) -> None:
        """Forget what was read of a folder in this one."""
        self._open.pop(name, None)

    def close_all(self) -> None:
        """Forget what was read of all folders in this one."""
        self._open.clear()

    @property
    def is_open(self) -> bool:
        """Say whether folders in this one were looked into and not closed."""
        return bool(self._open)

    def find(self, path: str) -> File | Folder | None:
        """Return what lies at a path relative to this folder."""
        folder = self
        *above, last = path.split("/")
        for name in above:
            if name not in folder.folders:
                return None
            folder = folder.child(name)
        return folder.files.get(last) or (folder.child(last) if last in folder.folders else None)

    def chain(self) -> Iterator[Folder]:
        """Yield this folder and all above it, nearest first."""
        folder: Folder | None = self
        while folder is not None:
            yield folder
            folder = folder.parent

    @property
    def reach(self) -> set[tuple[str, str]]:
        """Return the kinds of files, by suffix and extension, here and in all folders above."""
        if self._reach is None:
            self._reach = set(self.parent.reach) if self.parent else set()
            self._reach.update((f.parts.suffix, f.parts.extension) for f in self.files.values())
        return self._reach

    def of_kind(self, suffix: str, extension: str) -> Sequence[File]:
        """Return the files here with a suffix and an extension."""
        if self._kinds is None:
            self._kinds = {}
            for file in self.files.values():
                parts = file.parts
                self._kinds.setdefault((parts.suffix, parts.extension), []).append(file)
        return self._kinds.get((suffix, extension), ())

    def applicable(
        self, entities: Mapping[str, str], suffix: str, extension: str, extra: Sequence[str]
    ) -> list[File]:
        """Return the files of a kind whose entities are all among the given ones, or ``extra``.

        Files are looked up by which entities they have, so a folder of 100,000 is no slower.
        """
        if not (files := self.of_kind(suffix, extension)):
            return []
        if len(files) == 1:
            own = files[0].parts.entities.items()
            fits = all(entities.get(key) == label or key in extra for key, label in own)
            return [files[0]] if fits else []
        kind = (suffix, extension, bool(extra))
        if kind not in self._classes:
            self._classes[kind] = _classes(files, extra)
        found: list[File] = []
        for keys, by_labels in self._classes[kind].items():
            found += by_labels.get(tuple(map(entities.get, keys)), ())
        return found

    def _list(self) -> None:
        """Read the names in this folder; hidden ones are not part of a dataset."""
        if self.path.count("/") > _DEEPEST:
            self.error = OSError(errno.ELOOP, "folders are nested too deeply: not looked into")
            return
        try:
            with os.scandir(self.location) as entries:
                found = sorted((e for e in entries if e.name[0] != "."), key=lambda e: e.name)
        except OSError as error:
            self.error = error
            return
        for entry in found:  # pipes and devices are passed over, as officially
            if entry.is_symlink():
                self._follow(entry)
            elif entry.is_file(follow_symlinks=False):
                self.files[entry.name] = File(entry.name, self)
            elif entry.is_dir(follow_symlinks=False):
                self.folders[entry.name] = None

    def _follow(self, entry: os.DirEntry[str]) -> None:
        target = ""
        try:
            target = os.readlink(entry.path)  # noqa: PTH115  a path may hold any bytes
            mode = os.stat(entry.path).st_mode  # noqa: PTH116
        except OSError as error:
            if _ANNEX in target and error.errno == errno.ENOENT:
                self.files[entry.name] = File(entry.name, self, is_absent=True)
                return
            code = "SYMLINK_CYCLE" if error.errno == errno.ELOOP else "SYMLINK_BROKEN"
            self.links.append(BrokenLink(self.path + entry.name, code, target))
            return
        if stat.S_ISREG(mode):
            self.files[entry.name] = File(entry.name, self)
        elif stat.S_ISDIR(mode) and self._lies_in(os.path.realpath(entry.path) + "/"):
            self.links.append(BrokenLink(self.path + entry.name, "SYMLINK_CYCLE", target))
        elif stat.S_ISDIR(mode):
            self.folders[entry.name] = None

    def _lies_in(self, real: str) -> bool:
        """Say whether the way to this folder leads through another one, by links or not."""
        return any((os.path.realpath(f.location) + "/").startswith(real) for f in self.chain())


_Classes = dict[tuple[str, ...], dict[tuple[str | None, ...], list[File]]]


def _classes(files: Sequence[File], extra: Sequence[str]) -> _Classes:
    """Sort files by the entities that they have, then by the labels of these."""
    found: _Classes = {}
    for file in files:
        entities = file.parts.entities
        keys = tuple(key for key in entities if key not in extra)
        labels = tuple(entities[key] for key in keys)
        found.setdefault(keys, {}).setdefault(labels, []).append(file)
    return found


def open_tree(root: str) -> tuple[Folder, Ignore]:
    """Return the root folder, and what its ``.bidsignore`` leaves out."""
    folder = Folder(root)
    path = Path(folder.location) / _IGNORE
    if path.is_symlink() and not path.exists():  # the one hidden file that counts
        folder.links.append(BrokenLink(_IGNORE, "SYMLINK_BROKEN", os.readlink(path)))  # noqa: PTH115
    return folder, Ignore(_lines_of(path))


def _lines_of(path: Path) -> list[str]:
    try:
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            text = file.read(_MOST)
    except OSError:
        return []
    # Of a text in another encoding no line counts, as officially.
    return [] if text.startswith("\ufffd") else text.split("\n")
