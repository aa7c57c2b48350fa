"""A study whose slices were matched and registered, and the images that follow from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..volume import Array
from . import normalisation, warp
from .correspondence import Matches
from .labels import Coding
from .roi import Window
from .stack import Slice

_HALF = 0.5

#: What an image shows: before registration, after the affine step, after all of them.
Stage = Literal["before", "affine", "all"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The normalised grid of a study: ``size`` pixels along each axis, ``spacing`` mm apart.

    Without a spacing each slice keeps that of its own pixels.
    """

    size: int
    spacing: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """How a slice came onto that of the reference; :mod:`.warp` says what the maps are.

    ``guide`` is what drove the registration, and ``method`` made the displacement; ``index`` and
    ``distance_mm`` are those of the match.
    """

    slice: Slice
    index: int
    distance_mm: float | None
    frame: Array
    affine: Array = field(default_factory=lambda: np.eye(3))
    displacement: Array | None = None
    guide: str = "none"
    method: str = "none"
    note: str = ""

    def chain(self, stage: Stage) -> tuple[Array | None, Array]:
        """Return the displacement and the affine map of a stage."""
        if stage == "all":
            return self.displacement, self.affine
        return None, np.eye(3) if stage == "before" else self.affine


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """All of a study. ``slices`` has for each sequence one for each row of ``matches``.

    ``limits`` are the values of each sequence that become 0 and 255; None where they are kept.
    """

    matches: Matches
    grid: Grid
    window: Window
    limits: Mapping[str, tuple[float, float] | None]
    coding: Coding | None
    slices: Mapping[str, Sequence[Moved]]

    def image(self, name: str, number: int, stage: Stage = "all") -> Array:
        """Return a slice of the output, float32 (size, size), sampled once."""
        moved, limits = self.slices[name][number], self.limits[name]
        pixels = moved.slice.pixels
        if limits is not None:
            pixels = normalisation.rescaled(pixels, limits)
        return warp.sample(pixels, self._places(moved, stage), 1)

    def labels(self, name: str, number: int, stage: Stage = "all") -> Array | None:
        """Return the labels of a slice of the output, nearest; None where it has none."""
        moved = self.slices[name][number]
        if moved.slice.labels is None:
            return None
        return warp.sample(moved.slice.labels, self._places(moved, stage), 0)

    def mask(self, name: str, number: int, values: Collection[int], stage: Stage = "all") -> Array:
        """Return where a slice of the output has one of these labels, (size, size) of bool.

        Finer than its labels: the borders are those between pixels of the source.
        """
        moved = self.slices[name][number]
        if moved.slice.labels is None:
            return np.zeros((self.window.size,) * 2, bool)
        found = np.isin(moved.slice.labels, [*values]).astype(np.float32)
        return np.asarray(warp.sample(found, self._places(moved, stage), 1) > _HALF)

    def _places(self, moved: Moved, stage: Stage) -> Array:
        displacement, affine = moved.chain(stage)
        window = self.window
        return warp.coordinates(window.size, displacement, affine, moved.frame, window.offset)
