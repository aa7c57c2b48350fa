"""From pixels of the normalised grid to those of a native slice, by one composed transform.

The *chain* of a slice is, in this order: the displacement ``u`` (2, N, N) in pixels of the grid,
the affine (3, 3) from fixed to moving coordinates of the grid, the frame (3, 3) from the grid to
the pixels of the slice: ``frame @ affine @ (x + u(x))``. Images are sampled once, at its end.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from ..volume import Array

#: How near, in pixels, a point comes back that was mapped and mapped back.
TOLERANCE = 1e-4
_STEPS, _HALVINGS = 30, 8
#: Coordinates half way between two pixels are taken up: noise of the arithmetic does not decide.
_NOISE = 1e-6


def coordinates(
    size: int,
    displacement: Array | None,
    affine: Array,
    frame: Array,
    offset: tuple[int, int] = (0, 0),
) -> Array:
    """Return where each pixel of a window is in the slice, (2, size, size).

    ``offset`` is the first pixel of the window in the normalised grid.

    Raises:
        ValueError: The window reaches beyond the displacement.
    """
    first, second = (slice(start, start + size) for start in offset)
    grid = np.array(np.mgrid[first, second], np.float64)
    if displacement is not None:
        crop = displacement[:, first, second]
        if min(offset) < 0 or crop.shape != grid.shape:
            msg = f"a window of {size} pixels at {offset} leaves a grid of {displacement.shape[1:]}"
            raise ValueError(msg)
        grid += crop
    return _mapped(frame @ affine, grid.reshape(2, -1)).reshape(grid.shape)


def sample(pixels: Array, coordinates: Array, order: int) -> Array:
    """Return the values at coordinates (2, ...): linear (order 1, float32) or nearest (order 0).

    A pixel reaches half its size around its centre; beyond the outermost ones all is 0. Nearest
    values keep their type, and are of those of ``pixels``, or 0.
    """
    ends = np.reshape(np.array(pixels.shape) - 0.5, (2,) + (1,) * (coordinates.ndim - 1))
    inside = ((coordinates >= -0.5 - _NOISE) & (coordinates <= ends + _NOISE)).all(0)
    at = np.where(inside, coordinates, 0.0)
    if order:
        values = map_coordinates(pixels.astype(np.float32), at, order=1, mode="nearest")
    else:
        i, j = (
            np.clip(np.floor(one + 0.5 + _NOISE).astype(np.intp), 0, end - 1)
            for one, end in zip(at, pixels.shape, strict=True)
        )
        values = pixels[i, j]
    return np.where(inside, values, np.zeros((), values.dtype))


def displaced(points: Array, displacement: Array) -> Array:
    """Return x + u(x) of points x (M, 2) of the normalised grid, (M, 2).

    Between pixels the displacement is linear; beyond the grid it is that of its edge.
    """
    return _moved(points.T, displacement)[0].T


def undisplaced(points: Array, displacement: Array) -> Array:
    """Return the points x (M, 2) with x + u(x) at these points, (M, 2).

    Where a displacement folds, it is one of the points that get there; one that is not found to
    TOLERANCE is not a number.
    """
    return _unmoved(points.T, displacement).T


def _mapped(matrix: Array, points: Array) -> Array:
    """Map points (2, M)."""
    found: Array = matrix[:2, :2] @ points + matrix[:2, 2:]
    return found


def _moved(points: Array, displacement: Array) -> tuple[Array, Array]:
    """Return x + u(x) of points (2, M), and its derivative (2, 2, M): d moved[a] / d x[b]."""
    ends = np.array(displacement.shape[1:])[:, None] - 1
    clipped = np.clip(points, 0, ends)
    free = (clipped == points).astype(np.float64)  # beyond the grid u does not change
    cell = np.minimum(clipped.astype(np.intp), ends - 1)
    (i, j), (a, b) = cell, clipped - cell
    near, far = displacement[:, i, j], displacement[:, i, j + 1]
    below, across = displacement[:, i + 1, j], displacement[:, i + 1, j + 1]
    upper, lower = (1 - b) * near + b * far, (1 - b) * below + b * across
    along_i = (lower - upper) * free[0]
    along_j = ((1 - a) * (far - near) + a * (across - below)) * free[1]
    derivative = np.stack([along_i, along_j], 1) + np.eye(2)[:, :, None]
    return points + (1 - a) * upper + a * lower, derivative


def _unmoved(targets: Array, displacement: Array) -> Array:
    """Solve x + u(x) = target by Newton's method, from the pixel that gets nearest to it."""
    grid = np.indices(displacement.shape[1:]).reshape(2, -1).astype(np.float64)
    moved = grid + displacement.reshape(2, -1)
    _, nearest = cKDTree(moved.T).query(targets.T)
    found = grid[:, nearest]
    # Beyond the grid the nearest pixel is one of its edge, and the rest of the way is straight;
    # or, where the displacement is torn, the nearest edge is.
    edge = 2 * targets - _moved(targets, displacement)[0]
    for beyond in (edge, found + targets - moved[:, nearest]):
        found = np.where(_missed(beyond, targets, displacement) < TOLERANCE, beyond, found)
    for _ in range(_STEPS):
        value, derivative = _moved(found, displacement)
        missed = np.hypot(*(value - targets))
        if not (missed > TOLERANCE / 10).any():
            break
        step = _solved(derivative, targets - value)
        for _ in range(_HALVINGS):
            worse = _missed(found + step, targets, displacement) >= missed
            step = np.where(worse, step / 2, step)
        found = found + np.where(worse, 0, step)
    return np.where(_missed(found, targets, displacement) <= TOLERANCE, found, np.nan)


def _missed(points: Array, targets: Array, displacement: Array) -> Array:
    distance: Array = np.hypot(*(_moved(points, displacement)[0] - targets))
    return distance


def _solved(derivative: Array, rest: Array) -> Array:
    """Solve one 2 x 2 system for each point; a step of nothing where there is no solution."""
    (a, b), (c, d) = derivative
    determinant = a * d - b * c
    safe = np.where(determinant == 0, 1.0, determinant)
    step = np.stack([d * rest[0] - b * rest[1], a * rest[1] - c * rest[0]]) / safe
    return np.where(determinant == 0, 0.0, step)
