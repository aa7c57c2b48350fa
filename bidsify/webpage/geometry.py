"""Where the axes of a grid point, how its planes are shown, and how it is thinned out.

Planes follow the convention of radiology: the patient's right is on the left, what is superior is
on top, and what is anterior is on top or, in sagittal planes, on the left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import nibabel as nib
import numpy as np

from ..errors import SourceError
from ..volume import Array

#: For each axis of the world (R, A, S) its voxel axis, and whether indices grow along (1) or
#: against it (-1).
Axes = tuple[tuple[int, int], ...]

_FLAT = 1e-6  # of the volume that axes at right angles span

#: What the plane across an axis of the world shows from left to right, and from top to bottom.
SIDES = {0: (1, 2), 1: (0, 2), 2: (0, 1)}


def axes(affine: Array, path: str) -> Axes:
    """Return which voxel axis runs along each axis of the world; of oblique ones the nearest.

    Raises:
        SourceError: The affine has no such axes: it is singular.
    """
    found = np.full((3, 2), np.nan) if _is_singular(affine) else nib.io_orientation(affine)
    if not np.isfinite(found).all():
        msg = f"{path}: its affine is singular, so no direction is known; repair the header"
        raise SourceError(msg)
    by_world = {int(world): (axis, int(sign)) for axis, (world, sign) in enumerate(found)}
    return tuple(by_world[world] for world in range(3))


def _is_singular(affine: Array) -> bool:
    """Tell whether the voxel axes have no length, or span no volume next to their lengths."""
    with np.errstate(all="ignore"):
        size = np.linalg.norm(affine[:3, :3], axis=0)
        volume = abs(np.linalg.det(affine[:3, :3] / size)) if size.all() else 0.0
    return not np.isfinite([*affine.flat, *size, volume]).all() or volume < _FLAT


def spacing(affine: Array) -> tuple[float, ...]:
    """Return the size of a voxel along i, j and k, in the unit of the affine.

    >>> spacing(np.diag([0.5, -2.0, 3.0, 1.0]))
    (0.5, 2.0, 3.0)
    """
    return tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0))


def steps(shape: Sequence[int], sizes: Sequence[float], most: int) -> tuple[int, ...]:
    """Return for each axis how many voxels to go on so that at most ``most`` remain.

    The axis with the smallest steps (mm) gives first, so voxels that remain become more equal;
    of equal ones the longest.

    >>> steps((512, 512, 20), (0.5, 0.5, 5.0), 1_000_000)
    (3, 2, 1)
    """
    found = [1, 1, 1]
    while math.prod(thinned(shape, found)) > most:
        left = thinned(shape, found)
        ranks = [
            (float(f"{sizes[axis] * found[axis]:.3g}"), -left[axis], axis)
            for axis in range(3)
            if left[axis] > 1
        ]
        found[min(ranks)[2]] += 1
    return tuple(found)


def thinned(shape: Sequence[int], step: Sequence[int]) -> tuple[int, ...]:
    """Return the size of a grid of which every step-th voxel remains, the first included."""
    return tuple(-(-size // by) for size, by in zip(shape, step, strict=True))


def plane(values: Array, across: int, index: int, ways: Axes) -> Array:
    """Return a slice of a volume as a picture: rows from top to bottom, columns to the right.

    ``across`` is the voxel axis that the slice lies on.
    """
    horizontal, vertical = sides(across, ways)
    rows, columns = ways[vertical], ways[horizontal]
    found = np.moveaxis(values, (rows[0], columns[0], across), (0, 1, 2))[:, :, index]
    return found[:: -rows[1], :: -columns[1]]


def sides(across: int, ways: Axes) -> tuple[int, int]:
    """Return the axes of the world that a slice shows to the right, and downwards."""
    return SIDES[[axis for axis, _ in ways].index(across)]
