"""The volumes of a registered study: images, labels, and the record of their transforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..volume import Array
from . import jobs
from .options import Options
from .registered import Registered, Stage
from .stack import SEQUENCES, Stack
from .study import Study
from .transforms import Record, SliceMap, is_moved

_UNEVEN = 0.5  # mm
_FEW, _DIM = 99.9, 0.1  # percent of voxels that are darker than this part of the brightest
_THICK = 1.0  # mm, of a single slice whose source states no thickness


@dataclass(frozen=True, eq=False)
class Output:
    """A study and what became of it."""

    study: Study
    registered: Registered
    stacks: Mapping[str, Stack]
    options: Options

    @property
    def count(self) -> int:
        """Return the number of slices."""
        return len(self.registered.matches.rows)

    @property
    def reference(self) -> str:
        """Return the sequence that the others were registered to."""
        return self.registered.matches.reference

    @cached_property  # for the table and for the page; it reads all grey values
    def notes(self) -> tuple[str, ...]:
        """Return what a user should know of the study, a sentence each."""
        folder, _ = jobs.stem_of(self.study)
        dropped = len(self.registered.matches.drops)
        told = [f"{folder}: {dropped} slices have no partner and were dropped"] if dropped else []
        if self.registered.window.cut:
            told.append(f"{folder}: {self.registered.window.cut} pixels of masks lie outside")
        step = self._step(self.reference)
        if self.count == 1:
            told.append(f"{folder}: one slice only, written as {step:g} mm thick")
        apart = [abs(p - n * step) for n, p in enumerate(self.places(self.reference))]
        if max(apart) > _UNEVEN:
            told.append(
                f"{folder}: slices are not evenly apart, so that their header places some up to "
                f"{max(apart):.1f} mm off; SlicePlaces of the sidecars has where they are"
            )
        told += [f"{folder}: {text}" for text in self._unusual()]
        told += [
            f"{folder}: {name}, slice {number}: {moved.note}"
            for name in SEQUENCES
            for number, moved in enumerate(self.registered.slices[name])
            if moved.note
        ]
        return tuple(told)

    def _unusual(self) -> Iterator[str]:
        """Say of which sequences the grey values leave little to see."""
        for name, stack in self.stacks.items():
            values = np.concatenate([one.pixels.ravel() for one in stack.slices])
            low, high = float(values.min()), float(values.max())
            if not high > low:
                yield f"{name}: all pixels have the value {low:g}"
            elif np.percentile(values, _FEW) - low < _DIM * (high - low):
                yield f"{name}: a few pixels, up to {high:g}, are far brighter than all others"

    @property
    def spacing(self) -> tuple[float, float]:
        """Return the distances of pixels of the reference, in mm."""
        spacing = self.registered.grid.spacing
        if spacing is not None:
            return spacing, spacing
        i, j = self.registered.slices[self.reference][0].slice.spacing
        return float(i), float(j)

    def home(self, name: str) -> str:
        """Return the sequence on whose slices those of a sequence lie: its own, if none moved."""
        return self.reference if self.options.registers else name

    def grid(self, name: str) -> Array:
        """Return the affine of the volumes of a sequence, (4, 4), voxel to RAS mm.

        It is that of the slices on which it lies, their steps averaged. Its axes are at right
        angles, as readers of images demand: where slices drift within their plane, or their steps
        differ, the records of the transforms say so.
        """
        slices = self.registered.slices[self.home(name)]
        first = slices[0].slice.plane @ slices[0].frame
        offset = [*self.registered.window.offset, 1.0]
        found = np.eye(4)
        found[:3, :2], found[:3, 3] = first[:, :2], first @ offset
        found[:3, 2] = slices[0].slice.normal * self._step(name)
        return found

    def places(self, name: str) -> list[float]:
        """Return where the slices lie along the normal of the first, in mm from it."""
        slices = self.registered.slices[self.home(name)]
        offset = [*self.registered.window.offset, 1.0]
        corners = [one.slice.plane @ one.frame @ offset for one in slices]
        return [float((one - corners[0]) @ slices[0].slice.normal) for one in corners]

    def _step(self, name: str) -> float:
        """Return how far the slices of a volume are apart, in mm; signed, along their normal."""
        places = self.places(name)
        if len(places) > 1:
            return (places[-1] - places[0]) / (len(places) - 1)
        centres = [one.centre for one in self.stacks[self.home(name)].slices]
        steps = [float(np.linalg.norm(b - a)) for a, b in pairwise(centres)]
        alone = self.stacks[self.home(name)].slices[0].thickness or _THICK
        return float(np.median(steps)) if steps else alone

    def image(self, name: str, stage: Stage = "all") -> Array:
        """Return the image of a sequence, float32 (I, J, K)."""
        slices = [self.registered.image(name, number, stage) for number in range(self.count)]
        return np.stack(slices, axis=-1)

    def labels(self, name: str, stage: Stage = "all") -> Array | None:
        """Return its labels, int16 (I, J, K); None where it has none."""
        slices = [self.registered.labels(name, number, stage) for number in range(self.count)]
        if all(one is None for one in slices):
            return None
        empty = np.zeros((self.registered.window.size,) * 2)
        return np.stack([empty if one is None else one for one in slices], -1).astype(np.int16)

    def record(self, name: str) -> Record:
        """Return how each voxel of a sequence maps to the scanner."""
        window = self.registered.window
        source = self.study.images[name][0]
        i, j = (slice(start, start + window.size) for start in window.offset)
        slices = tuple(
            SliceMap(
                source=source if len(self.study.images[name]) == 1 else source.rpartition("/")[0],
                source_slice=moved.index,
                offset=window.offset,
                affine=moved.affine,
                frame=moved.frame,
                plane=moved.slice.plane,
                displacement=None if moved.displacement is None else moved.displacement[:, i, j],
            )
            for moved in self.registered.slices[name]
        )
        found = Record(name, (window.size, window.size), self.grid(name), slices)
        field = jobs.xfm_of(self.study, name, "_xfm.nii.gz").rpartition("/")[2]
        return replace(found, displacement_file=field) if is_moved(found) else found
