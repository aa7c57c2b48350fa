"""The grid of a case as a page shows it: which voxels of it, and where one looks first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import SourceError
from ..volume import Array
from . import geometry

#: Pixels of a slice along each side, at most.
MOST_PIXELS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The grid of a case, and the voxel of the file that is looked at first.

    ``step`` says for each axis that every step-th voxel is shown, and ``across`` is the axis that
    the slice of the card lies on.
    """

    affine: Array
    shape: tuple[int, ...]
    axes: geometry.Axes
    step: tuple[int, ...]
    across: int
    start: tuple[int, ...]

    def thinned(self, volume: Array) -> Array:
        """Return every step-th voxel."""
        return volume[tuple(slice(None, None, by) for by in self.step)]

    def plane(self, volume: Array) -> Array:
        """Return the slice that is looked at first, within the bound of pixels."""
        found = geometry.plane(volume, self.across, self.start[self.across], self.axes)
        by = -(-max(found.shape) // MOST_PIXELS)
        return np.ascontiguousarray(found[::by, ::by])

    def size(self) -> tuple[float, float]:
        """Return width and height of that slice (mm)."""
        voxel = geometry.spacing(self.affine)
        sides = (self.axes[side][0] for side in geometry.sides(self.across, self.axes))
        width, height = (self.shape[axis] * voxel[axis] for axis in sides)
        return width, height

    def volumes(self, found: Array, path: str, most: int) -> Array:
        """Return the first volumes of an image, on a fourth axis.

        Raises:
            SourceError: It has another size than its case, which was the same a moment ago.
        """
        if found.shape[:3] != self.shape:
            msg = f"{path}: it was changed while the report was made; make it again"
            raise SourceError(msg)
        return found.reshape(*self.shape, -1, order="F")[..., :most]


def frame_of(
    path: str, affine: Array, shape: tuple[int, ...], *, across: int, most: int,
    labels: Array | None = None,
) -> Frame:  # fmt: skip
    """Return how a grid is shown with ``most`` voxels, and looked at along the axis ``across``.

    Raises:
        SourceError: It has another number of axes than three, or its affine is singular.
    """
    if len(shape) != 3:  # noqa: PLR2004
        msg = f"{path}: a segmentation of {len(shape)} axes is not shown"
        raise SourceError(msg)
    axes, voxel = geometry.axes(affine, path), geometry.spacing(affine)
    if shape.count(1) == 1:
        across = shape.index(1)
    start = tuple(n // 2 for n in shape) if labels is None else _start(labels, across)
    return Frame(affine, shape, axes, geometry.steps(shape, voxel, most), across, start)


def _start(labels: Array, across: int) -> tuple[int, ...]:
    """Return a labelled voxel in the slice of the largest labelled area, near its middle."""
    sides = tuple(axis for axis in range(3) if axis != across)
    areas = np.count_nonzero(labels, axis=sides)
    if not areas.any():
        return tuple(n // 2 for n in labels.shape)
    index = int(areas.argmax())
    hits = np.argwhere(np.take(labels, index, axis=across))
    nearest = hits[np.argmin(((hits - hits.mean(axis=0)) ** 2).sum(axis=1))]
    found = dict(zip(sides, (int(n) for n in nearest), strict=True)) | {across: index}
    return tuple(found[axis] for axis in range(3))
