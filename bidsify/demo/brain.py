"""Draw a small brain with tumours, in the four contrasts of the BraTS data. No file is written.

Coordinates are right, anterior and superior (RAS+), as multiples of the half-lengths of the brain
about its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import phantom
from .phantom import Solid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .phantom import Array, Mask

CONTRASTS = ("T1", "T1ce", "T2", "FLAIR")

_MIDDLE = (0.0, 0.0, 0.0)
_EDGE = 0.1
# Grey value of each tissue in each contrast.
_GREYS = {
    "air": (6, 7, 5, 6),
    "skin": (820, 900, 690, 640),
    "bone": (90, 120, 70, 60),
    "muscle": (360, 470, 210, 240),
    "eye": (200, 220, 980, 300),
    "fluid": (150, 160, 960, 70),
    "grey": (460, 490, 430, 440),
    "white": (620, 640, 310, 340),
    "nucleus": (500, 535, 390, 410),
    "oedema": (370, 385, 720, 900),
    "enhancing": (430, 1080, 560, 620),
    "necrosis": (250, 275, 690, 480),
    "solid": (340, 360, 700, 720),
    "cyst": (190, 200, 920, 270),
    "cavity": (155, 165, 930, 100),
}
_CEREBRUM = Solid(centre=(0, 0.02, 0.1), radii=(0.97, 0.98, 0.88), power=2.3)
_CEREBELLUM = Solid(centre=(0.04, -0.52, -0.55), radii=(0.6, 0.42, 0.4), turn=5)
_STEM = Solid(centre=(-0.02, -0.12, -0.7), radii=(0.22, 0.2, 0.3))
# Tissue and shape, each painted over those before it; the fluid is what shows between them.
# The right ventricle is the smaller one and lies further back, so the sides differ.
_TISSUES = (
    ("grey", Solid(centre=(0, 0.02, 0.1), radii=(0.92, 0.94, 0.84), power=2.3)),
    ("grey", _CEREBELLUM),
    ("white", Solid(centre=(0.42, 0.04, 0.16), radii=(0.34, 0.72, 0.55), turn=-6)),
    ("white", Solid(centre=(-0.43, 0, 0.14), radii=(0.36, 0.74, 0.56), turn=8)),
    ("white", Solid(centre=(0.01, -0.04, 0.26), radii=(0.45, 0.4, 0.16))),
    ("white", Solid(centre=(0.24, -0.55, -0.55), radii=(0.2, 0.22, 0.18))),
    ("white", Solid(centre=(-0.2, -0.5, -0.55), radii=(0.2, 0.24, 0.2))),
    ("white", _STEM),
    ("fluid", Solid(centre=(0.01, 0.1, 0.75), radii=(0.05, 0.95, 0.42))),
    ("fluid", Solid(centre=(0.15, -0.06, 0.12), radii=(0.09, 0.36, 0.17), turn=-14)),
    ("fluid", Solid(centre=(-0.17, 0.05, 0.14), radii=(0.13, 0.42, 0.2), turn=12)),
    ("nucleus", Solid(centre=(0.26, 0.16, -0.12), radii=(0.14, 0.24, 0.16), turn=-10)),
    ("nucleus", Solid(centre=(-0.28, 0.13, -0.12), radii=(0.14, 0.26, 0.17), turn=10)),
)
_SKULL = (
    ("skin", Solid(centre=(0, -0.3, -1.3), radii=(0.8, 0.8, 0.9))),
    ("muscle", Solid(centre=(0.02, -0.35, -1.3), radii=(0.66, 0.66, 0.9))),
    ("skin", Solid(centre=(0.02, 0.03, 0.04), radii=(1.3, 1.3, 1.27), power=2.3)),
    ("skin", Solid(centre=(0.04, 1.3, -0.5), radii=(0.17, 0.24, 0.3))),
    ("bone", Solid(centre=(0, 0.02, 0.05), radii=(1.17, 1.18, 1.12), power=2.3)),
    ("air", Solid(centre=(0.1, 1.08, -0.12), radii=(0.16, 0.12, 0.14))),
    ("eye", Solid(centre=(0.44, 0.94, -0.48), radii=(0.2, 0.2, 0.2))),
    ("eye", Solid(centre=(-0.42, 0.97, -0.46), radii=(0.2, 0.2, 0.2))),
    ("fluid", Solid(centre=(0, 0.02, 0.08), radii=(1.02, 1.03, 0.95), power=2.3)),
    ("fluid", _CEREBELLUM),
)
# Each part of a tumour, relative to its centre and size.
_PARTS = {
    "oedema": Solid(centre=(-0.08, -0.12, 0.06), radii=(1.0, 0.8, 0.85)),
    "enhancing": Solid(centre=(0.0, 0.0, 0.0), radii=(0.7, 0.62, 0.68)),
    "necrosis": Solid(centre=(0.06, -0.04, -0.04), radii=(0.4, 0.32, 0.34)),
    "solid": Solid(centre=(0.2, -0.1, 0.06), radii=(0.5, 0.48, 0.5)),
    "cyst": Solid(centre=(0.3, -0.12, 0.0), radii=(0.26, 0.24, 0.3)),
    "cavity": Solid(centre=(0.36, 0.3, 0.1), radii=(0.42, 0.36, 0.4)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A tumour: its parts are laid over one another in their order, turned about the z axis."""

    centre: tuple[float, float, float]
    size: float
    parts: tuple[str, ...] = ("oedema", "enhancing", "necrosis")
    turn: float = 25.0

    def solids(self) -> Iterator[tuple[str, Solid]]:
        """Give the tissue and the shape of each part."""
        turning = phantom.rotation((0.0, 0.0, self.turn))
        for part in self.parts:
            shape = _PARTS[part]
            x, y, z = np.array(self.centre) + self.size * (turning @ shape.centre)
            radii = tuple(self.size * radius for radius in shape.radii)
            yield part, Solid(centre=(x, y, z), radii=radii, turn=self.turn)


