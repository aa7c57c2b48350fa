"""Describe the base of a head with a vestibular schwannoma. No file is written here.

Points are in LPS millimetres from the middle between the inner ears: x grows towards the left ear,
y towards the back, z upwards. The tumour lies on the left, unless a head is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import phantom
from .abdomen import Stack
from .phantom import Solid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .phantom import Array, Mask

_MIDDLE = (0.0, 0.0, 0.0)
_EDGE = 1.4  # width of a border, in mm
# Tissue and shape, each painted over those before it.
_TISSUES = (
    ("brain", Solid(centre=(26, -25, 4), radii=(16, 13, 11), turn=12)),
    ("brain", Solid(centre=(-25, -23, 3), radii=(15, 11, 10), turn=-8)),
    ("brain", Solid(centre=(1, 26, -1), radii=(34, 17, 26), power=2.6)),
    ("bone", Solid(centre=(29, 0, 0), radii=(18, 8.5, 15), turn=28)),
    ("bone", Solid(centre=(-28, 1, 0), radii=(17, 8, 14), turn=-31)),
    ("bone", Solid(centre=(0.5, -22, -4), radii=(9, 8, 10))),
    ("fluid", Solid(centre=(0, 3, 0), radii=(18, 13, 30), power=2.4)),
    ("brain", Solid(centre=(-1, 5, 1), radii=(11, 9.5, 30))),
    ("fluid", Solid(centre=(0, 15.5, 0), radii=(4.5, 3, 8))),
    ("vessel", Solid(centre=(1.5, -8, 0), radii=(2, 2, 30))),
    ("vessel", Solid(centre=(14, -14, -2), radii=(2.4, 2.2, 30))),
    ("vessel", Solid(centre=(-13, -15, -2), radii=(2.2, 2.2, 30))),
    ("fluid", Solid(centre=(22, 1.5, 0), radii=(6.5, 2.8, 2.6))),
    ("fluid", Solid(centre=(-20, 2, 0), radii=(6.5, 2.6, 2.6))),
    ("air", Solid(centre=(37, 9, -1), radii=(6.5, 7, 8))),
    ("air", Solid(centre=(-37, 11, 1), radii=(5, 5.5, 7))),
)
#: The inner ears: left, on the side of the tumour, and right.
COCHLEAE = (
    Solid(centre=(29, -6, 0.6), radii=(3.8, 3.2, 2.8), turn=20),
    Solid(centre=(-27, -5, -0.5), radii=(3.5, 3.1, 2.7), turn=-25),
)
_EXTRAMEATAL = Solid(centre=(14.5, 4, 0.4), radii=(6.5, 6.8, 4.6))
_INTRAMEATAL = Solid(centre=(22.5, 1.5, 0.2), radii=(4.8, 2.9, 2.6))
_GREYS = {
    "ceT1": {
        "fat": 430.0,
        "brain": 260.0,
        "bone": 60.0,
        "fluid": 75.0,
        "vessel": 620.0,
        "air": 6.0,
        "cochlea": 130.0,
        "tumour": 880.0,
        "cyst": 150.0,
    },
    "T2": {
        "fat": 240.0,
        "brain": 210.0,
        "bone": 35.0,
        "fluid": 900.0,
        "vessel": 15.0,
        "air": 4.0,
        "cochlea": 860.0,
        "tumour": 330.0,
        "cyst": 700.0,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One person: the parts of the tumour, cysts in it, and 1 or -1 for its side, left or right."""

    tumour: tuple[Solid, ...]
    cysts: tuple[Solid, ...] = ()
    side: int = 1


def schwannoma(size: float = 1.0, shift: Sequence[float] = _MIDDLE) -> tuple[Solid, Solid]:
    """Give a tumour as its parts outside and inside the auditory canal (meatus)."""
    outside = Solid(
        centre=tuple(float(v) for v in np.add(_EXTRAMEATAL.centre, shift)),
        radii=tuple(size * radius for radius in _EXTRAMEATAL.radii),
    )
    return outside, _INTRAMEATAL


def scan(points: Array, head: Head, contrast: str) -> NDArray[np.int16]:
    """Draw the head as ``ceT1`` or ``T2`` at points (..., 3), with shading and texture."""
    greys = _GREYS[contrast]
    image = np.full(points.shape[:-1], greys["fat"])
    shapes = [
        *_TISSUES,
        *(("cochlea", solid) for solid in COCHLEAE),
        *(("tumour", solid) for solid in reversed(head.tumour)),
        *(("cyst", solid) for solid in head.cysts),
    ]
    anatomy = _mirrored(points, head)
    for tissue, solid in shapes:
        weight = phantom.cover(solid, anatomy, _EDGE)
        image += weight * (greys[tissue] - image)
    image *= phantom.shading(points, _MIDDLE, 40.0)
    image *= 1 + 0.03 * phantom.grain(points, _MIDDLE, 30.0)
    return np.round(image).astype(np.int16)


def parts(points: Array, head: Head) -> tuple[list[Mask], Mask]:
    """Tell where each part of the tumour lies, the first before the others, and the cochleae."""
    anatomy = _mirrored(points, head)
    taken = np.zeros(points.shape[:-1], dtype=np.bool_)
    masks = []
    for solid in head.tumour:
        mask = phantom.inside(solid, anatomy) & ~taken
        masks.append(mask)
        taken |= mask
    left, right = (phantom.inside(solid, anatomy) for solid in COCHLEAE)
    return masks, (left | right) & ~taken


def labels(points: Array, head: Head) -> NDArray[np.uint8]:
    """Label the whole tumour 1 and both cochleae 2."""
    tumour, cochleae = parts(points, head)
    return np.asarray(np.any(tumour, axis=0) + 2 * cochleae, dtype=np.uint8)


def stack(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
    turns: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Stack:
    """Place slices through a head; sizes in mm."""
    return Stack(shape=shape, spacing=spacing, centre=centre, body=(1.0, 1.0, 1.0), turns=turns)


def to_ras(matrix: Array) -> Array:
    """Turn an affine to LPS into one to RAS, as NIfTI has it."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix + 0.0  # no negative zeros


def _mirrored(points: Array, head: Head) -> Array:
    return np.asarray(points * np.array([head.side, 1, 1]), dtype=np.float64)
