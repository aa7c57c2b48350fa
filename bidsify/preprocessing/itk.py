"""The same transforms as ITK and ANTs read them: a displacement field as NIfTI, and affine maps.

All map points of the output to points of the input, in LPS mm, and so resample the input onto the
output. The field holds all that was done; in the text file is what each slice went through without
its displacement.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np

from ..errors import SourceError
from ..readers import nifti
from ..volume import ALIGNED, Array, Volume, to_nifti
from .transforms import Record, SliceMap, extent, solid, to_scanner

#: NIfTI code of vectors that are no displacements in RAS (nifti1.h), and its place in the header.
_VECTOR, _INTENT_AT = 1007, 68
_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_TOLERANCE = 1e-3  # mm, pixels; what the header of a field loses, as float32
_HEAD = (
    "#Insight Transform File V1.0\n"
    "# One map for each slice of the volume, in their order: output to source, LPS mm.\n"
    "# itk.transformread returns all of them; SimpleITK.ReadTransform only the first.\n"
)


def to_text(record: Record) -> str:
    """Return the affine map of each slice, from the output volume to the scanner, as ITK's text."""
    from_grid = np.linalg.inv(record.grid)
    maps = (_LPS @ solid(record, n) @ from_grid @ _LPS for n in range(len(record.slices)))
    return _HEAD + "".join(_text(matrix, number) for number, matrix in enumerate(maps))


def _text(matrix: Array, number: int) -> str:
    """Format a homogeneous matrix as an affine transform around the origin."""
    size = len(matrix) - 1
    numbers = [*matrix[:size, :size].ravel(), *matrix[:size, size]]
    return (
        f"#Transform {number}\n"
        f"Transform: AffineTransform_double_{size}_{size}\n"
        f"Parameters: {' '.join(repr(float(number)) for number in numbers)}\n"
        f"FixedParameters: {' '.join(['0'] * size)}\n"
    )


def to_field(record: Record) -> bytes:
    """Return where each voxel comes from, less where it lies: an uncompressed NIfTI file.

    (I, J, K, 1, 3) of LPS mm on the grid of the volume. A single slice is there twice, along k:
    SimpleITK takes a field of one slice for one of a plane.
    """
    i, j = (np.arange(size) for size in record.shape)
    count = len(record.slices)
    voxels = np.stack(np.meshgrid(i, j, np.arange(count), indexing="ij"), -1).reshape(-1, 3)
    lies = voxels @ record.grid[:3, :3].T + record.grid[:3, 3]
    shifts = (to_scanner(voxels, record) - lies) @ _LPS[:3, :3]
    data = shifts.reshape(*record.shape, count, 1, 3).astype(np.float32)
    if count == 1:
        data = np.concatenate([data, data], axis=2)
    raw = bytearray(
        to_nifti(Volume(np.asfortranarray(data), record.grid, in_mm=True, code=ALIGNED))
    )
    struct.pack_into("<h", raw, _INTENT_AT, _VECTOR)
    return bytes(raw)


def with_displacements(record: Record, content: bytes, path: str) -> Record:
    """Add the displacements of a field to a record that was read from JSON.

    Raises:
        SourceError: Not the field of this record; ``path`` is what the message names.
    """
    image = nifti.read(content, path)
    shape, vectors = image.shape, nifti.values(image)
    count = len(record.slices)
    if shape != (*record.shape, max(count, 2), 1, 3) or not np.isfinite(vectors).all():
        message = f"{path}: {shape} is no field of 3 components and {count} slices"
        raise SourceError(message + "; run the preprocessing again")
    if not np.allclose(image.header.get_best_affine(), record.grid, atol=_TOLERANCE):
        message = f"{path}: lies elsewhere than the record of its transforms says"
        raise SourceError(message + "; run the preprocessing again")
    slices = [_with_shifts(record, n, vectors[:, :, n, 0]) for n in range(count)]
    for number, one in enumerate(slices):
        if one.extent and not np.allclose(one.extent, extent(one.displacement), atol=_TOLERANCE):
            message = f"{path}: slice {number} moves otherwise than the record of its transforms "
            raise SourceError(message + "says; run the preprocessing again")
    return replace(record, slices=tuple(slices), is_loaded=True)


def _with_shifts(record: Record, number: int, shifts: Array) -> SliceMap:
    """Return the map of a slice with what its affine map leaves of the shifts (I, J, 3)."""
    i, j = np.indices(record.shape)
    voxels = np.stack([i, j, np.full_like(i, number)], -1)
    places = voxels @ record.grid[:3, :3].T + record.grid[:3, 3] + shifts @ _LPS[:3, :3]
    back = np.linalg.inv(solid(record, number))
    moved = places @ back[:3, :3].T + back[:3, 3]
    found = np.moveaxis((moved - voxels)[..., :2], -1, 0)
    return replace(record.slices[number], displacement=found)
