"""A volume in memory, and the bytes of the NIfTI file that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .errors import SourceError

Array = NDArray[Any]

#: NIfTI codes: what the coordinates are relative to (nifti1.h, NIFTI_XFORM_*).
SCANNER, ALIGNED = 1, 2
_MAX_DIMENSION = 2**15 - 1


@dataclass(frozen=True, slots=True)
class Volume:
    """Values with axes i, j, k (and channels), and where they lie.

    ``affine`` maps voxel indices to RAS+; in millimetres where ``in_mm``, else in voxels of
    unknown size. ``code`` states what the coordinates are relative to.
    """

    data: Array
    affine: Array
    in_mm: bool
    code: int = SCANNER


def to_nifti(volume: Volume) -> bytes:
    """Return the bytes of an uncompressed NIfTI-1 file; raises as :func:`nifti_parts` does."""
    return b"".join(nifti_parts(volume))


def nifti_parts(volume: Volume) -> tuple[bytes, memoryview]:
    """Return what stands before the voxels in a NIfTI-1 file, and the voxels, which are not copied.

    Raises:
        SourceError: The grid is larger than the format allows.
    """
    shape = volume.data.shape if volume.data.ndim > 2 else (*volume.data.shape, 1)  # noqa: PLR2004
    if max(shape) > _MAX_DIMENSION:
        msg = f"a grid of {shape} voxels does not fit into NIfTI-1"
        raise SourceError(msg)
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(volume.data.dtype)
    header.set_data_shape(shape)
    header.set_sform(volume.affine, code=volume.code)
    header.set_qform(volume.affine, code=volume.code if _is_rigid(volume.affine) else 0)
    # The fourth axis holds structures and has no unit, but validators ask for one.
    fourth = "sec" if volume.in_mm and volume.data.ndim > 3 else "unknown"  # noqa: PLR2004
    header.set_xyzt_units(xyz="mm" if volume.in_mm else "unknown", t=fourth)
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    data = volume.data.astype(volume.data.dtype.newbyteorder("<"), copy=False)
    return bytes(header.binaryblock) + bytes(4), data.ravel(order="F").data.cast("B")


def affine_of(orientation: str) -> Array:
    """Return the affine of a grid that states its axes but no size: ``"PIR"``, one unit a voxel.

    >>> affine_of("PIR")[:3, :3].tolist()
    [[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]
    """
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, direction in enumerate(orientation):
        pair = next(p for p in ("LR", "PA", "IS") if direction in p)
        affine[("LR", "PA", "IS").index(pair), axis] = 1 if pair[1] == direction else -1
    return affine


def _is_rigid(affine: Array) -> bool:
    """Say whether the axes are at right angles: a qform cannot hold a sheared grid."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(axes.T @ axes, np.eye(3), atol=1e-4))
