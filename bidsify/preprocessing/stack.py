"""Stacks of slices in the scanner: what slice correspondence and resampling know of an image.

Arrays of a plane are (I, J): i along its first axis, j along its second. Positions are RAS mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..volume import Array

#: The sequences of a study, as the entity ``acq`` names them.
SEQUENCES = ("bSSFP", "LGE", "T2w")


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One plane. ``plane`` is (3, 3): the position of pixel (i, j) is ``plane @ [i, j, 1]``.

    ``labels`` are its label values on the same pixels, where it has any; ``thickness`` is what its
    source says, in mm.
    """

    pixels: Array
    plane: Array
    labels: Array | None = None
    thickness: float | None = None

    @property
    def centre(self) -> Array:
        """Return the position of its middle, (3,)."""
        rows, columns = self.pixels.shape
        found: Array = self.plane @ [(rows - 1) / 2, (columns - 1) / 2, 1.0]
        return found

    @property
    def spacing(self) -> Array:
        """Return the distances of its pixels along i and j, in mm."""
        found: Array = np.linalg.norm(self.plane[:, :2], axis=0)
        return found

    @property
    def normal(self) -> Array:
        """Return the unit vector across it."""
        across: Array = np.cross(self.plane[:, 0], self.plane[:, 1])
        found: Array = across / np.linalg.norm(across)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The slices of one sequence, in the order of the source. ``name`` is one of SEQUENCES."""

    name: str
    slices: Sequence[Slice]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two slices on the normalised grid, (N, N) pixels of 1 mm, values from 0 to 1.

    ``fixed_masks`` and ``moving_masks`` are (2, N, N): myocardium, and myocardium with the blood
    that it encloses; None where there are no labels.
    """

    fixed: Array
    moving: Array
    fixed_masks: Array | None = None
    moving_masks: Array | None = None
