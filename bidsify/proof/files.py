"""NIfTI files as the proofs read them: with nibabel."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import nibabel as nib
from isal import isal_zlib
from isal.igzip_lib import IsalError

_NIFTI_2 = 540  # sizeof_hdr
_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # of gzip, without flags, name and time
_PADDING = 1 << 16  # bytes that a source may have behind its voxels

#: What a file that is none, or a damaged one, makes the readers raise.
UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
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
    head = isal_zlib.decompressobj(31).decompress(written, _NIFTI_2)
    stream = isal_zlib.decompressobj(31)
    content: bytes = stream.decompress(written, max(_announced(_header_of(head)), 0) + _PADDING + 1)
    if not stream.eof or stream.unused_data:
        msg = "not one whole gzip member of the size that its header states"
        raise ValueError(msg)
    return content


def kept_faults(source: bytes, written: bytes) -> Iterator[str]:
    """Say what is wrong with a file that has the stream of its source, which was inflated.

    The same stream holds the same voxels, if it is whole: it must begin with the first byte of
    the source's content, as another decoder finds it, and state the size of the grid that
    nibabel reads.
    """
    head = _before_voxels(written)
    if head != _before_voxels(source):
        yield "does not begin as its source does"
    image_of(head)  # nibabel reads it, with its extensions
    announced = _announced(_header_of(head))
    stated = int.from_bytes(written[-4:], "little")
    if (stated - announced) % (1 << 32) > _PADDING:
        yield f"states {stated} bytes, but its grid takes {announced}"


def _before_voxels(packed: bytes) -> bytes:
    """Decompress header and extensions, with the decoder of the standard library."""
    stream = zlib.decompressobj(31)
    head = stream.decompress(packed, _NIFTI_2)
    offset = int(_header_of(head)["vox_offset"])
    if offset > len(head):
        head += stream.decompress(stream.unconsumed_tail, offset - len(head))
    return head[:offset]


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
    size = len(_HEADER)
    start = len(source) - len(written) + size
    if start < size or written[:size] != _HEADER or not source.endswith(written[size:]):
        return False
    stream = zlib.decompressobj(31)
    return not stream.decompress(source[:start]) and not stream.eof  # no data before it


def image_of(content: bytes) -> nib.Nifti1Image:
    """Parse a decompressed file with nibabel."""
    kind = nib.Nifti2Image if _NIFTI_2 in _sizes(content) else nib.Nifti1Image
    return kind.from_bytes(content)


def _sizes(head: bytes) -> tuple[int, int]:
    """Read the size of the header in both orders of bytes."""
    return int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")
