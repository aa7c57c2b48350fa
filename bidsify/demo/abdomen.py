"""Describe a small abdomen, and stacks of slices through it. No file is written here.

Coordinates are those of DICOM (LPS+), as multiples of the half-width of the body: the patient's
right has negative x, his back positive y. The liver lies on the right, the spleen on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import native, phantom
from .phantom import Solid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .phantom import Array

_LONG = 1e3  # much longer than the body
# Tissue and shape, each painted over those before it.
_TISSUES = (
    ("fat", Solid(centre=(0, 0, 0), radii=(1, 0.76, _LONG), power=2.6)),
    ("muscle", Solid(centre=(0.01, 0.02, 0), radii=(0.91, 0.67, _LONG), power=2.6)),
    ("fat", Solid(centre=(0, -0.04, 0), radii=(0.8, 0.54, _LONG), power=2.6)),
    ("lung", Solid(centre=(-0.4, 0.02, 1.25), radii=(0.42, 0.52, 0.7))),
    ("lung", Solid(centre=(0.46, 0.04, 1.1), radii=(0.36, 0.5, 0.55))),
    ("bowel", Solid(centre=(-0.3, -0.18, -0.85), radii=(0.4, 0.3, 0.45), turn=8)),
    ("bowel", Solid(centre=(0.36, -0.12, -0.7), radii=(0.34, 0.36, 0.35), turn=-14)),
    ("gas", Solid(centre=(-0.34, -0.26, -0.9), radii=(0.24, 0.14, 0.38))),
    ("bowel", Solid(centre=(0.36, -0.22, 0.35), radii=(0.28, 0.24, 0.42), turn=20)),
    ("gas", Solid(centre=(0.38, -0.32, 0.38), radii=(0.16, 0.1, 0.3))),
    ("bone", Solid(centre=(0.02, 0.45, 0), radii=(0.16, 0.14, _LONG), power=2.5)),
    ("blood", Solid(centre=(0.1, 0.25, 0), radii=(0.07, 0.07, _LONG))),
    ("blood", Solid(centre=(-0.1, 0.23, 0), radii=(0.08, 0.06, _LONG))),
)
# The value of each organ in the label map is its place in this list, from 1.
_ORGANS = (
    ("liver", (
        Solid(centre=(-0.4, -0.06, 0.3), radii=(0.38, 0.42, 0.62), power=2.3, turn=-12),
        Solid(centre=(-0.04, -0.27, 0.42), radii=(0.3, 0.19, 0.3)),
    )),
    ("kidney", (Solid(centre=(-0.38, 0.33, -0.42), radii=(0.15, 0.13, 0.4), turn=25),)),
    ("kidney", (Solid(centre=(0.4, 0.32, -0.28), radii=(0.14, 0.14, 0.42), turn=-20),)),
    ("spleen", (Solid(centre=(0.6, 0.2, 0.4), radii=(0.17, 0.25, 0.4), turn=18),)),
)  # fmt: skip


def labels(points: Array) -> NDArray[np.uint8]:
    """Label liver, right kidney, left kidney and spleen as 1 to 4."""
    values = np.zeros(points.shape[:-1], np.uint8)
    for value, (_, solids) in enumerate(_ORGANS, start=1):
        for solid in solids:
            values[phantom.inside(solid, points)] = value
    return values


def image(points: Array, greys: Mapping[str, float]) -> Array:
    """Paint the abdomen with a grey value for each tissue, and for ``air`` around it."""
    organs = [(tissue, solid) for tissue, solids in _ORGANS for solid in solids]
    picture = np.full(points.shape[:-1], greys["air"])
    for tissue, solid in (*_TISSUES, *organs):
        weight = phantom.cover(solid, points, 0.035)
        picture += weight * (greys[tissue] - picture)
    return picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The slices of one series, from below upwards: grid in LPS, and half-widths of the body."""

    shape: tuple[int, int, int]  # columns, rows, slices
    spacing: tuple[float, float, float]
    centre: tuple[float, float, float]
    body: tuple[float, float, float]
    turns: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def matrix(self) -> Array:
        """Give the affine from (column, row, slice) to LPS."""
        return phantom.grid(self.shape, self.spacing, self.centre, self.turns)

    def points(self) -> Array:
        """Give the voxel centres in the coordinates of the abdomen."""
        where = phantom.positions(self.shape, self.matrix())
        offset = where - np.array(self.centre)
        return np.asarray(offset / np.array(self.body), dtype=np.float64)

    def plane(self, level: int) -> dict[str, object]:
        """Give the DICOM attributes that place one slice."""
        corner = phantom.moved(np.array([0, 0, level]), self.matrix())
        directions = phantom.rotation(self.turns)[:, :2].T.ravel()
        return {
            "ImagePositionPatient": native.decimals(np.round(corner, 6).tolist()),
            "ImageOrientationPatient": native.decimals(np.round(directions, 9).tolist()),
            "PixelSpacing": native.decimals((self.spacing[1], self.spacing[0])),
        }
