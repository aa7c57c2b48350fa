"""Describe a small lumbosacral canal: dura, cord, nerve roots and ganglia. No file is written here.

The frame is that of a body: RAS+, millimetres, z = 0 in the top slice of the CISS image, so the
patient's left has negative x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import phantom
from .phantom import Solid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .phantom import Array

SEGMENTS = ("L1", "L2", "L3", "L4", "L5", "S1", "S2")
_SIDES = {"L": -1.0, "R": 1.0}
_PITCH = 9.0  # from segment to segment, in mm
_LAST_CUT = -26.0  # no nerve root is followed below this z
_CONUS = -13.0
_POWER = 2.4
_ROOT_RADIUS = 0.5


def contour(part: str, z: float, count: int, start: float = 0.0) -> Array:
    """Outline ``Dura`` or ``Cord`` at one height, counter-clockwise seen from above."""
    middle, radii = _section(part, np.array(z))
    outline = phantom.outline(radii.tolist(), count, power=_POWER, start=start) + middle
    return np.concatenate([outline, np.full((count, 1), z)], axis=1)


def roots() -> dict[str, Array]:
    """Give the track of each nerve root by ``<segment>_<side>``, from above downwards."""
    tracks = {}
    for rank, segment in enumerate(SEGMENTS):
        for side, sign in _SIDES.items():
            leave = -_PITCH * (rank + 1)
            enter = -1.0 - 0.8 * rank
            z: Array = np.linspace(enter, max(leave, _LAST_CUT), 6 + rank % 3, dtype=np.float64)
            part = (enter - z) / (enter - leave)
            canal, radii = _section("Dura", z)
            x = canal[:, 0] + sign * (0.7 - 0.08 * rank + 0.15 * part) * radii[:, 0]
            y = canal[:, 1] + (-0.5 + 0.03 * rank + 0.4 * part + 0.05 * sign) * radii[:, 1]
            tracks[f"{segment}_{side}"] = np.stack([x, y, z], axis=-1)
    return tracks


def ganglia() -> dict[str, Array]:
    """Give the place of each ganglion by ``<segment>_<side>``; the lower ones below the CISS."""
    places = {}
    for rank, segment in enumerate(SEGMENTS):
        for side, sign in _SIDES.items():
            z = -_PITCH * (rank + 1) - 0.8 - 0.6 * sign
            x, y = _section("Dura", np.array(z))[0].tolist()
            places[f"{segment}_{side}"] = np.array([x + sign * (11 - 0.4 * rank), y + 1.2, z])
    return places


def image(points: Array, greys: Sequence[float]) -> Array:
    """Paint the canal and its surroundings: muscle, fat, bone, disc, fluid, nerve."""
    muscle, _, _, _, fluid, nerve = greys
    picture = phantom.draw(points, _surroundings(greys), 2.0, muscle)
    for part, value in (("Dura", fluid), ("Cord", nerve)):
        middle, radii = _section(part, points[..., 2])
        ratio = np.abs(points[..., :2] - middle) / radii
        picture[(ratio**_POWER).sum(axis=-1) <= 1.0] = value
    for track in roots().values():
        picture[_distance(points, track[::-1]) <= _ROOT_RADIUS] = nerve
    for place in ganglia().values():
        ganglion = Solid(centre=tuple(place.tolist()), radii=(2.2, 1.8, 3), value=1.3 * nerve)
        picture = phantom.paint(picture, ganglion, points, 2.0)
    middle_point = (0.0, 0.0, -30.0)
    picture *= phantom.shading(points, middle_point, 60.0)
    return picture * (1 + 0.025 * phantom.grain(points, middle_point, 30.0))


def _surroundings(greys: Sequence[float]) -> list[Solid]:
    muscle, fat, bone, disc, *_ = greys
    long = 1e3  # much longer than any field of view
    solids = [Solid(centre=(0.5, -17, 0), radii=(60, 6, long), value=fat, power=3)]
    for level in range(-1, len(SEGMENTS) + 1):
        z = -_PITCH * level - _PITCH / 2
        x, y = _section("Dura", np.array(z))[0].tolist()
        solids.append(Solid(centre=(x, y + 16, z), radii=(13, 9, 3.6), value=bone, power=4))
        below = (x, y + 15.5, z - _PITCH / 2)
        solids.append(Solid(centre=below, radii=(12, 9, 1.5), value=disc, power=3))
    return [*solids, Solid(centre=(-13, -8, 0), radii=(4, 3, long), value=0.4 * muscle, turn=20)]


def _section(part: str, z: Array) -> tuple[Array, Array]:
    """Give centre and radii of a cross-section, each with x and y on the last axis."""
    middle = np.stack([0.6 + 0.02 * z, -0.8 - 0.004 * (z + 22.0) ** 2 + 0.05 * z], axis=-1)
    if part == "Dura":
        return middle, np.stack([7.2 + 0.03 * z, 5.6 + 0.02 * z], axis=-1)
    width = np.sqrt(np.clip((z - _CONUS) / -_CONUS, 1e-6, 1.0))
    return middle + np.array([0.3, -0.6]), np.stack([4.2 * width, 3.3 * width], axis=-1)


def _distance(points: Array, track: Array) -> Array:
    """Measure the distance in the axial plane from a track of ascending z."""
    z = points[..., 2]
    x, y = (np.interp(z, track[:, 2], track[:, axis]) for axis in (0, 1))
    distance = np.hypot(points[..., 0] - x, points[..., 1] - y)
    return np.where((z < track[0, 2]) | (z > track[-1, 2]), np.inf, distance)
