"""The source dataset: names of all files, and the bytes of one. A folder or an archive of one.

Nothing is unpacked to disk and nothing is written. No path leaves the source: a link that
points out of it is listed, and refused when it is read.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

from ..errors import SourceError, UsageError
from .archives import BLOCK, TarArchive, ZipArchive


class Source(Protocol):
    """What the engine asks of a source. Objects go to worker processes by pickle."""

    @property
    def root(self) -> Path:
        """The folder or archive."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """All files: path relative to the source, with ``/`` -> size in bytes."""

    def size(self, path: str) -> int | None:
        """Return the size of a file, None where it is not there; what a worker process asks for."""

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces; for files that no job needs in memory."""

    def changed(self, path: str) -> float:
        """Return when a file was last put or changed there: seconds, as ``st_ctime``."""

    def place(self, path: str) -> Path | None:
        """Return where the file is on disk; None where it is part of an archive."""

    def read(self, path: str) -> bytes:
        """Return the content of a file."""


def open_source(root: Path) -> Source:
    """Open a folder, a zip or a tar archive.

    Raises:
        UsageError: There is no such thing, or it is no archive that we read.
    """
    if root.is_dir():
        return Folder(root)
    if not root.is_file():
        msg = f"{root}: no such folder or archive"
        raise UsageError(msg)
    with root.open("rb") as stream:
        head = stream.read(512)
    if head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar":
        return TarArchive(root)
    if head[:2] == b"PK" or zipfile.is_zipfile(root):
        return ZipArchive(root)
    msg = f"{root}: neither a folder nor a .zip, .tar or .tar.gz archive; unpack it first"
    raise UsageError(msg)


@dataclass(frozen=True)
class Folder:
    """A folder on disk."""

    root: Path

    @property
    def sizes(self) -> Mapping[str, int]:
        """Files below the folder; see :class:`Source`."""
        return self._listing[0]

    def size(self, path: str) -> int | None:
        """Return the size of a file by the listing, or where there is none, by a look at it."""
        if "_listing" in self.__dict__:
            return self.sizes.get(path)
        try:
            return self._look(path).st_size
        except OSError:
            return None

    def __getstate__(self) -> dict[str, object]:
        """Leave the listing behind: a worker process knows the files that it is to read."""
        return {"root": self.root, "_real": self._real}

    def changed(self, path: str) -> float:
        """Return when a file was put there, or a link to it; see :class:`Source`."""
        status, full = self._look(path), f"{self.root}/{self._real.get(path, path)}"
        return max(status.st_ctime, os.lstat(full).st_ctime)

    def place(self, path: str) -> Path:
        """Return where the file itself is; see :class:`Source`."""
        return (self.root / self._real.get(path, path)).resolve()

    def read(self, path: str) -> bytes:
        """Return the content of a file; see :class:`Source`."""
        with self._opened(path) as stream:
            return stream.read()

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces; see :class:`Source`."""
        with self._opened(path) as stream:
            while block := stream.read(BLOCK):
                yield block

    @contextmanager
    def _opened(self, path: str) -> Iterator[IO[bytes]]:
        full = self.root / self._real.get(path, path)
        try:
            end = full.resolve(strict=True)
            if not end.is_relative_to(self._resolved):
                msg = f"{path}: a link that leaves the source folder; put the file itself there"
                raise SourceError(msg)
            if not end.is_file():  # a pipe would be waited for
                msg = f"{path}: not a file; remove it"
                raise SourceError(msg)
            with end.open("rb") as stream:
                yield stream
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            why = getattr(error, "strerror", None) or error
            msg = f"{path}: not readable: {why}"
            raise SourceError(msg) from error

    def _look(self, path: str) -> os.stat_result:
        return os.stat(f"{self.root}/{self._real.get(path, path)}")  # noqa: PTH116  many files

    @cached_property
    def _real(self) -> Mapping[str, str]:
        return self._listing[1]

    @cached_property
    def _listing(self) -> tuple[dict[str, int], dict[str, str]]:
        """Walk once: sizes, and names that are no UTF-8 by the form in which we list them."""
        found = sorted((_listed(path), path, size) for path, size in self._walk())
        sizes = {listed: size for listed, _, size in found}
        return sizes, {listed: path for listed, path, _ in found if listed != path}

    @cached_property
    def _resolved(self) -> Path:
        return self.root.resolve()

    def _walk(self) -> Iterator[tuple[str, int]]:
        """List all files. A link to a folder of the source is followed, each folder once."""
        folders, followed = [""], set[Path]()
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(self.root / folder))
            except OSError as error:
                msg = f"{self.root / folder}: not readable: {error.strerror}"
                raise UsageError(msg) from error
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False) or self._leads_on(entry, followed):
                    folders.append(path + "/")
                else:
                    yield path, _size(entry)

    def _leads_on(self, entry: os.DirEntry[str], followed: set[Path]) -> bool:
        """Say whether to follow a link: to a folder of the source that does not hold it."""
        try:
            if not entry.is_symlink() or not entry.is_dir():
                return False
            end, place = Path(entry.path).resolve(), Path(entry.path).parent.resolve()
        except (OSError, RuntimeError):  # links that lead in a circle
            return False
        if not end.is_relative_to(self._resolved) or place.is_relative_to(end) or end in followed:
            return False
        followed.add(end)
        return True


def _listed(path: str) -> str:
    r"""Write bytes that are no UTF-8 as ``\\xff``: such a name fits into no JSON or table."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a link to nothing: listed, and an error when it is read
        return 0
