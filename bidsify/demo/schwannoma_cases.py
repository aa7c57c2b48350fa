"""Describe the people of Vestibular-Schwannoma-SEG: their series, their structures, the contours.

No file is written here. Two frames of reference belong to each person, that of T1 and that of T2,
both in LPS millimetres. Each structure is made of ellipsoids in the head, so that its contours and
its voxels are known on any grid. Structures of one person may overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import cerebellopontine, phantom
from .cerebellopontine import Head
from .phantom import Solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .abdomen import Stack
    from .phantom import Array, Mask

_POINTS = 32  # of each contour
# Sections nearer to a pole than this share of the squared depth are left out: nothing but a speck.
_POLE = 0.98
# A polygon of 32 corners leaves out half a percent of the radius; closer points decide nothing.
_MARGIN = 0.012
#: Where the middle between the inner ears lies in the frame of reference of T1.
_CENTRE = (4.0, -22.0, -38.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A region of interest: parts that lie apart, and holes each within one part."""

    name: str
    parts: tuple[Solid, ...]
    holes: tuple[Solid, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person; the rigid map from T1 to T2 is a turn (degrees, about x, y, z) and a shift."""

    number: int
    structures: tuple[Structure, ...]
    t1: Stack
    t2: Stack
    turns: tuple[float, float, float]
    shift: tuple[float, float, float]
    is_falling: bool = False  # the first instance lies on top

    def stack(self, weighting: str) -> Stack:
        """Give the slices of ``t1`` or ``t2``."""
        return self.t1 if weighting == "t1" else self.t2

    def to_other(self, weighting: str) -> Array:
        """Give the rigid 4 x 4 map from the frame of ``t1`` or ``t2`` to that of the other."""
        matrix = np.eye(4)
        matrix[:3, :3] = phantom.rotation(self.turns)
        matrix[:3, 3] = self.shift
        if weighting == "t2":
            matrix[:3, :3] = matrix[:3, :3].T
            matrix[:3, 3] = -matrix[:3, :3] @ matrix[:3, 3]
        return matrix

    def to_head(self, weighting: str) -> Array:
        """Give the rigid 4 x 4 map from the frame of ``t1`` or ``t2`` to the head."""
        matrix = np.eye(4)
        matrix[:3, 3] = -np.asarray(_CENTRE)
        return matrix if weighting == "t1" else matrix @ self.to_other("t2")

    def points(self, weighting: str) -> Array:
        """Give the voxel centres of a series in the coordinates of the head."""
        stack = self.stack(weighting)
        return phantom.positions(stack.shape, self.to_head(weighting) @ stack.matrix())

    def head(self) -> Head:
        """Give the head with the first structure as its tumour."""
        first = self.structures[0]
        return Head(tumour=first.parts, cysts=first.holes)


def _ellipsoid(x: float, y: float, z: float, *radii: float, turn: float = 0.0) -> Solid:
    return Solid(centre=(x, y, z), radii=radii, turn=turn)


_COCHLEA = cerebellopontine.COCHLEAE[0]
_T1 = cerebellopontine.stack((36, 32, 9), (2.0, 1.9, 1.5), (3.5, -21.0, -36.9))
_T2 = cerebellopontine.stack((38, 33, 10), (1.9, 1.8, 1.25), (4.5, -22.5, -38.5))
#: One case tumour and cochlea apart; one oblique with overlapping structures; one with a hole and
#: a part apart; one whose first structure is a meningioma.
CASES = (
    Case(
        number=1,
        structures=(
            Structure(name="TV", parts=(_ellipsoid(15, 4, 0.4, 7.2, 6.4, 4.6, turn=15),)),
            Structure(name="Cochlea", parts=(_COCHLEA,)),
        ),
        t1=_T1,
        t2=_T2,
        turns=(0.08, -0.04, 0.05),
        shift=(-0.11, -0.16, -0.05),
    ),
    Case(
        number=12,
        structures=(
            Structure(name="AN", parts=(_ellipsoid(15, 4, 0.4, 7.6, 6.8, 4.9),)),
            Structure(name="Vol2016", parts=(_ellipsoid(18, 1.5, 0.0, 7.4, 5.6, 4.4, turn=-20),)),
            Structure(name="Cochlea", parts=(_COCHLEA,)),
        ),
        t1=cerebellopontine.stack((36, 31, 9), (2.0, 1.9, 1.5), (3.0, -22.0, -38.0), (5, -3, 2)),
        t2=cerebellopontine.stack((37, 34, 10), (1.9, 1.8, 1.25), (4.0, -21.0, -38.5), (4, -3, 3)),
        turns=(1.2, -0.9, 2.1),
        shift=(0.9, -1.1, 0.6),
        is_falling=True,
    ),
    Case(
        number=47,
        structures=(
            Structure(
                name="tv",
                parts=(_ellipsoid(13, 5, 0, 8.4, 8.8, 5.4), _ellipsoid(26, 1.5, 0, 3.8, 3.2, 3)),
                holes=(_ellipsoid(12.5, 5.5, 0.2, 4.2, 4.6, 3.0, turn=10),),
            ),
        ),
        t1=_T1,
        t2=_T2,
        turns=(-0.3, 0.2, 0.4),
        shift=(0.3, 0.2, -0.2),
    ),
    Case(
        number=63,
        structures=(
            Structure(name="Men", parts=(_ellipsoid(12, -2, 0, 7.0, 6.0, 4.4, turn=-30),)),
            Structure(name="cochlea", parts=(_COCHLEA,)),
            Structure(name="vol 2y", parts=(_ellipsoid(12, -2, 0, 8.6, 7.4, 5.0, turn=-30),)),
        ),
        t1=_T1,
        t2=_T2,
        turns=(0.2, 0.1, -0.3),
        shift=(-0.4, 0.3, 0.1),
    ),
)


def scan(case: Case, weighting: str, onto: str | None = None) -> NDArray[np.int16]:
    """Draw ``t1`` or ``t2`` on its own grid, or registered on that of the other."""
    contrast = "ceT1" if weighting == "t1" else "T2"
    return cerebellopontine.scan(case.points(onto or weighting), case.head(), contrast)


def masks(case: Case, weighting: str) -> dict[str, tuple[Mask, Mask]]:
    """Tell which voxels (column, row, slice upwards) of a series lie in each structure.

    The second mask marks the voxels of which this is sure; the centres of the others lie so near
    to a border that a contour of few points may have them on its other side.
    """
    points = case.points(weighting)
    found = {}
    for structure in case.structures:
        depths = [phantom.depth(solid, points) for solid in (*structure.parts, *structure.holes)]
        inside = np.logical_xor.reduce([depth <= 1.0 for depth in depths])
        sure = np.all([np.abs(depth - 1.0) > _MARGIN for depth in depths], axis=0)
        found[structure.name] = (np.asarray(inside), np.asarray(sure))
    return found


def contours(case: Case, weighting: str, structure: Structure) -> list[tuple[int, Array]]:
    """Cut a structure by the slices of a series: level and points (32, 3), in the series' frame.

    A hole is a contour of its own within that of its part, on the same level.
    """
    stack, to_head = case.stack(weighting), case.to_head(weighting)
    axes = phantom.rotation(stack.turns)[:, :2]
    found = []
    for level in range(stack.shape[2]):
        corner = phantom.moved(np.array([0, 0, level]), stack.matrix())
        origin = phantom.moved(corner, to_head)
        for solid in (*structure.parts, *structure.holes):
            inplane = _section(solid, origin, to_head[:3, :3] @ axes)
            if inplane is not None:
                found.append((level, np.round(corner + inplane @ axes.T, 6)))
    return found


def _section(solid: Solid, origin: Array, axes: Array) -> Array | None:
    """Cut an ellipsoid by the plane at ``origin`` along two axes (3, 2): coordinates (points, 2).

    On the plane, the squared depth is a quadratic form about its deepest point; where it is 1, it
    is an ellipse: the image of a circle under the inverse Cholesky factor of that form.
    """
    angle = np.deg2rad(solid.turn)
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    quadric = turn.T @ np.diag(np.asarray(solid.radii) ** -2.0) @ turn
    offset = origin - np.asarray(solid.centre)
    form = axes.T @ quadric @ axes
    deepest = -np.linalg.solve(form, axes.T @ quadric @ offset)
    bottom = offset + axes @ deepest
    least = float(bottom @ quadric @ bottom)
    if least >= _POLE:
        return None
    circle = phantom.outline((1.0, 1.0), _POINTS, start=0.1) * np.sqrt(1.0 - least)
    ellipse = np.linalg.solve(np.linalg.cholesky(form).T, circle.T).T
    return np.asarray(deepest + ellipse, dtype=np.float64)
