"""How many bytes the voxels of an image take, by its header."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .headers import Nifti

#: Bits of a voxel by NIfTI code of its data type.
BITS: Mapping[int, int] = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32,
    1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
SMALLEST = 348  # bytes in front of the voxels, at the least


def size_of(header: Nifti) -> int:
    """Return how many bytes the voxels take; the header must be possible."""
    return -(-math.prod(header.dims[1 : header.dims[0] + 1]) * BITS[header.datatype] // 8)
