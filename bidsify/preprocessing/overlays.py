"""Small pictures of two slices on one grid, as PNG: in tiles, and with the outlines of masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..png import to_png
from ..volume import Array

#: Colours of the outline of the fixed mask, of the moving one, and where both agree.
FIXED, MOVING, BOTH = (0, 200, 255), (255, 140, 0), (255, 255, 255)
#: Pixels of a picture along each side, at most, and of a tile.
MOST, _TILE = 128, 16
_GREYS = 32
_COLOURS = (FIXED, MOVING, BOTH)
_PALETTE = bytes(
    [grey * 255 // (_GREYS - 1) for grey in range(_GREYS) for _ in range(3)]
    + [part for colour in _COLOURS for part in colour]
)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A slice on the grid of the output: values from 0 to 255, uint8 (I, J), and its mask."""

    image: Array
    mask: Array | None = None


def checkerboard(fixed: View, moving: View) -> bytes:
    """Return a PNG of tiles from both slices in turn: where they agree, edges go on."""
    i, j = np.indices(fixed.image.shape) // _TILE
    return _png(_grey(np.where((i + j) % 2, moving.image, fixed.image)))


def contours(fixed: View, moving: View) -> bytes:
    """Return a PNG of the moving slice with the outlines of both masks, as far as there are any."""
    pixels = _grey(moving.image)
    ours, theirs = (_outline(view.mask, pixels.shape) for view in (fixed, moving))
    for place, colour in ((ours, 0), (theirs, 1), (ours & theirs, 2)):
        pixels[place] = _GREYS + colour
    return _png(pixels)


def cropped(view: View, centre: tuple[int, int]) -> View:
    """Return the part of at most MOST pixels along each side around a pixel, within the slice."""
    parts = []
    for middle, size in zip(centre, view.image.shape, strict=True):
        first = min(max(0, middle - MOST // 2), max(0, size - MOST))
        parts.append(slice(first, first + MOST))
    where = parts[0], parts[1]
    return View(view.image[where], None if view.mask is None else view.mask[where])


def centre_of(view: View) -> tuple[int, int]:
    """Return the middle of the mask, or of the slice where there is none."""
    hits = np.argwhere(view.mask) if view.mask is not None else np.empty((0, 2))
    ends = (hits.min(axis=0), hits.max(axis=0)) if len(hits) else ((0, 0), view.image.shape)
    i, j = (int(low + high) // 2 for low, high in zip(*ends, strict=True))
    return i, j


def _outline(mask: Array | None, shape: tuple[int, ...]) -> Array:
    """Return the pixels of a mask that touch what is outside of it by a side."""
    if mask is None:
        return np.zeros(shape, dtype=bool)
    inside = np.pad(np.asarray(mask) > 0, 1)
    around = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    found: Array = inside[1:-1, 1:-1] & ~around
    return found


def _grey(image: Array) -> Array:
    found: Array = np.asarray(image).astype(np.uint16) * _GREYS // 256
    return found.astype(np.uint8)


def _png(pixels: Array) -> bytes:
    """Pack places in the palette; i goes to the right and j down."""
    return to_png(pixels.T, _PALETTE)
