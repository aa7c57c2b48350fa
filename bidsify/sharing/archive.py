"""Plain tar archives of a tree, a few subjects in each: the same tree gives the same bytes.

They are not compressed: images are already, and so the bytes depend on no library.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..deidentification.trace import label_of
from ..errors import SourceError, UsageError
from .bag import Bag, require_writable

_BLOCK = tarfile.BLOCKSIZE
_FEW = 3  # blocks for the header of a file, with a long name


def write_shards(root: Path, paths: Sequence[str], bag: Bag, limit: int) -> list[str]:
    """Write files of ``root`` into archives of up to ``limit`` bytes; return their names.

    The files of a subject stay together where they fit into one archive; a file that is larger
    than ``limit`` is alone in its own.

    Raises:
        SourceError: A file is gone, is no file, or changes while it is read.
        UsageError: ``limit`` is not positive.
    """
    if limit < 1:
        msg = f"the size of an archive must be positive, not {limit}"
        raise UsageError(msg)
    for path in paths:
        require_writable(path)
    shards = list(_shards(root, _by_subject(paths), limit))
    width = max(3, len(str(len(shards))))
    names = [f"part-{number:0{width}}.tar" for number in range(1, len(shards) + 1)]
    for name, shard in zip(names, shards, strict=True):
        _write(root, shard, bag, name)
    return names


def _by_subject(paths: Sequence[str]) -> Iterator[list[str]]:
    """Yield the files of no subject first, then those of each; sorted by their bytes."""
    groups: dict[str, list[str]] = {}
    for path in sorted(set(paths), key=str.encode):
        groups.setdefault(label_of(path), []).append(path)
    for subject in sorted(groups, key=str.encode):
        yield groups[subject]


def _shards(root: Path, groups: Iterator[list[str]], limit: int) -> Iterator[list[str]]:
    """Fill archives one after the other; begin a new one where a subject does not fit."""
    room = limit - tarfile.RECORDSIZE  # what the end of an archive takes, at most
    shard: list[str] = []
    filled = 0
    for group in groups:
        sizes = [_size_of(root, path) for path in group]
        parts = [(group, sum(sizes))]
        if parts[0][1] > room:
            parts = [([path], size) for path, size in zip(group, sizes, strict=True)]
            if shard:  # a subject of several archives begins in one of its own
                yield shard
                shard, filled = [], 0
        for part, size in parts:
            if shard and filled + size > room:
                yield shard
                shard, filled = [], 0
            shard, filled = [*shard, *part], filled + size
    if shard:
        yield shard


def _size_of(root: Path, path: str) -> int:
    """Return the bytes that a file takes in an archive, at most."""
    try:
        size = (root / path).stat().st_size
    except OSError as error:
        raise SourceError(_unreadable(path, error)) from error
    return _FEW * _BLOCK + -(-size // _BLOCK) * _BLOCK


def _write(root: Path, paths: Sequence[str], bag: Bag, name: str) -> None:
    with (
        bag.open(name) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,  # type: ignore[call-overload]  # it only writes
    ):
        for path in paths:
            _append(archive, root, path)


def _append(archive: tarfile.TarFile, root: Path, path: str) -> None:
    try:
        source = (root / path).open("rb")
    except OSError as error:
        raise SourceError(_unreadable(path, error)) from error
    with source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            msg = f"{path}: not a file; remove it from the tree"
            raise SourceError(msg)
        entry = tarfile.TarInfo(path)  # without owner, time and rights: they differ by machine
        entry.size = status.st_size
        entry.mode = 0o644
        counted = _Counted(source)
        archive.addfile(entry, counted)  # type: ignore[arg-type]  # it only reads
        if counted.is_short or source.read(1):
            msg = f"{path}: changed while it was read; wait until nobody writes, and try again"
            raise SourceError(msg)


class _Counted:
    """A file that ends in zeros where it was cut off meanwhile; this is noticed afterwards."""

    def __init__(self, stream: object) -> None:
        self._read = stream.read  # type: ignore[attr-defined]
        self.is_short = False

    def read(self, size: int) -> bytes:
        """Return as many bytes as are asked for."""
        piece: bytes = self._read(size)
        self.is_short |= len(piece) < size
        return piece.ljust(size, b"\0")


def _unreadable(path: str, error: OSError) -> str:
    return f"{path}: {error.strerror or error}; get its content, or remove it from the tree"
