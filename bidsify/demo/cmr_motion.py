"""Move the tissue of a synthetic heart, and find it again. No file is written here.

Tissue coordinates are mm in one plane, about the middle of the study. A slice shows the tissue
point c at ``affine @ (x + warp(x))``, where x is c after the taper of its height: the same form as
a registration whose fixed image is the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .phantom import Array

#: Half of the heart's length: its base lies at -REACH, its apex at +REACH, in mm.
REACH = 36.0
_NARROWING = 0.25  # of the heart at its apex
_DRIFT = np.array([0.10, -0.12])  # mm in the plane for each mm towards the apex
_SIGMA = 40.0  # mm; how far around the heart the taper is felt
_WAVES = 3  # of each component of a warp
_SHORTEST, _LONGEST = 65.0, 110.0  # mm, of a wave
_ROUNDS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A smooth displacement in mm: for each component, some plane waves."""

    waves: Array  # (component, wave, axis), radians for each mm
    phases: Array  # (component, wave)
    sizes: Array  # (component, wave), mm

    def at(self, points: Array) -> Array:
        """Return the displacement of points (..., 2)."""
        first, second = points[..., 0], points[..., 1]
        moved = np.zeros(points.shape)
        for axis, wave in np.ndindex(self.sizes.shape):
            along, across = self.waves[axis, wave]
            angles = along * first + across * second + self.phases[axis, wave]
            moved[..., axis] += self.sizes[axis, wave] * np.sin(angles)
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where one slice shows the tissue. ``affine`` is (3, 3), ``height`` that of the tissue in mm.

    ``heart`` is the middle of the heart in tissue coordinates, about which it gets narrower.
    """

    affine: Array
    warp: Warp
    height: float
    heart: Array

    def shown(self, tissue: Array) -> Array:
        """Return where points of the tissue (..., 2) are seen, in mm in the plane."""
        tapered = tissue + self._taper(tissue)
        moved = tapered + self.warp.at(tapered)
        return np.asarray(moved @ self.affine[:2, :2].T + self.affine[:2, 2])

    def tissue(self, shown: Array, tolerance: float = 1e-8) -> Array:
        """Return which tissue is seen at points (..., 2): the inverse of ``shown``."""
        back = np.linalg.inv(self.affine)
        wanted = shown @ back[:2, :2].T + back[:2, 2]
        found = np.array(wanted)
        for _ in range(_ROUNDS):  # a contraction: taper and warp are gentle
            tapered = self._taper(found)
            error = wanted - found - tapered - self.warp.at(found + tapered)
            found += error
            if np.abs(error).max(initial=0.0) < tolerance:
                break
        return found

    def _taper(self, points: Array) -> Array:
        offset = points - self.heart
        narrower = _NARROWING * (self.height + REACH) / (2 * REACH)
        near = np.exp((offset[..., 0] ** 2 + offset[..., 1] ** 2) / (-2 * _SIGMA**2))
        return np.asarray((_DRIFT * self.height - narrower * offset) * near[..., None])


def still() -> Warp:
    """Return the warp that moves nothing."""
    return Warp(np.zeros((2, 1, 2)), np.zeros((2, 1)), np.zeros((2, 1)))


def random_warp(random: np.random.Generator, largest: float) -> Warp:
    """Draw a warp whose components stay below ``largest`` mm."""
    lengths = random.uniform(_SHORTEST, _LONGEST, (2, _WAVES))
    angles = random.uniform(0.0, 2 * np.pi, (2, _WAVES))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    waves = directions * (2 * np.pi / lengths)[..., None]
    sizes = random.uniform(0.6, 1.0, (2, _WAVES))
    sizes *= largest / sizes.sum(axis=-1, keepdims=True)
    return Warp(waves, random.uniform(0.0, 2 * np.pi, (2, _WAVES)), sizes)


def random_affine(random: np.random.Generator) -> Array:
    """Draw a rotation of up to 10 degrees, scales of 0.93 to 1.07, a shear and up to 8 mm."""
    angle = np.deg2rad(random.uniform(-10.0, 10.0))
    cosine, sine = np.cos(angle), np.sin(angle)
    first, second = random.uniform(0.93, 1.07, 2)
    matrix = np.eye(3)
    matrix[:2, :2] = [[cosine, -sine], [sine, cosine]] @ np.array(
        [[first, random.uniform(-0.05, 0.05)], [0.0, second]]
    )
    matrix[:2, 2] = random.uniform(-8.0, 8.0, 2)
    return matrix
