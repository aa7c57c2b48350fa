"""How well two slices lie on each other, and whether a map between them is one-to-one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..volume import Array
from .distance import box


def dice(first: Array, second: Array) -> float:
    """Return the overlap of two masks, from 0 to 1; 1 where both are empty."""
    one, other = np.asarray(first) > 0, np.asarray(second) > 0
    together = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / together if together else 1.0


def hausdorff(first: Array, second: Array, spacing_mm: Sequence[float] = (1.0, 1.0)) -> float:
    """Return how far the outlines of two masks lie from each other at most, either way, in mm.

    ``spacing_mm`` are the distances of pixels along each axis. 0 where both are empty, infinite
    where one is.
    """
    one, other = np.asarray(first) > 0, np.asarray(second) > 0
    if not one.any() or not other.any():
        return 0.0 if one.any() == other.any() else float("inf")
    around = box(one | other, 0)
    edges = _edge(one[around]), _edge(other[around])
    return max(
        float(ndimage.distance_transform_edt(~target, sampling=tuple(spacing_mm))[edge].max())
        for edge, target in (edges, edges[::-1])
    )


def _edge(mask: Array) -> Array:
    """Return the pixels of a mask that touch what is outside, or the end of the plane."""
    found: Array = mask & ~ndimage.binary_erosion(mask)
    return found


def folding(field: Array, affine: Array) -> float:
    """Return the share of pixels where x -> ``affine`` @ (x + ``field``) folds, from 0 to 1.

    It folds where its Jacobian determinant is not above 0. ``field`` is (2, N, N) in pixels,
    ``affine`` (3, 3).
    """
    (ii, ij), (ji, jj) = (np.gradient(np.asarray(axis, np.float64)) for axis in field)
    determinant = ((1 + ii) * (1 + jj) - ij * ji) * np.linalg.det(np.asarray(affine)[:2, :2])
    return float(np.mean(determinant <= 0))


def tre(
    first: Array, second: Array, mask: Array, spacing_mm: Sequence[float] = (1.0, 1.0)
) -> float:
    """Return the target registration error: the mean distance of two maps within a mask, in mm.

    The maps are (2, N, N), positions or displacements in pixels; ``mask`` is (N, N). 0 where it is
    empty.
    """
    inside = np.asarray(mask) > 0
    if not inside.any():
        return 0.0
    apart = (np.asarray(first) - np.asarray(second))[:, inside]
    return float(np.hypot(apart[0] * spacing_mm[0], apart[1] * spacing_mm[1]).mean())
