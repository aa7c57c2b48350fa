"""Describe a small heart with an infarct, and stacks of short-axis slices. No file is written here.

Coordinates are steps of about a pixel in the plane, and slices from base to apex along the third
axis. The right ventricle lies at low x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import phantom
from .phantom import Solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .phantom import Array, Mask

Middle = tuple[float, float, float]

HEALTHY, SCAR, OEDEMA, LEFT_BLOOD, RIGHT_BLOOD = range(1, 6)
# Grey values of chest, fat, lung, blood, myocardium, scar, oedema.
SEQUENCES = {
    "bSSFP": (70, 165, 12, 215, 92, 104, 112),
    "LGE": (60, 120, 8, 130, 34, 225, 52),
    "T2w": (66, 150, 6, 38, 84, 118, 172),
}


def labels(points: Array, middle: Middle, direction: float) -> NDArray[np.uint8]:
    """Label healthy muscle, scar, oedema, left and right blood pool as 1 to 5.

    The infarct lies in ``direction``, in degrees from the first to the second axis.
    """
    outer, inner = _ring(points, middle)
    values = np.where(outer & ~inner, HEALTHY, 0).astype(np.uint8)
    offset = points[..., :2] - _centre(points, middle)
    angles = np.rad2deg(np.arctan2(offset[..., 1], offset[..., 0]))
    start = direction + 4.0 * points[..., 2]  # the infarct winds towards the apex
    radius = np.hypot(offset[..., 0], offset[..., 1])
    is_inner = radius < 0.87 * _outer(points)
    values[(values > 0) & phantom.sector(angles - start, -38.0, 62.0)] = OEDEMA
    values[(values > 0) & phantom.sector(angles - start, -24.0, 30.0) & is_inner] = SCAR
    values[inner] = LEFT_BLOOD
    values[phantom.inside(_right_ventricle(middle, 0.0), points) & ~outer] = RIGHT_BLOOD
    return values


def image(
    points: Array, middle: Middle, values: NDArray[np.uint8], greys: tuple[int, ...]
) -> Array:
    """Paint the chest and the labelled heart in the greys of a sequence, from 0 to 255."""
    chest, fat, lung, blood, *tissue = map(float, greys)
    picture = phantom.draw(points, _thorax(middle, (chest, fat, lung, blood)), edge=2.0)
    for value, grey in ((LEFT_BLOOD, blood), *enumerate(tissue, start=HEALTHY)):
        picture[values == value] = grey
    picture = phantom.softened(picture, (0, 1))
    picture *= phantom.shading(points, middle, 36.0)
    picture += 6.0 * phantom.grain(points, middle, 24.0)
    return np.clip(picture, 0.0, 255.0)


def _thorax(middle: Middle, greys: tuple[float, float, float, float]) -> list[Solid]:
    chest, fat, lung, blood = greys
    x, y, _ = middle
    deep = 1e3  # much longer than the stack: these do not change from slice to slice
    return [
        Solid(centre=(x, y, 0), radii=(30, 27, deep), value=fat, power=3),
        Solid(centre=(x + 0.5, y + 0.5, 0), radii=(27, 24, deep), value=chest, power=3),
        Solid(centre=(x - 13, y + 6, 0), radii=(10, 14, deep), value=lung, turn=12),
        Solid(centre=(x + 15, y + 10, 0), radii=(7, 10, deep), value=lung, turn=-20),
        _right_ventricle(middle, blood),
        Solid(centre=(x + 9, y - 17, 0), radii=(3, 3, deep), value=blood),
    ]


def _right_ventricle(middle: Middle, blood: float) -> Solid:
    x, y, _ = middle
    return Solid(centre=(x - 8, y - 5, 1), radii=(11, 8, 7), value=blood, turn=30)


def _ring(points: Array, middle: Middle) -> tuple[Mask, Mask]:
    offset = points[..., :2] - _centre(points, middle)
    radius = np.hypot(offset[..., 0], 1.07 * offset[..., 1])
    return radius <= _outer(points), radius <= 0.62 * _outer(points)


def _centre(points: Array, middle: Middle) -> Array:
    # The long axis of the heart is oblique: the centre drifts from base to apex.
    x, y, _ = middle
    level = points[..., 2]
    return np.stack([x + 3 + 0.6 * level, y + 1 - 0.9 * level], axis=-1)


def _outer(points: Array) -> Array:
    return np.asarray(14.0 - 0.17 * points[..., 2] ** 2, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Oblique short-axis slices of one heart in millimetres, one grid for all its sequences."""

    shape: tuple[int, int, int]  # columns, rows, slices
    direction: float  # of the infarct, in degrees
    turns: tuple[float, float, float]
    centre: tuple[float, float, float] = (-18.0, 12.0, 25.0)
    size: float = 1.0

    def matrix(self) -> Array:
        """Give the affine from (column, row, slice) to RAS millimetres."""
        # Pixels of 0.75 mm and a slice every 14 mm, as in most cases of the MyoPS challenges.
        return phantom.grid(self.shape, (-0.75, -0.75, 14.0), self.centre, self.turns)

    def labels(self) -> NDArray[np.uint8]:
        """Label the voxels as ``labels`` does."""
        return labels(self._points(), self._middle(), self.direction)

    def image(self, sequence: str) -> NDArray[np.int16]:
        """Paint one of ``SEQUENCES``."""
        points, middle = self._points(), self._middle()
        picture = image(points, middle, self.labels(), SEQUENCES[sequence])
        return np.round(picture).astype(np.int16)

    def _points(self) -> Array:
        return phantom.positions(self.shape, np.diag([1 / self.size, 1 / self.size, 1.0, 1.0]))

    def _middle(self) -> Middle:
        columns, rows, slices = self.shape
        return columns / 2 / self.size, rows / 2 / self.size, slices / 2
