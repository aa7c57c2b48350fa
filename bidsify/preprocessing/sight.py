"""What registration sees of a slice: its image and masks on the normalised grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..volume import Array
from . import labels, normalisation, warp
from .labels import Coding
from .stack import Pair, Slice

_HALF = 0.5


class View(NamedTuple):
    """A slice on the normalised grid: values from 0 to 1, (N, N), and its masks, (2, N, N)."""

    image: Array
    masks: Array | None


@dataclass(frozen=True, eq=False)
class Sight:
    """A slice and its map from the normalised grid; what is made of it is made once.

    ``frame`` (3, 3) maps pixels of the grid, of ``size`` along each axis, to those of the slice.
    """

    slice: Slice
    frame: Array
    size: int
    coding: Coding | None

    @cached_property
    def still(self) -> View:
        """Return the slice as it lies."""
        return self.moved(np.eye(3))

    def told(self, other: Sight) -> Array:
        """Return the map from the grid of another slice to this one's that the headers tell."""
        place, plane = other.slice.plane @ other.frame, self.slice.plane
        solid = np.column_stack([plane[:, :2], self.slice.normal])
        pixels = np.eye(3)
        pixels[:2] = (np.linalg.inv(solid) @ (place - np.outer(plane[:, 2], [0, 0, 1])))[:2]
        found: Array = np.linalg.inv(self.frame) @ pixels
        return found

    def moved(self, affine: Array) -> View:
        """Return the slice resampled by an affine map (3, 3) of the grid."""
        places = warp.coordinates(self.size, None, affine, self.frame)
        image = warp.sample(self._values, places, 1) / normalisation.TOP
        if self._masks is None:
            return View(image, None)
        drawn = np.stack([warp.sample(mask, places, 1) > _HALF for mask in self._masks])
        return View(image, drawn)

    @cached_property
    def _values(self) -> Array:
        return normalisation.rescaled(self.slice.pixels)

    @cached_property
    def _masks(self) -> Array | None:
        if self.coding is None or self.slice.labels is None:
            return None
        return labels.masks(self.slice.labels, self.coding).astype(np.float32)


def pair(fixed: View, moving: View) -> Pair:
    """Return two slices as a pair; without masks where one of them has none."""
    if fixed.masks is None or moving.masks is None:
        return Pair(fixed.image, moving.image)
    return Pair(fixed.image, moving.image, fixed.masks, moving.masks)
