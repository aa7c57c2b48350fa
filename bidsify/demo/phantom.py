"""Draw smooth anatomy from superellipsoids, on any grid. No file is written here.

Each image gets a bias field and a grain whose coefficients differ from axis to axis, so no flip,
transposition or slice reversal leaves its values as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SLOPES = np.array([0.13, -0.08, 0.06])
_BENDS = np.array([-0.05, 0.04, -0.03])
# Wave vectors in cycles per reach: oblique, and no multiples of one another.
_WAVES = np.array([[2.3, 1.1, 0.9], [-1.3, 3.7, 1.6], [4.1, -2.2, 2.9]])
_PHASES = np.array([0.4, 1.7, 2.6])


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid:
    """A superellipsoid in two or three dimensions, turned by ``turn`` degrees in ``plane``."""

    centre: tuple[float, ...]
    radii: tuple[float, ...]
    value: float = 0.0
    power: float = 2.0
    turn: float = 0.0
    plane: tuple[int, int] = (0, 1)


def grid(
    shape: Sequence[int],
    spacing: Sequence[float],
    centre: Sequence[float] = (0.0, 0.0, 0.0),
    turns: Sequence[float] = (0.0, 0.0, 0.0),
) -> Array:
    """Compose the affine of a grid about ``centre``, turned about x, y and z by degrees."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(turns) @ np.diag(spacing)
    matrix[:3, 3] = np.asarray(centre) - matrix[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return matrix


def rotation(turns: Sequence[float]) -> Array:
    """Turn about x, then y, then z, by degrees."""
    matrix = np.eye(3)
    for (first, second), degrees in zip(((1, 2), (2, 0), (0, 1)), turns, strict=True):
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turn = np.eye(3)
        turn[[first, second], [first, second]] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = turn @ matrix
    return matrix


def positions(shape: Sequence[int], matrix: Array) -> Array:
    """Give the point of each voxel centre, as an array of one more axis."""
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    return moved(indices, matrix)


def moved(points: NDArray[Any], matrix: NDArray[Any]) -> Array:
    """Apply an affine to points whose coordinates lie on the last axis."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3], dtype=np.float64)


def depth(solid: Solid, points: Array) -> Array:
    """Measure how far out each point lies: 0 in the centre, 1 on the surface."""
    offset = points - np.asarray(solid.centre)
    first, second = solid.plane
    angle = np.deg2rad(solid.turn)
    along = np.cos(angle) * offset[..., first] + np.sin(angle) * offset[..., second]
    across = np.cos(angle) * offset[..., second] - np.sin(angle) * offset[..., first]
    offset[..., first], offset[..., second] = along, across
    ratio = np.abs(offset) / np.asarray(solid.radii)
    return np.asarray((ratio**solid.power).sum(axis=-1) ** (1.0 / solid.power), dtype=np.float64)


def inside(solid: Solid, points: Array) -> Mask:
    """Tell which points lie in the solid."""
    return depth(solid, points) <= 1.0


def cover(solid: Solid, points: Array, edge: float) -> Array:
    """Tell how much of each point the solid covers: 0 to 1, across a border ``edge`` wide."""
    return np.clip(0.5 + (1.0 - depth(solid, points)) * min(solid.radii) / edge, 0.0, 1.0)


def paint(image: Array, solid: Solid, points: Array, edge: float) -> Array:
    """Lay the solid's value over an image."""
    return image + cover(solid, points, edge) * (solid.value - image)


def draw(points: Array, solids: Iterable[Solid], edge: float, background: float = 0.0) -> Array:
    """Paint solids over one another, the last on top."""
    image = np.full(points.shape[:-1], background)
    for solid in solids:
        image = paint(image, solid, points, edge)
    return image


def softened(image: Array, axes: Iterable[int]) -> Array:
    """Smooth an image by the kernel 1 2 1 along some axes."""
    for axis in axes:
        image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def shading(points: Array, centre: Sequence[float], reach: float) -> Array:
    """Compute a bias field around 1 that no symmetry of the grid maps to itself."""
    offset = (points - np.asarray(centre)) / reach
    axes = offset.shape[-1]
    field = 1.0 + offset @ _SLOPES[:axes] + (offset**2) @ _BENDS[:axes]
    return np.asarray(np.clip(field, 0.5, 1.5), dtype=np.float64)


def grain(points: Array, centre: Sequence[float], reach: float) -> Array:
    """Compute a fine texture between -1 and 1: three crossing waves, no noise."""
    offset = (points - np.asarray(centre)) / reach
    waves = np.sin(2 * np.pi * (offset @ _WAVES[:, : offset.shape[-1]].T) + _PHASES)
    return np.asarray(waves.mean(axis=-1), dtype=np.float64)


def sector(angles: Array, first: float, last: float) -> Mask:
    """Tell which angles, in degrees, lie on the way from ``first`` on to ``last``."""
    return (angles - first) % 360.0 < (last - first) % 360.0


def outline(radii: Sequence[float], count: int, *, power: float = 2.0, start: float = 0.0) -> Array:
    """Place ``count`` points around a superellipse about the origin, as an array (count, 2)."""
    angles = start + 2 * np.pi * np.arange(count) / count
    cosine, sine = np.cos(angles), np.sin(angles)
    size = (np.abs(cosine) ** power + np.abs(sine) ** power) ** (1.0 / power)
    return np.stack([radii[0] * cosine / size, radii[1] * sine / size], axis=-1)


def tube(rings: Array) -> Array:
    """Close rings of points (rings, points, 3) to triangles that face outwards.

    Rings run counter-clockwise seen from their end of the tube.
    """
    corner, after = rings, np.roll(rings, -1, axis=1)
    sides = (
        np.stack([corner[:-1], after[:-1], corner[1:]], axis=2),
        np.stack([after[:-1], after[1:], corner[1:]], axis=2),
    )
    middles = np.broadcast_to(rings.mean(axis=1, keepdims=True), rings.shape)
    caps = (
        np.stack([middles[0], after[0], corner[0]], axis=1),
        np.stack([middles[-1], corner[-1], after[-1]], axis=1),
    )
    return np.concatenate([*(side.reshape(-1, 3, 3) for side in sides), *caps])
