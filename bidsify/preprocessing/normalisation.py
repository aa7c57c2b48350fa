"""Spatial and intensity normalisation: one grid for all slices, and values from 0 to 255."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from ..volume import Array
from .stack import Slice

#: Pixels of the normalised grid along each axis, and their size in mm.
SIZE = 224
SPACING = 1.0
#: The upper end of normalised intensities; the lower one is 0.
TOP = 255.0
_SAME = 6  # decimals to which two orientations that fit are equally good


def _orientations() -> list[Array]:
    """Return the 8 ways to swap and flip the axes of a plane, the identity first."""
    return [
        np.array(axes) * flips
        for axes in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])
        for flips in itertools.product((1.0, -1.0), repeat=2)
    ]


def frame(
    one: Slice, like: Slice | None = None, size: int = SIZE, spacing: float | None = SPACING
) -> Array:
    """Return the map from pixels of the normalised grid to those of the slice, (3, 3).

    The middle of the grid is the middle of the image: a larger image is cropped about its centre,
    a smaller one padded. The axes of the grid are those of ``like`` as near as swaps and flips of
    the slice's own axes allow, so that nothing is interpolated but for size; without ``like`` they
    are its own. Without ``spacing`` the pixels are those of the slice, moved by whole ones, and
    nothing is interpolated.
    """
    turn = _turn(one, like) if like is not None else np.eye(2)
    steps = np.ones(2) if spacing is None else spacing / one.spacing
    found = np.eye(3)
    found[:2, :2] = steps[:, None] * turn
    middle = (np.array(one.pixels.shape) - 1) / 2
    found[:2, 2] = middle - found[:2, :2].sum(1) * (size - 1) / 2
    if spacing is None:
        found[:2, 2] = np.floor(found[:2, 2])
    return found


def _turn(one: Slice, like: Slice) -> Array:
    """Return the axes of the grid as those of the slice, (2, 2): columns of 0, 1 and -1."""
    wanted = (like.plane[:, :2] / like.spacing).T @ (one.plane[:, :2] / one.spacing)
    # The first of equally good ones: noise does not decide where an image is turned by 45 degrees.
    return max(_orientations(), key=lambda turn: round(float(np.trace(wanted @ turn)), _SAME))


def limits(planes: Iterable[Array]) -> tuple[float, float]:
    """Return the least and the largest finite value, (0, 0) where there is none.

    Over a whole stack, so that its slices keep their relation.
    """
    ends = [
        (float(finite.min()), float(finite.max()))
        for plane in planes
        if (finite := plane[np.isfinite(plane)]).size
    ]
    if not ends:
        return 0.0, 0.0
    return min(low for low, _ in ends), max(high for _, high in ends)


def rescaled(pixels: Array, within: tuple[float, float] | None = None) -> Array:
    """Return float32 values from 0 to 255, linear in those between the limits of ``within``.

    Without ``within`` the limits are those of ``pixels``. No percentile is cut off: that would not
    be linear, could not be undone, and a scar is what is brightest. One value is all 0. Values
    that are not finite go to the nearer end; what is not a number is 0, as outside of an image.
    """
    low, high = within if within is not None else limits([pixels])
    half = high / 2 - low / 2  # the whole may be larger than any number
    if not half > 0:
        return np.zeros(pixels.shape, np.float32)
    inside = np.clip(np.nan_to_num(pixels.astype(np.float64), nan=low), low, high)
    return np.asarray((inside / 2 - low / 2) / half * TOP, np.float32)
