"""Look through the files of a tree, or through any other file, for what tells who a person is."""

from __future__ import annotations

import csv
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from ..errors import UsageError
from ..gz import MAGIC as GZIP
from ..validation.files.headers import read_gzip
from . import headers
from .documents import in_document, in_text
from .meshes import in_mesh
from .tables import in_table
from .trace import Trace, without_schemes
from .unpacking import Unpacking, pieces_of, size_of

__all__ = ["BROKEN", "GZIP", "check", "in_file", "size_of", "start_of"]

_HEAD = 1 << 16
_MOST = 1 << 26  # bytes of a text or of a header with its extensions that are looked at
_BEHIND = 1 << 28  # bytes behind the voxels, or in other gzip files, that are looked at
_LARGEST = 1 << 36
_TAIL = "bytes behind the last voxel"
_TABLES = (".tsv", ".csv", ".tsv.gz", ".csv.gz")
_DOCUMENTS = (".json", ".json.gz")
_DICOM = b"DICM"
_IMAGES = (".nii", ".nii.gz")
#: What a file may raise that is not what its name says; it never stops the look at the others.
BROKEN = (
    ValueError, ArithmeticError, LookupError, RecursionError, MemoryError, EOFError, struct.error,
    csv.Error,
)  # fmt: skip


def check(root: Path) -> Iterator[Trace]:
    """Yield what the files of a tree hold, in the order of their paths.

    Raises:
        UsageError: There is no such folder.
    """
    if not root.is_dir():
        what = "a file; give the folder that it is in" if root.is_file() else "no such folder"
        msg = f"{root}: {what}"
        raise UsageError(msg)
    found = (trace for path in files_of(root) for trace in _in_place(root, path))
    yield from without_schemes(found)


def _in_place(root: Path, path: str) -> Iterator[Trace]:
    try:
        if not stat.S_ISREG((root / path).stat().st_mode):
            return  # a pipe or a device holds nothing, and may never end
        with (root / path).open("rb") as stream:
            yield from in_file(path, stream)
    except OSError as error:
        yield Trace(path, "", f"cannot be read: {error.strerror or error}")
    except BROKEN as error:
        yield Trace(path, "", f"cannot be looked through: {type(error).__name__} ({error})")


def files_of(root: Path) -> Iterator[str]:
    """Yield the files below a folder, sorted; hidden ones are not part of a dataset."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            yield Path(folder, name).relative_to(root).as_posix()


def in_file(path: str, stream: IO[bytes]) -> Iterator[Trace]:
    """Yield what one file holds; its name says what it is."""
    name = path.lower()
    head = stream.read(_HEAD)
    if name.endswith(_IMAGES):
        yield from _in_image(path, head, stream)
        return
    if head.startswith(GZIP):
        yield from _in_gzip(path, stream, None)[0]
    if name.endswith(".stl"):
        yield from in_mesh(path, head, stream)
    else:
        yield from _in_content(path, stream)


def _in_content(path: str, stream: IO[bytes]) -> Iterator[Trace]:
    """Yield what a file holds that is no image, decompressed."""
    name, start = path.lower(), _inflated(stream, _HEAD)
    if start[128:132] == _DICOM:
        yield Trace(path, "", "a DICOM file, whose header names the patient")
        return
    is_table, is_document = name.endswith(_TABLES), name.endswith(_DOCUMENTS)
    if not (is_table or is_document) and b"\0" in start:
        return
    content = _inflated(stream, _MOST + 1)
    if len(content) > _MOST:
        yield Trace(path, "", f"more than {_MOST >> 20} MiB of text: the rest was not looked at")
    look = in_table if is_table else in_document if is_document else in_text
    yield from look(path, content[:_MOST])


def start_of(head: bytes, stream: IO[bytes]) -> bytes:
    """Return an image up to its voxels, decompressed; a file that is damaged, up to there."""
    raw = _inflated(stream, headers.HEAD)
    offset = headers.voxel_offset(raw) or 0
    whole = raw if offset <= len(raw) else _inflated(stream, min(offset, _MOST))
    stream.seek(len(head))
    return whole


def _inflated(stream: IO[bytes], size: int) -> bytes:
    """Return the first bytes of what a file holds."""
    out = bytearray()
    for piece in pieces_of(stream):
        out += piece
        if len(out) >= size:
            break
    return bytes(out[:size])


def _in_image(path: str, head: bytes, stream: IO[bytes]) -> Iterator[Trace]:
    """Yield what a NIfTI file holds; nothing can be removed from one that is not whole."""
    start = start_of(head, stream)
    look = _in_gzip if head.startswith(GZIP) else _behind_voxels
    found, is_whole = look(path, stream, headers.voxel_end(start))
    for spot in headers.spots(start):
        is_fixable = not spot.is_needed
        found.append(Trace(path, spot.where, spot.what, is_fixable, kind=spot.kind))
    for trace in found:
        is_torn = trace.is_fixable and not is_whole
        yield replace(trace, is_fixable=False, is_torn=True) if is_torn else trace


def _in_gzip(path: str, stream: IO[bytes], end: int | None) -> tuple[list[Trace], bool]:
    """Return what headers of members say, and what is in the file behind its voxels.

    Also whether the file has all its voxels.
    """
    found = list[Trace]()
    is_fixable = path.lower().endswith(_IMAGES)
    stream.seek(0)
    file, most = Unpacking(stream), min(end or 0, _LARGEST) + _BEHIND
    size, has_rest, is_cut = 0, False, False
    for piece in file.pieces():
        size += len(piece)
        if end is not None and size > end:
            has_rest |= bool(piece[max(len(piece) - (size - end), 0) :].strip(b"\0"))
        if is_cut := size > most:
            break
    for head in file.heads:
        found += _in_gzip_header(path, head, is_fixable=is_fixable)
    if file.has_rest:
        what = f"{file.behind} bytes behind the gzip stream"
        found.append(Trace(path, "gzip", what, is_fixable=is_fixable))
    if has_rest:
        found.append(Trace(path, "voxels", _TAIL, is_fixable=True))
    if is_cut or file.is_damaged:
        why = "a damaged gzip file" if file.is_damaged else "more in it than it should hold"
        found.append(Trace(path, "gzip", f"{why}: not looked through to its end"))
    return found, not file.is_damaged and end is not None and size >= end


def _in_gzip_header(path: str, head: bytes, *, is_fixable: bool) -> Iterator[Trace]:
    found = read_gzip(head) or {}
    for key, what in (("filename", "the name"), ("comment", "a comment")):
        if found.get(key):
            text = f"{what} {found[key][:80]!r}"
            yield Trace(path, f"gzip {key}", text, is_fixable=is_fixable)
    if found.get("timestamp"):
        text = f"the time of packing, {found['timestamp']}"
        yield Trace(path, "gzip time", text, is_fixable=is_fixable)


def _behind_voxels(path: str, stream: IO[bytes], end: int | None) -> tuple[list[Trace], bool]:
    """Return what is in a file behind its voxels, and whether it has all of them."""
    size = size_of(stream)
    if end is not None and end < size:
        stream.seek(end)
        if any(piece.strip(b"\0") for piece in iter(lambda: stream.read(_HEAD), b"")):
            return [Trace(path, "voxels", _TAIL, is_fixable=True)], True
    return [], end is not None and end <= size
