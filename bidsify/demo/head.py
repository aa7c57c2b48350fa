"""Describe heads of several people, as volumes of one size. No file is written here.

Coordinates are those of DICOM (LPS+), with half the length of a large head as the unit: the
patient's right has negative x, his back positive y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import phantom
from .phantom import Solid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .phantom import Array

SHAPE = (26, 30, 22)
_STEP = 0.077
_MIDDLE = (0.0, 0.0, 0.0)
# Tissue and shape, each painted over those before it.
_TISSUES = (
    ("skin", Solid(centre=(0, 0, 0), radii=(0.84, 1.02, 0.8))),
    ("bone", Solid(centre=(0.01, 0, 0), radii=(0.77, 0.94, 0.74))),
    ("fluid", Solid(centre=(0.01, 0.01, 0), radii=(0.69, 0.86, 0.66))),
    ("cortex", Solid(centre=(-0.33, 0, 0.06), radii=(0.33, 0.8, 0.56), power=2.3, turn=3)),
    ("cortex", Solid(centre=(0.34, 0.02, 0.06), radii=(0.32, 0.8, 0.56), power=2.3, turn=-3)),
    ("white", Solid(centre=(-0.32, 0.02, 0.06), radii=(0.2, 0.6, 0.38), power=2.3, turn=4)),
    ("white", Solid(centre=(0.32, 0.04, 0.06), radii=(0.2, 0.58, 0.38), power=2.3, turn=-4)),
    ("white", Solid(centre=(0, 0.02, 0.14), radii=(0.24, 0.2, 0.12))),
    ("fluid", Solid(centre=(-0.13, -0.02, 0.1), radii=(0.08, 0.34, 0.14), turn=-10)),
    ("fluid", Solid(centre=(0.14, 0.0, 0.1), radii=(0.09, 0.36, 0.15), turn=12)),
    ("cortex", Solid(centre=(-0.2, 0.06, -0.02), radii=(0.13, 0.18, 0.14))),
    ("cortex", Solid(centre=(0.2, 0.08, -0.02), radii=(0.13, 0.18, 0.14))),
    ("cortex", Solid(centre=(0.02, 0.48, -0.42), radii=(0.4, 0.28, 0.2), power=2.4)),
    ("white", Solid(centre=(0.01, 0.22, -0.5), radii=(0.12, 0.14, 0.26))),
    ("fluid", Solid(centre=(-0.3, -0.82, -0.42), radii=(0.15, 0.15, 0.14))),
    ("fluid", Solid(centre=(0.32, -0.8, -0.42), radii=(0.14, 0.15, 0.14))),
)
_NAMES = ("air", "skin", "bone", "fluid", "cortex", "white", "lesion")
_GREYS = {
    "CT": (0, 70, 250, 60, 118, 100, 165),
    "MRI": (4, 150, 16, 235, 138, 92, 205),
    "SPECT": (2, 14, 8, 26, 205, 130, 60),
    "PET": (2, 20, 12, 40, 225, 120, 70),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One head: its size along each axis, how it is turned, and a lesion of the brain, if any."""

    size: tuple[float, float, float]
    turns: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lesion: Solid | None = None


def volume(person: Person, modality: str) -> NDArray[np.uint8]:
    """Paint a head as ``SHAPE``; the axes run to the left, to the back, and upwards."""
    where = phantom.positions(SHAPE, phantom.grid(SHAPE, (_STEP, _STEP, _STEP)))
    points = where @ phantom.rotation(person.turns) / np.asarray(person.size)
    grey = dict(zip(_NAMES, map(float, _GREYS[modality]), strict=True))
    image: Array = np.full(SHAPE, grey["air"])
    for tissue, solid in (*_TISSUES, *_lesions(person)):
        image += phantom.cover(solid, points, 0.07) * (grey[tissue] - image)
    if modality in {"SPECT", "PET"}:
        image = phantom.softened(image, (0, 1, 2))  # these see less detail
    image *= phantom.shading(where, _MIDDLE, 1.8)
    image *= 1 + 0.05 * phantom.grain(points, _MIDDLE, 0.7)
    return np.round(np.clip(image, 0.0, 255.0)).astype(np.uint8)


def coloured(grey: NDArray[np.uint8], colours: Array) -> NDArray[np.uint8]:
    """Colour a picture by a scale of equal steps, an array (steps, 3) of 0 to 255."""
    steps = np.linspace(0.0, 255.0, len(colours))
    channels = [np.interp(grey, steps, channel) for channel in colours.T]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def _lesions(person: Person) -> list[tuple[str, Solid]]:
    return [] if person.lesion is None else [("lesion", person.lesion)]
