"""Read the voxels of an image piece by piece: no more memory than a piece, whatever it claims."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import IO, Any, Literal

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from ..files.extent import SMALLEST, size_of
from ..files.headers import Nifti

Array = NDArray[Any]
Order = Literal["<", ">"]
_IN, _OUT = 1 << 18, 1 << 20
_MAGIC = b"\x1f\x8b"
_HEAD = 544
_NIFTI1, _NIFTI2 = 348, 540  # what the two standards write first
# Values of the types that have no numbers to judge (RGB, bits, long doubles) are passed as bytes.
_TYPES: Mapping[int, str] = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
    1024: "i8", 1280: "u8", 1792: "c16",
}  # fmt: skip


class UnreadableError(Exception):
    """The voxels of a file cannot be read to the end; the message says why."""


def dtype_of(header: Nifti) -> np.dtype[Any] | None:
    """Return the type of the values, in the byte order of this machine; None for no numbers."""
    code = _TYPES.get(header.datatype)
    return np.dtype(code) if code else None


def read_voxels(location: str, header: Nifti) -> Iterator[Array]:
    """Yield all voxels as they are stored, flat, in the order of the file.

    Raises:
        UnreadableError: cut short, damaged, or not there.
    """
    try:
        with open(location, "rb", buffering=0) as file:  # noqa: PTH123
            yield from _voxels(file, header)
    except IsalError as error:  # type: ignore[misc]  # its stubs lack the base class
        msg = f"damaged gzip stream ({error})"
        raise UnreadableError(msg) from error
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error


def _voxels(file: IO[bytes], header: Nifti) -> Iterator[Array]:
    source = _pieces(file)
    head = b""
    while len(head) < _HEAD and (piece := next(source, b"")):
        head += piece
    start, order = _start(head)
    left = size_of(header)
    dtype = dtype_of(header)
    dtype = dtype.newbyteorder(order) if dtype else np.dtype("u1")
    rest = b""
    for piece in _after(head, source, start):
        part = rest + piece[:left] if rest else piece[:left] if len(piece) > left else piece
        left -= len(part) - len(rest)
        whole = len(part) - len(part) % dtype.itemsize
        rest = part[whole:]
        if whole:
            yield np.frombuffer(part, dtype, whole // dtype.itemsize)
    if left > 0:
        msg = f"{left} of {size_of(header)} bytes of voxels are missing"
        raise UnreadableError(msg)


def _after(head: bytes, source: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Yield what comes from ``start`` on, and no empty pieces."""
    skip = start
    if len(head) > skip:
        yield head[skip:]
    skip = max(skip - len(head), 0)
    for piece in source:
        if len(piece) > skip:
            yield piece[skip:] if skip else piece
        skip = max(skip - len(piece), 0)


def _start(head: bytes) -> tuple[int, Order]:
    """Return where the voxels begin, and the byte order."""
    if len(head) < SMALLEST:
        msg = "the file ends within its header"
        raise UnreadableError(msg)
    order: Order = "<" if struct.unpack_from("<i", head)[0] in {_NIFTI1, _NIFTI2} else ">"
    is_second = struct.unpack_from(f"{order}i", head)[0] == _NIFTI2
    kind, place = ("q", 168) if is_second else ("f", 108)
    (start,) = struct.unpack_from(order + kind, head, place)
    if start == 0:
        return (_HEAD if is_second else 352), order
    if not math.isfinite(start) or start < SMALLEST:
        msg = f"vox_offset is {start:g}"
        raise UnreadableError(msg)
    return int(start), order


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content, decompressed, in pieces of bounded size."""
    piece = file.read(_IN)
    if piece.startswith(_MAGIC):
        yield from _inflated(file, piece)
        return
    while piece:
        yield piece
        piece = file.read(_OUT)


def _inflated(file: IO[bytes], piece: bytes) -> Iterator[bytes]:
    """Decompress member after member; zeros behind the last one are padding."""
    machine = isal_zlib.decompressobj(31)
    while piece:
        if machine.eof:
            if not piece.startswith(_MAGIC[:1]):
                return
            machine = isal_zlib.decompressobj(31)
        out = machine.decompress(piece, _OUT)
        while out:
            yield out
            piece = machine.unconsumed_tail
            out = machine.decompress(piece, _OUT) if piece or len(out) == _OUT else b""
        piece = machine.unused_data if machine.eof else b""
        piece = piece or file.read(_IN)
    if not machine.eof:
        msg = "the gzip stream is cut off"
        raise UnreadableError(msg)
