"""Synthetic pairs of short-axis slices of different contrast, of which the truth is known.

Pairs of 224 x 224 pixels of 1 mm: myocardium, blood of both ventricles, organs, and a scar of
1.2 rad that no method is told of, as LGE against bSSFP or T2w. The moving slice is turned (up to
10 degrees), scaled (0.93 to 1.07), sheared, shifted (up to 9 pixels) and warped (up to 3.5 pixels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bidsify.preprocessing.stack import Pair
from bidsify.volume import Array

SIZE, MIDDLE = 224, 112
GRID = np.mgrid[:SIZE, :SIZE].astype(float)
LGE = {"ground": 0.35, "organs": 0.5, "blood": 0.75, "myocardium": 0.12, "scar": 0.95}
BSSFP = {"ground": 0.3, "organs": 0.4, "blood": 0.95, "myocardium": 0.35, "scar": 0.35}
T2W = {"ground": 0.4, "organs": 0.6, "blood": 0.2, "myocardium": 0.5, "scar": 0.75}


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """What lies where in one slice: regions (N, N) of bool, textures and organs (k, N, N)."""

    myocardium: Array
    blood: Array
    right: Array
    body: Array
    scar: Array
    textures: Array
    organs: Array


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Two slices, and what registration does not see: scars, and where each pixel came from.

    ``origin`` is (2, N, N): the fixed coordinates of each pixel of the moving slice.
    """

    pair: Pair
    fixed_scar: Array
    moving_scar: Array
    origin: Array
    affine: Array


class Heart:
    """One heart, drawn by chance, which tells its anatomy at any coordinates."""

    def __init__(self, chance: np.random.Generator) -> None:
        """Draw its shape, its surroundings and its scar."""
        self.centre = MIDDLE + chance.uniform(-6, 6, 2)
        self.inner, self.wall = chance.uniform(16, 24), chance.uniform(8, 12)
        self.flat, self.angle = chance.uniform(0.9, 1.1), chance.uniform(0, 2 * np.pi)
        self.textures = [smooth(chance, 6), smooth(chance, 3)]
        places = [np.array([150.0, 60.0]) + chance.uniform(-10, 10, 2) for _ in range(3)]
        self.organs = [(place, chance.uniform(15, 30)) for place in places]

    def at(self, points: Array) -> Anatomy:
        """Return the anatomy at fixed coordinates, (2, N, N)."""
        i, j = points[0] - self.centre[0], points[1] - self.centre[1]
        radius = np.hypot(j * self.flat, i / self.flat)
        myocardium = (radius > self.inner) & (radius < self.inner + self.wall)
        blood = radius <= self.inner
        right = np.hypot((j - 38) / 0.7, (i + 8) / 1.4) < 24
        around = (np.arctan2(i, j) - self.angle) % (2 * np.pi)
        offsets = [(points - place[:, None, None], size) for place, size in self.organs]
        return Anatomy(
            myocardium,
            blood,
            right & ~myocardium & ~blood,
            np.hypot((points[1] - MIDDLE) / 100, (points[0] - MIDDLE) / 85) < 1,
            myocardium & (around < 1.2),
            np.stack([sampled(texture, points) for texture in self.textures]),
            np.stack([np.exp(-(off**2).sum(0) / (2 * size**2)) for off, size in offsets]),
        )


def smooth(chance: np.random.Generator, width: float) -> Array:
    """Return smooth noise from -1 to 1."""
    noise = ndimage.gaussian_filter(chance.standard_normal((SIZE, SIZE)), width)
    found: Array = noise / np.abs(noise).max()
    return found


def sampled(image: Array, points: Array, order: int = 1, mode: str = "nearest") -> Array:
    """Return an image at coordinates (2, N, N)."""
    found: Array = ndimage.map_coordinates(image, points, order=order, mode=mode)
    return found


def picture(anatomy: Anatomy, contrast: dict[str, float], chance: np.random.Generator) -> Array:
    """Return what a sequence makes of an anatomy, from 0 to 1."""
    coarse, fine = anatomy.textures
    image = anatomy.body * (contrast["ground"] + coarse * 0.12 + fine * 0.06)
    for organ, bright in zip(anatomy.organs, (0.5, 0.8, 0.3), strict=True):
        image = image + organ * bright * contrast["organs"] * anatomy.body
    image = np.where(anatomy.blood | anatomy.right, contrast["blood"] + fine * 0.04, image)
    image = np.where(anatomy.myocardium, contrast["myocardium"] + fine * 0.04, image)
    image = np.where(anatomy.scar, contrast["scar"], image)
    noise = chance.standard_normal(image.shape) * 0.03
    found: Array = np.clip((ndimage.gaussian_filter(image, 0.7) + noise) * 0.8, 0, 1)
    return found


def subject(seed: int) -> Subject:
    """Return a pair of slices with its truth: LGE against bSSFP or T2w."""
    chance = np.random.default_rng(seed)
    heart = Heart(chance)
    turn, shear = np.deg2rad(chance.uniform(-10, 10)), chance.uniform(-0.05, 0.05)
    scale, shift = chance.uniform(0.93, 1.07, 2), chance.uniform(-9, 9, 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.eye(3)
    back[:2, :2] = rotation @ np.array([[scale[0], shear], [0, scale[1]]])
    back[:2, 2] = shift + MIDDLE - back[:2, :2] @ [MIDDLE, MIDDLE]
    warp = 3.5 * np.stack([smooth(chance, 14), smooth(chance, 14)])
    origin = moved(back, GRID) + warp
    fixed, moving = heart.at(GRID), heart.at(origin)
    pair = Pair(
        picture(fixed, LGE, chance),
        picture(moving, (BSSFP, T2W)[seed % 2], chance),
        *(np.stack([one.myocardium, one.myocardium | one.blood]) for one in (fixed, moving)),
    )
    return Subject(pair, fixed.scar, moving.scar, origin, np.linalg.inv(back))


def moved(matrix: Array, points: Array) -> Array:
    """Return coordinates (2, N, N) under a map (3, 3)."""
    found: Array = np.tensordot(matrix[:2, :2], points, 1) + matrix[:2, 2, None, None]
    return found
