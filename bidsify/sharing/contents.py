"""The files of a tree and what they hold: hashes of files, and of what is packed in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isal import isal_zlib
from isal.igzip_lib import IsalError

from ..engine.gate import STATE
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import SourceError
from ..text_files import to_tsv
from .bag import require_writable

_PIECE = 1 << 20
_OURS = "code/bidsify/"
#: Folders that are not part of the dataset itself, or have terms of their own.
_APART = frozenset({"sourcedata", "derivatives", "code", "logs", STATE})
_ANNEX = ".git/annex/objects/"
_HIDDEN = frozenset({".bidsignore"})  # the one hidden file that BIDS knows


@dataclass(frozen=True, slots=True, order=True)
class Content:
    """A file of a tree: its size and hash, and the hash of its decompressed content."""

    path: str
    size: int
    sha256: str
    content_sha256: str

    @property
    def is_sound(self) -> bool:
        """Say whether both hashes can be true: only what is packed holds something else."""
        return self.path.endswith(".gz") or self.sha256 == self.content_sha256


def paths_of(root: Path) -> Iterator[str]:
    """Yield the files of a dataset, folder by folder; without what is its owner's alone.

    Left out are hidden files, ``sourcedata``, ``derivatives``, ``logs`` and, but for what we
    wrote there, ``code``.

    Raises:
        SourceError: A folder cannot be listed.
    """
    for folder, folders, names in os.walk(root, onerror=_unlisted):
        place = Path(folder).relative_to(root).as_posix()
        prefix = "" if place == "." else f"{place}/"
        inside = [name for name in folders if belongs(f"{prefix}{name}/")]
        linked = [name for name in inside if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(set(inside) - {*linked})
        yield from (
            f"{prefix}{name}" for name in sorted([*names, *linked]) if belongs(prefix + name)
        )


def _unlisted(error: OSError) -> None:
    msg = f"{error.filename}: not readable: {error.strerror or error}"
    raise SourceError(msg) from error


def belongs(path: str) -> bool:
    """Say whether a file, or a folder with ``/`` at its end, is part of the dataset."""
    if path.startswith(_OURS) or path == "code/":
        return True
    first, *_ = path.split("/")
    parts = [part for part in path.split("/") if part]
    hidden = any(part.startswith(".") and part not in _HIDDEN for part in parts)
    return not hidden and not ("/" in path and first in _APART)


def require_sound(root: Path, path: str) -> None:
    """Refuse a file that cannot leave with the tree: a link out of it, or one to nothing.

    A link to what is not part of the dataset would carry that out, but for the store of git-annex.

    Raises:
        SourceError: It is such a thing, or its name cannot be written in a manifest.
    """
    require_writable(path)
    place = root / path
    try:
        end = place.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        msg = f"{path}: its content is not here; get it (git annex get), or remove the file"
        raise SourceError(msg) from error
    if not end.is_relative_to(root.resolve()):
        msg = f"{path}: a link that leaves the tree; put the file itself there"
        raise SourceError(msg)
    inside = end.relative_to(root.resolve()).as_posix()
    if not (belongs(inside) or inside.startswith(_ANNEX)):
        msg = f"{path}: a link to {inside}, which does not leave with the tree; remove it"
        raise SourceError(msg)
    if not end.is_file():
        msg = f"{path}: not a file; remove it"
        raise SourceError(msg)


def contents(root: Path, paths: Sequence[str], workers: int = 1) -> list[Content]:
    """Hash files of a tree; sorted by path.

    Raises:
        SourceError: One cannot be read.
    """
    found: list[Content] = []
    for path, result in run_all(content, root, paths, workers):
        if isinstance(result, WorkerDiedError):
            msg = f"{path}: the process that read it was killed; is memory short?"
            raise SourceError(msg)
        found.append(result)
    return sorted(found)


def content(root: Path, path: str) -> Content:
    """Hash a file as it is, and what it holds if it is packed; a piece in memory at a time.

    What claims to be gzip and is not, or is cut off, counts as it is.

    Raises:
        SourceError: It cannot be read.
    """
    whole, size = hashlib.sha256(), 0
    unpacked = _Unpacked() if path.endswith(".gz") else None
    try:
        with (root / path).open("rb") as stream:
            while piece := stream.read(_PIECE):
                whole.update(piece)
                size += len(piece)
                if unpacked:
                    unpacked.feed(piece)
    except OSError as error:
        msg = f"{path}: not readable: {error.strerror or error}"
        raise SourceError(msg) from error
    inside = unpacked.digest if unpacked else ""
    return Content(path, size, whole.hexdigest(), inside or whole.hexdigest())


class _Unpacked:
    """The hash of what a gzip file of one or more members holds."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._member = isal_zlib.decompressobj(31)
        self._is_broken = False

    def feed(self, piece: bytes) -> None:
        """Decompress the next piece of the file, a bounded part at a time."""
        while piece and not self._is_broken:
            if self._member.eof:
                if not piece.strip(b"\0"):  # padding
                    return
                self._member = isal_zlib.decompressobj(31)
            try:
                piece = self._rest_of(piece)
            except IsalError:  # type: ignore[misc]  # its stubs lack the base class
                self._is_broken = True

    def _rest_of(self, piece: bytes) -> bytes:
        """Decompress up to the end of the member; return what is behind it."""
        while not self._member.eof:
            part = self._member.decompress(piece, _PIECE)
            self._hash.update(part)
            piece = self._member.unconsumed_tail
            if not piece and len(part) < _PIECE:
                break
        return self._member.unused_data

    @property
    def digest(self) -> str:
        """Return the hash; empty where the file is not gzip to its end."""
        is_whole = self._member.eof and not self._is_broken
        return self._hash.hexdigest() if is_whole else ""


def manifest(found: Iterable[Content]) -> bytes:
    """Return the table of what each file holds: the same for copies that are packed differently."""
    rows = ((each.path, each.content_sha256) for each in sorted(found))
    return to_tsv(("path", "content_sha256"), list(rows))
