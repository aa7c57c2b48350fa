"""A source that is an archive: zip, tar or tar.gz, read without unpacking it."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from ..errors import SourceError, UsageError

_T = TypeVar("_T")
_DRIVE = re.compile("[A-Za-z]:")

#: Deflate cannot shrink data further than this (zlib documentation, "maximum compression factor").
MAX_DEFLATE_RATIO = 1032

BLOCK = 1 << 20  # bytes that are read at once where no job needs the whole
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    OSError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class _Archive:
    root: Path

    @property
    def sizes(self) -> Mapping[str, int]:
        """Files of the archive; see :class:`Source`."""
        raise NotImplementedError

    def size(self, path: str) -> int | None:
        """Return the size of a file; see :class:`Source`."""
        return self.sizes.get(path)

    def changed(self, path: str) -> float:
        """Return when the archive was changed; see :class:`Source`."""
        del path
        return max(self.root.stat().st_ctime, self.root.lstat().st_ctime)  # perhaps a link

    def place(self, path: str) -> None:
        """Return no place on disk; see :class:`Source`."""


@dataclass(frozen=True)
class ZipArchive(_Archive):
    """A zip file, read at random."""

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Files of the archive; see :class:`Source`."""
        return {path: info.file_size for path, info in self._members.items()}

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file; see :class:`Source`."""
        info = self._checked(path)
        try:
            with self._zip.open(info) as stream:
                while block := stream.read(BLOCK):
                    yield block
        except _DAMAGED as error:
            msg = f"{path}: damaged in {self.root.name}: {error}; download the archive again"
            raise SourceError(msg) from error

    def read(self, path: str) -> bytes:
        """Return the content of a file; see :class:`Source`."""
        return b"".join(self.blocks(path))

    def _checked(self, path: str) -> zipfile.ZipInfo:
        info = self._members[path]
        if info.flag_bits & 1:
            msg = f"{path}: encrypted; unpack {self.root.name} with its password first (7z x)"
            raise SourceError(msg)
        if info.file_size > (info.compress_size + 1) * MAX_DEFLATE_RATIO:
            msg = f"{path}: claims {info.file_size} bytes, more than its packed size can hold"
            raise SourceError(msg)
        return info

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.root)
        except _DAMAGED as error:
            msg = f"{self.root}: not a readable zip archive: {error}; download it again"
            raise UsageError(msg) from error

    @cached_property
    def _members(self) -> Mapping[str, zipfile.ZipInfo]:
        files = ((info.filename, info) for info in self._zip.infolist() if not info.is_dir())
        return _members(files, self.root)

    def __getstate__(self) -> dict[str, object]:
        """Leave open files behind: each process opens its own."""
        return {"root": self.root}


@dataclass(frozen=True)
class _Extent:
    start: int
    size: int
    is_file: bool


@dataclass(frozen=True)
class TarArchive(_Archive):
    """A tar file, plain or gzipped. One pass finds the members, then they are read at random.

    In a gzipped archive the pass also leaves an index of seek points in memory (the package
    indexed_gzip), which goes to the worker processes.
    """

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Files of the archive; see :class:`Source`."""
        return {path: extent.size for path, extent in self._members.items()}

    def blocks(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file; see :class:`Source`."""
        extent = self._checked(path)
        for start in range(0, extent.size, BLOCK):
            yield self._read(path, extent.start + start, min(BLOCK, extent.size - start))

    def read(self, path: str) -> bytes:
        """Return the content of a file; see :class:`Source`."""
        extent = self._checked(path)
        return self._read(path, extent.start, extent.size)

    def _checked(self, path: str) -> _Extent:
        extent = self._members[path]
        if not extent.is_file:
            msg = f"{path}: a link or device in {self.root.name}; put the file itself there"
            raise SourceError(msg)
        return extent

    def _read(self, path: str, start: int, size: int) -> bytes:
        try:
            with self._opened() as stream:
                stream.seek(start)
                content = stream.read(size)
        except (OSError, EOFError) as error:
            msg = f"{path}: damaged in {self.root.name}: {error}; download the archive again"
            raise SourceError(msg) from error
        if len(content) != size:
            msg = f"{path}: cut off in {self.root.name}; download the archive again"
            raise SourceError(msg)
        return content

    @cached_property
    def _is_packed(self) -> bool:
        with self.root.open("rb") as stream:
            return stream.read(2) == b"\x1f\x8b"

    @cached_property
    def _packed(self) -> IO[bytes]:
        from indexed_gzip import IndexedGzipFile  # noqa: PLC0415  only for .tar.gz

        stream: IO[bytes] = IndexedGzipFile(str(self.root), spacing=4 << 20)
        return stream

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Open the tar. The index of a packed one stays, and goes to worker processes."""
        if self._is_packed:
            yield self._packed
        else:
            with self.root.open("rb") as stream:
                yield stream

    @cached_property
    def _members(self) -> Mapping[str, _Extent]:
        try:
            with (
                self._opened() as stream,
                tarfile.open(fileobj=stream, mode="r:", errors="backslashreplace") as archive,
            ):
                found = _members(_extents(archive), self.root)
                stream.seek(archive.offset)
                whole = _is_end(stream)
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            msg = f"{self.root}: not a readable tar archive: {error}; download it again"
            raise UsageError(msg) from error
        if not whole:
            msg = f"{self.root}: damaged or cut off behind {len(found)} files; download it again"
            raise UsageError(msg)
        return found


def _is_end(stream: IO[bytes]) -> bool:
    """Say whether a tar ends here: zeros, and nothing else, up to the end of the file."""
    length = 0
    while block := stream.read(BLOCK):
        length += len(block)
        if block.strip(b"\0"):
            return False
    return length >= tarfile.BLOCKSIZE


def _extents(archive: tarfile.TarFile) -> Iterator[tuple[str, _Extent]]:
    known: dict[str, _Extent] = {}
    for info in archive:
        if info.isdir():
            continue
        if info.islnk() and info.linkname in known:  # a hard link: the content came before
            extent = known[info.linkname]
        else:
            plain = info.isreg() and not info.issparse()
            extent = _Extent(info.offset_data, info.size, plain)
        known[info.name] = extent
        yield info.name, extent


def _members(files: Iterable[tuple[str, _T]], root: Path) -> Mapping[str, _T]:
    """Index the files of an archive, refusing names that leave it or that occur twice."""
    found: dict[str, _T] = {}
    for name, member in files:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
            msg = f"{root}: holds the path {name!r}, which leaves the archive; not opened"
            raise UsageError(msg)
        if str(path) in found:
            msg = f"{root}: holds {name!r} twice; unpack it to see which one is meant"
            raise UsageError(msg)
        found[str(path)] = member
    return dict(sorted(found.items()))
