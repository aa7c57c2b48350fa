"""The window around the heart: one for all slices of a subject, so that they stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import uniform_filter

from ..volume import Array

#: Pixels of the window along each axis.
SIZE = 128
#: Where there are no masks: the edge of the square over which values vary, about the width of a
#: wall and its borders; about the radius of a heart; and how often the search moves on. On
#: synthetic hearts up to 35 mm off the middle it ends within 13 mm of them.
_DETAIL, _RADIUS, _MOVES = 15, 30.0, 5


@dataclass(frozen=True, slots=True)
class Window:
    """``size`` x ``size`` pixels of the normalised grid from ``offset``, (i, j), on.

    ``by`` is what it was placed by. ``cut`` is how many pixels of the masks lie outside.
    """

    offset: tuple[int, int]
    size: int
    by: Literal["masks", "images"]
    cut: int = 0


def window(masks: Sequence[Array], images: Sequence[Array], size: int = SIZE) -> Window:
    """Return the window of a subject, from the masks and images of its fixed slices, each (N, N).

    Its middle is that of the box around the myocardium of all slices, so that nothing is cut off
    that can be kept. Where no mask has a pixel it is that of the images: from the middle of the
    grid, where a scan is aimed, it moves to where values vary most within the radius of a heart.
    The window is moved to lie within the grid.

    Raises:
        ValueError: The grid is smaller than the window.
    """
    shape = images[0].shape
    if min(shape) < size:
        msg = f"a window of {size} pixels does not fit into a grid of {shape}"
        raise ValueError(msg)
    union = np.any([np.asarray(mask, bool) for mask in masks], axis=0) if masks else np.zeros(1)
    if not union.any():
        return Window(_around(_liveliest(images), shape, size), size, "images")
    inside = np.nonzero(union)
    offset = _around([(int(n.min()) + int(n.max())) / 2 for n in inside], shape, size)
    i, j = offset
    kept = sum(int(np.count_nonzero(mask[i : i + size, j : j + size])) for mask in masks)
    return Window(offset, size, "masks", sum(int(np.count_nonzero(m)) for m in masks) - kept)


def _around(middle: Sequence[float], shape: Sequence[int], size: int) -> tuple[int, int]:
    """Return the first pixel of the window, the upper where the middle is between two."""
    i, j = (
        min(max(int(np.ceil(centre - (size - 1) / 2)), 0), end - size)
        for centre, end in zip(middle, shape, strict=True)
    )
    return i, j


def _liveliest(images: Sequence[Array]) -> list[float]:
    """Return the mean of near positions, weighted by the variation of values around them."""
    ends = images[0].shape
    weights = np.zeros(ends)
    for image in images:
        values = np.asarray(image, np.float64)
        square = uniform_filter(values**2, _DETAIL) - uniform_filter(values, _DETAIL) ** 2
        weights += np.sqrt(np.maximum(square, 0.0))
    middle = [(end - 1) / 2 for end in ends]
    for _ in range(_MOVES):
        near = [
            np.exp(-((np.arange(end) - centre) ** 2) / (2 * _RADIUS**2))
            for centre, end in zip(middle, ends, strict=True)
        ]
        weighted = weights * near[0][:, None] * near[1]
        if not weighted.sum() > 0:
            break
        sums = (weighted.sum(1), weighted.sum(0))
        middle = [float(total @ np.arange(len(total)) / total.sum()) for total in sums]
    return middle
