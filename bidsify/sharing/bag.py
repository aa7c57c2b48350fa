"""A BagIt folder (RFC 8493): complete with its manifests, or not there at all.

The same files give the same bytes: no date is written.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import SourceError, UsageError
from ..version import __version__
from .staging import MARKER, remove_stale, staged

PAYLOAD = "data"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_RESERVED = frozenset({"bagit.txt", "bag-info.txt", MANIFEST, TAG_MANIFEST})
_PIECE = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What we write into no manifest: sha256sum reads it otherwise than BagIt.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff\\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """Size and SHA-256 of a file in a bag."""

    size: int
    sha256: str


class HashedFile:
    """A file that is written piece by piece and hashed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> int:
        """Append; return how many bytes."""
        self._stream.write(piece)
        self._hash.update(piece)
        self._size += len(piece)
        return len(piece)

    @property
    def entry(self) -> Entry:
        """Return what was written so far."""
        return Entry(self._size, self._hash.hexdigest())


@dataclass(frozen=True, slots=True)
class Bag:
    """A bag that is being filled; ``folder`` grows beside the place that it goes to."""

    folder: Path
    files: dict[str, Entry] = field(default_factory=dict)
    tags: dict[str, Entry] = field(default_factory=dict)

    @property
    def payload(self) -> Path:
        """Return the folder of what the bag is for."""
        return self.folder / PAYLOAD

    def add(self, path: str, content: bytes | Path) -> None:
        """Put a file into the payload; of a link, what it leads to.

        Raises:
            SourceError: Its name cannot be written in a manifest, or is taken.
        """
        with self.open(path) as stream:
            if isinstance(content, bytes):
                stream.write(content)
            else:
                with content.open("rb") as source:
                    while piece := source.read(_PIECE):
                        stream.write(piece)

    def add_tag(self, path: str, content: bytes) -> None:
        """Put a file beside the payload."""
        if path in _RESERVED or PurePosixPath(path).parts[:1] == (PAYLOAD,):
            msg = f"{path}: the bag has a use of its own for this name; choose another"
            raise SourceError(msg)
        with self._open(path, path, self.tags) as stream:
            stream.write(content)

    @contextmanager
    def open(self, path: str) -> Iterator[HashedFile]:
        """Open a file of the payload to write it piece by piece."""
        with self._open(path, f"{PAYLOAD}/{path}", self.files) as stream:
            yield stream

    @contextmanager
    def _open(self, path: str, place: str, entries: dict[str, Entry]) -> Iterator[HashedFile]:
        require_writable(path)
        target = self.folder / place
        if path in entries or target.exists():
            msg = f"{path}: there already is a file of this name in the bag"
            raise SourceError(msg)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            hashed = HashedFile(stream)
            yield hashed
            _flush(stream)
        entries[path] = hashed.entry


def require_writable(path: str) -> None:
    """Refuse a name that leads out of a folder, or that a manifest cannot hold.

    Raises:
        SourceError: It does.
    """
    parts = path.split("/")
    if _UNWRITABLE.search(path) or not {"", ".", ".."}.isdisjoint(parts):
        msg = f"{path!r}: this name cannot be written in a manifest; rename the file"
        raise SourceError(msg)


@contextmanager
def open_bag(dest: Path) -> Iterator[Bag]:
    """Fill a bag in a folder beside ``dest`` that takes its place when nothing went wrong.

    Raises:
        UsageError: ``dest`` exists and is not empty, or the disk is full.
    """
    place = _place_of(dest)
    name = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]
    staging = place.parent / f".{name}-{os.getpid()}.part"
    try:
        staging.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(place.parent.glob(f".{name}-*.part")):
            remove_stale(old)
        with staged(staging):
            (staging / PAYLOAD).mkdir()
            bag = Bag(staging)
            yield bag
            (staging / MARKER).unlink()
            _finish(bag)
            staging.rename(place)
            _sync(staging.parent)
    except OSError as error:
        if error.errno in _FULL:
            msg = f"{dest}: {os.strerror(error.errno)}; nothing was kept there; make room"
            raise UsageError(msg) from error
        raise


def _place_of(dest: Path) -> Path:
    """Return the folder that is meant, by a name of its own: ``.`` and ``..`` are none."""
    if dest.is_symlink() or (dest.exists() and not dest.is_dir()):
        msg = f"{dest}: not a folder; choose a new or empty one"
        raise UsageError(msg)
    if dest.is_dir() and any(dest.iterdir()):
        msg = f"{dest}: the folder is not empty; choose a new or empty one"
        raise UsageError(msg)
    place = dest.resolve()
    if place == Path.cwd():
        msg = f"{dest}: the folder that you are in would be replaced; choose a new one"
        raise UsageError(msg)
    return place


def _finish(bag: Bag) -> None:
    """Write what makes a folder a bag, and have the disk take it."""
    total = sum(entry.size for entry in bag.files.values())
    info = {
        "Bag-Software-Agent": f"bidsify {__version__}",
        "Payload-Oxum": f"{total}.{len(bag.files)}",
    }
    texts = {
        "bagit.txt": _DECLARATION,
        "bag-info.txt": "".join(f"{key}: {info[key]}\n" for key in sorted(info)),
        MANIFEST: _manifest(bag.files, lambda path: f"{PAYLOAD}/{path}"),
    }
    for name, text in texts.items():
        with bag._open(name, name, bag.tags) as stream:  # noqa: SLF001  of this module
            stream.write(text.encode())
    with (bag.folder / TAG_MANIFEST).open("xb") as last:
        last.write(_manifest(bag.tags, str).encode())
        _flush(last)
    for folder, _, _ in os.walk(bag.folder, topdown=False):
        _sync(Path(folder))


def _manifest(entries: Mapping[str, Entry], place: Callable[[str], str]) -> str:
    lines = ((place(path), entry.sha256) for path, entry in entries.items())
    return "".join(f"{sha256}  {_written(path)}\n" for path, sha256 in sorted(lines, key=_by_bytes))


def _written(path: str) -> str:
    return path.replace("%", "%25")  # RFC 8493, section 2.1.3


def _by_bytes(line: tuple[str, str]) -> bytes:
    return line[0].encode()


def _flush(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
