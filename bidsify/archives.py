"""A source that is an archive: zip, tar or tar.gz, read without unpacking it."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from .errors import SourceError, UsageError

_T = TypeVar("_T")
_DRIVE = re.compile("[A-Za-z]:")

#: Deflate cannot shrink data further than this (zlib documentation, "maximum compression factor").
MAX_DEFLATE_RATIO = 1032


@dataclass(frozen=True)
class ZipArchive:
    """A zip file, read at random."""

    root: Path

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Files of the archive; see :class:`Source`."""
        return {path: info.file_size for path, info in self._members.items()}

    def read(self, path: str) -> bytes:
        """Return the content of a file; see :class:`Source`."""
        info = self._members[path]
        if info.flag_bits & 1:
            msg = f"{path}: encrypted; unpack {self.root.name} with its password first (7z x)"
            raise SourceError(msg)
        if info.file_size > (info.compress_size + 1) * MAX_DEFLATE_RATIO:
            msg = f"{path}: claims {info.file_size} bytes, more than its packed size can hold"
            raise SourceError(msg)
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
            msg = f"{path}: damaged in {self.root.name}: {error}; download the archive again"
            raise SourceError(msg) from error

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.root)
        except (zipfile.BadZipFile, OSError) as error:
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
class TarArchive:
    """A tar file, plain or gzipped. One pass finds the members, then they are read at random.

    In a gzipped archive the pass also leaves an index of seek points in memory (the package
    indexed_gzip), which goes to the worker processes.
    """

    root: Path

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Files of the archive; see :class:`Source`."""
        return {path: extent.size for path, extent in self._members.items()}

    def read(self, path: str) -> bytes:
        """Return the content of a file; see :class:`Source`."""
        extent = self._members[path]
        if not extent.is_file:
            msg = f"{path}: a link or device in {self.root.name}; put the file itself there"
            raise SourceError(msg)
        try:
            self._stream.seek(extent.start)
            content = self._stream.read(extent.size)
        except (OSError, EOFError) as error:
            msg = f"{path}: damaged in {self.root.name}: {error}; download the archive again"
            raise SourceError(msg) from error
        if len(content) != extent.size:
            msg = f"{path}: cut off in {self.root.name}; download the archive again"
            raise SourceError(msg)
        return content

    @cached_property
    def _stream(self) -> IO[bytes]:
        with self.root.open("rb") as stream:
            if stream.read(2) != b"\x1f\x8b":
                return self.root.open("rb")
        from indexed_gzip import IndexedGzipFile  # noqa: PLC0415  only for .tar.gz

        packed: IO[bytes] = IndexedGzipFile(str(self.root), spacing=4 << 20)
        return packed

    def __getstate__(self) -> dict[str, object]:
        """Leave an open file behind; the object of indexed_gzip carries its index along."""
        plain = "_stream" in self.__dict__ and isinstance(self._stream, BufferedReader)
        return {k: v for k, v in self.__dict__.items() if not (plain and k == "_stream")}

    @cached_property
    def _members(self) -> Mapping[str, _Extent]:
        self._stream.seek(0)
        try:
            with tarfile.open(
                fileobj=self._stream, mode="r:", errors="backslashreplace"
            ) as archive:
                return _members(_extents(archive), self.root)
        except (tarfile.TarError, OSError, EOFError) as error:
            msg = f"{self.root}: not a readable tar archive: {error}; download it again"
            raise UsageError(msg) from error


def _extents(archive: tarfile.TarFile) -> Iterator[tuple[str, _Extent]]:
    for info in archive:
        if not info.isdir():
            plain = info.isreg() and not info.issparse()
            yield info.name, _Extent(info.offset_data, info.size, plain)


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