def points(
    shape: Sequence[int],
    matrix: Array,
    lengths: Sequence[float],
    shift: Sequence[float] = _MIDDLE,
) -> Array:
    """Give the voxel centres in the coordinates of a brain.

    ``lengths`` are its half-lengths, ``shift`` is its way from the middle of the grid, both in mm.
    """
    middle = phantom.moved((np.array(shape) - 1) / 2, matrix) + np.array(shift)
    offset = phantom.positions(shape, matrix) - middle
    return np.asarray(offset / np.array(lengths), dtype=np.float64)


def inside(where: Array) -> Mask:
    """Tell which points lie in the brain."""
    parts = [phantom.inside(solid, where) for solid in (_CEREBRUM, _CEREBELLUM, _STEM)]
    return np.asarray(np.any(parts, axis=0))


def labels(where: Array, lesions: Iterable[Lesion], values: Mapping[str, int]) -> NDArray[np.uint8]:
    """Label the parts of the tumours with the value of each part, 0 elsewhere."""
    volume = np.zeros(where.shape[:-1], np.uint8)
    for lesion in lesions:
        for part, solid in lesion.solids():
            volume[phantom.inside(solid, where)] = values[part]
    return volume


def stripped(where: Array, lesions: Iterable[Lesion]) -> dict[str, NDArray[np.int16]]:
    """Paint the brain in each contrast, positive inside and 0 outside."""
    start = np.full((*where.shape[:-1], len(CONTRASTS)), _GREYS["fluid"], dtype=np.float64)
    stack = _textured(_painted(start, where, [*_TISSUES, *_tumours(lesions)]), where)
    stack = np.where(inside(where)[..., None], np.maximum(stack, 1), 0)
    return dict(zip(CONTRASTS, np.moveaxis(stack, -1, 0), strict=True))


def head(where: Array, lesions: Iterable[Lesion], contrast: str) -> NDArray[np.int16]:
    """Paint the whole head in one contrast: skin, skull, eyes, brain."""
    start = np.full((*where.shape[:-1], len(CONTRASTS)), _GREYS["air"], dtype=np.float64)
    stack = _painted(start, where, [*_SKULL, *_TISSUES, *_tumours(lesions)])
    return _textured(stack, where)[..., CONTRASTS.index(contrast)]


def _tumours(lesions: Iterable[Lesion]) -> list[tuple[str, Solid]]:
    return [part for lesion in lesions for part in lesion.solids()]


def _painted(stack: Array, where: Array, solids: Iterable[tuple[str, Solid]]) -> Array:
    for tissue, solid in solids:
        weight = phantom.cover(solid, where, _EDGE)[..., None]
        stack = stack + weight * (np.array(_GREYS[tissue]) - stack)
    return stack


def _textured(stack: Array, where: Array) -> NDArray[np.int16]:
    # Each contrast has its own strength of bias, so the volumes of a case are no multiples.
    bias = phantom.shading(where, _MIDDLE, 1.0)[..., None] ** np.array([0.9, 1.0, 0.8, 0.7])
    texture = 1 + 0.03 * phantom.grain(where, _MIDDLE, 1.0)[..., None]
    return np.asarray(np.round(stack * bias * texture), dtype=np.int16)
