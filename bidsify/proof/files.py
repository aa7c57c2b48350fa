"""NIfTI files as the proofs read them: with nibabel."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError

from ..volume import Array

_NIFTI_2 = 540  # sizeof_hdr
_HEADER = b"\x1f\x8b\x08" + bytes(5)  # of gzip, without flags, name and time
_HEADER_SIZE = 10  # with two bytes for level and system
_PADDING = 1 << 16  # bytes that a source may have behind its voxels

#: What a file that is none, or a damaged one, makes the readers raise.
UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    OverflowError,
    TypeError,
    EOFError,
    ValueError,
    IsalError,  # type: ignore[assignment]  # its stubs lack the base class
    zlib.error,
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    nib.wrapstruct.WrapStructError,
)


def unpacked(written: bytes) -> bytes:
    """Decompress a file of ours, one gzip member, up to the size that its header states."""
    announced = max(
        _announced(_header_of(isal_zlib.decompressobj(31).decompress(written, _NIFTI_2))), 0
    )
    stream = isal_zlib.decompressobj(31)
    content: bytes = stream.decompress(written, announced + _PADDING + 1)
    if not stream.eof or stream.unused_data or len(content) < announced:
        msg = "not one whole gzip member of the size that its header states"
        raise ValueError(msg)
    return content


def kept_faults(source: bytes, written: bytes) -> Iterator[str]:
    """Say what is wrong with a file that has the stream of its source, which was inflated.

    The same stream holds the same voxels, if it is whole: it must begin with the first byte of
    the source's content, as another decoder finds it, and state the size of the grid that
    nibabel reads.
    """
    start = zlib.decompressobj(31).decompress(written, _NIFTI_2)
    header = _header_of(start)
    head = _first(written, int(header["vox_offset"]))
    if head != _first(source, int(header["vox_offset"])):
        yield "does not begin as its source does"
    image_of(head)  # nibabel reads it, with its extensions
    announced = _announced(header)
    stated = int.from_bytes(written[-4:], "little")
    if (stated - announced) % (1 << 32) > _PADDING:
        yield f"states {stated} bytes, but its grid takes {announced}"


def _first(packed: bytes, size: int) -> bytes:
    """Decompress so many bytes, with the decoder of the standard library."""
    return zlib.decompressobj(31).decompress(packed, max(size, 1))  # 0 would mean all


def _header_of(head: bytes) -> nib.Nifti1Header:
    """Parse a header alone; its extensions may be longer than the piece that we have."""
    kind = nib.Nifti2Header if _NIFTI_2 in _sizes(head) else nib.Nifti1Header
    header: nib.Nifti1Header = kind(head[: kind.sizeof_hdr])  # type: ignore[no-untyped-call]
    return header


def _announced(header: nib.Nifti1Header) -> int:
    voxels: int = math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize
    return int(header["vox_offset"]) + voxels


def same_stream(source: bytes, written: bytes) -> bool:
    """Say whether the stream that was written is that of the source, behind whatever header."""
    start = len(source) - len(written) + _HEADER_SIZE
    is_tail = start >= _HEADER_SIZE and source.endswith(written[_HEADER_SIZE:])
    if not is_tail or not written.startswith(_HEADER):
        return False
    stream = zlib.decompressobj(31)
    return not stream.decompress(source[:start]) and not stream.eof  # no data before it


def image_of(content: bytes) -> nib.Nifti1Image:
    """Parse a decompressed file with nibabel."""
    kind = nib.Nifti2Image if _NIFTI_2 in _sizes(content) else nib.Nifti1Image
    return kind.from_bytes(content)


def values_of(image: nib.Nifti1Image, content: bytes) -> Array:
    """Return the values of a decompressed file, scaled as its header says; unscaled ones as a view.

    Raises:
        TypeError: The file is shorter than its header states.
    """
    stored: Any = image.dataobj  # nibabel moves offset and scaling from the header to it
    if (stored.slope, stored.inter) != (1, 0):
        return np.asanyarray(stored)
    return np.ndarray(stored.shape, stored.dtype, content, stored.offset, order="F")


def head_of(content: bytes) -> bytes:
    """Return header and extensions of a decompressed file, without the sizes of its grid."""
    start, end = (16, 80) if _NIFTI_2 in _sizes(content) else (40, 56)
    return content[:start] + content[end : int(_header_of(content)["vox_offset"])]


def _sizes(head: bytes) -> tuple[int, int]:
    """Read the size of the header in both orders of bytes."""
    return int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")
