"""Where images lie: how far apart two placements of one grid are."""

from __future__ import annotations

import math
from itertools import product

from ..files.headers import Nifti

Rows = tuple[tuple[float, ...], ...]
Shape = tuple[int, int, int]
TOLERANCE = 0.1  # of a voxel
# A rotation by half a turn has no real part, and its other parts are rounded to 24 bits: the
# angle that they give is off by this much.
_ROUNDING = 1e-3
_REAL_PART = 1e-5


def shape_of(header: Nifti) -> Shape:
    """Return the size of the grid along its three axes."""
    count, *sizes = header.dims
    i, j, k = (sizes[axis] if axis < count else 1 for axis in range(3))
    return i, j, k


def placement_of(header: Nifti) -> Rows:
    """Return the affine that most programs use: sform, else qform, else voxel sizes only."""
    return header.sform or header.qform or header.affine


def distance(shape: Shape, one: Rows, other: Rows) -> float:
    """Return how far apart a voxel at a corner can be, in voxels; NaN where that has no answer."""
    if one == other:
        return 0.0
    voxel = min(_sizes(one) + _sizes(other))
    if not voxel > 0 or not math.isfinite(voxel):
        return math.nan
    delta = [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)]
    i, j, k = (size - 1 for size in shape)
    bound = max(abs(a) * i + abs(b) * j + abs(c) * k + abs(d) for a, b, c, d in delta)
    if bound * 2 < TOLERANCE * voxel:  # far below: most images, without looking at each corner
        return bound / voxel
    far = max(
        math.hypot(*(a * x + b * y + c * z + d for a, b, c, d in delta))
        for x, y, z in product((0, i), (0, j), (0, k))
    )
    return far / voxel


def rounding(shape: Shape, qform: Rows) -> float:
    """Return how far a qform can be off at a corner, in voxels, for want of digits alone."""
    sizes = _sizes(qform)
    if not min(sizes) > 0:
        return 0.0
    x, y, z = (tuple(row[axis] / size for row in qform) for axis, size in enumerate(sizes))
    handedness = sum(
        x[a] * (y[b] * z[c] - y[c] * z[b]) for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    )
    trace = x[0] + y[1] + z[2] * (1 if handedness > 0 else -1)
    if 1 + trace > _REAL_PART:
        return 0.0
    extent = math.hypot(*(n * size for n, size in zip(shape, sizes, strict=True)))
    return _ROUNDING * extent / min(sizes)


def _sizes(rows: Rows) -> list[float]:
    """Return the length of a step along each axis."""
    (a, b, c, _), (d, e, f, _), (g, h, i, _) = rows
    return [math.hypot(a, d, g), math.hypot(b, e, h), math.hypot(c, f, i)]
