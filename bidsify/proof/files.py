"""NIfTI files as the proofs read them: with nibabel."""

from __future__ import annotations

import math

import nibabel as nib
from isal import isal_zlib

from .. import gz

_NIFTI_2 = 540  # sizeof_hdr
_PADDING = 1 << 16  # bytes that a source may have behind its voxels


def unpacked(written: bytes) -> bytes:
    """Decompress a file of ours, one gzip member, up to the size that its header states."""
    stream = isal_zlib.decompressobj(31)
    head: bytes = stream.decompress(written, _NIFTI_2)
    header = image_of(head).header
    wanted = int(header["vox_offset"]) + math.prod(header.get_data_shape()) * (
        header.get_data_dtype().itemsize
    )
    content = head
    if not stream.eof:
        content += stream.decompress(stream.unconsumed_tail, max(wanted - len(head), 0) + _PADDING)
    if not stream.eof or stream.unused_data:
        msg = "not one whole gzip member of the size that its header states"
        raise ValueError(msg)
    return content


def same_stream(source: bytes, written: bytes) -> bool:
    """Say whether the compressed stream of the source is the one that was written."""
    return source[:2] == written[:2] and gz.without_name_and_time(source) == written


def image_of(content: bytes) -> nib.Nifti1Image:
    """Parse a decompressed file with nibabel."""
    sizes = (int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big"))
    kind = nib.Nifti2Image if _NIFTI_2 in sizes else nib.Nifti1Image
    return kind.from_bytes(content)
