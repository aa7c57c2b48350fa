"""Slices as PNG: grey values within a window, and the contours of labels to lay over them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..png import to_png
from ..volume import Array

_SMALL = 200  # pixels of a side below which voxels become several pixels, for thin contours
_COLOURS = 255
_UNKNOWN = "#ff00ff"


def grey(values: Array, window: tuple[float, float]) -> bytes:
    """Return a PNG of a slice; what is no number is black."""
    low, high = window
    scaled = (values.astype(np.float64) - low) * (255 / max(high - low, 1e-12))
    shown = np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255).astype(np.uint8)
    return to_png(_enlarged(shown))


def contours(labels: Array, colours: Mapping[int, str]) -> bytes:
    """Return a PNG of the outermost pixels of each label, and nothing elsewhere."""
    fine = _enlarged(labels)
    edge = _edges(fine)
    found = [int(value) for value in np.unique(fine[edge])]
    indices = np.zeros(fine.shape, np.uint8)
    palette = bytearray(3)
    for place, value in enumerate(found[:_COLOURS], 1):
        indices[edge & (fine == value)] = place
        palette += bytes.fromhex(colours.get(value, _UNKNOWN).removeprefix("#"))
    return to_png(indices, bytes(palette), transparent=0)


def _edges(labels: Array) -> Array:
    """Return where a label lies beside something else."""
    around = np.pad(labels, 1)
    inner = around[1:-1, 1:-1]
    sides = (around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:])
    found: Array = (inner != 0) & np.any([side != inner for side in sides], axis=0)
    return found


def _enlarged(values: Array) -> Array:
    by = max(1, _SMALL // max(values.shape))
    return np.ascontiguousarray(values.repeat(by, axis=0).repeat(by, axis=1))
