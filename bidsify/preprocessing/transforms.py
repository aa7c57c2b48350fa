"""How each voxel of an output volume maps to the scanner, and back.

Voxel (i, j) of slice k lies at ``x = (i, j) + offset`` on the normalised grid, and at ``x + u(x)``
after the non-rigid step; ``affine`` takes that to the normalised grid of the sequence itself,
``frame`` to a pixel of its source and ``plane`` to RAS mm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..volume import Array
from . import warp

_HALF = 0.5 + 1e-6
_STILL = 1e-4  # mm


@dataclass(frozen=True, slots=True, eq=False)
class SliceMap:
    """Where the voxels of one output slice come from.

    ``source`` is the file and ``source_slice`` the index of the slice in its stack. ``offset``
    is where the window begins on the normalised grid. ``affine``, ``frame`` and ``plane`` are
    (3, 3): normalised to normalised, normalised to source pixel, source pixel to RAS mm.
    ``displacement`` (2, I, J) is u at the voxels of the slice, in pixels along i and j; of one
    that is still in a file, ``extent`` says what :func:`extent` must find there.
    """

    source: str
    source_slice: int
    offset: tuple[int, int]
    affine: Array
    frame: Array
    plane: Array
    displacement: Array | None = None
    extent: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The output volume of one sequence: (I, J, K) voxels, and where they come from.

    ``grid`` (4, 4) is the affine of the volume, voxel to RAS mm; ``slices`` has K entries.
    ``displacement_file`` names the field of the whole volume, where there is one; ``is_loaded``
    says that the displacements are here.
    """

    sequence: str
    shape: tuple[int, int]
    grid: Array
    slices: Sequence[SliceMap]
    interpolation: Mapping[str, str] = field(
        default_factory=lambda: {"Image": "linear", "Labels": "nearest"}
    )
    displacement_file: str | None = None
    is_loaded: bool = True


def solid(record: Record, number: int) -> Array:
    """Return the map (4, 4) of a slice without its displacement: output voxel to RAS mm.

    Across the slice it steps along the normal of the source plane, as far as the volume does.
    """
    one = record.slices[number]
    plane = one.plane @ one.frame @ one.affine
    across, normal = (np.cross(m[:3, 0], m[:3, 1]) for m in (record.grid, plane))
    step = normal / np.linalg.norm(normal) * (record.grid[:3, 2] @ across) / np.linalg.norm(across)
    found = np.eye(4)
    found[:3, :2], found[:3, 2] = plane[:, :2], step
    found[:3, 3] = plane @ [*one.offset, 1] - step * number
    return found


def extent(displacement: Array | None) -> tuple[float, ...]:
    """Return the means along i and j of a displacement, and its largest length, in pixels."""
    if displacement is None:
        return 0.0, 0.0, 0.0
    largest = np.hypot(*displacement).max()
    return *(float(along.mean()) for along in displacement), float(largest)


def is_moved(record: Record) -> bool:
    """Say whether any voxel lies elsewhere in the scanner than the affine of the volume says."""
    if any(one.displacement is not None for one in record.slices):
        return True
    corners = np.array([(i, j) for i in (0, record.shape[0]) for j in (0, record.shape[1])])
    for number in range(len(record.slices)):
        points = np.column_stack([corners, np.full(len(corners), number)])
        apart = _mapped(solid(record, number), points) - _mapped(record.grid, points)
        if np.abs(apart).max() > _STILL:
            return True
    return False


def to_scanner(points_ijk: Array, record: Record) -> Array:
    """Map voxels (P, 3) of the output volume to RAS mm (P, 3).

    A point between two slices goes with the nearer one.

    Raises:
        ValueError: A point lies in no slice, or the displacements were not loaded.
    """
    points = np.array(points_ijk, dtype=np.float64).reshape(-1, 3)
    numbers = np.rint(points[:, 2]).astype(int)
    if not np.all((numbers >= 0) & (numbers < len(record.slices))):
        message = f"points have k from 0 to {len(record.slices) - 1}"
        raise ValueError(message)
    _check_loaded(record)
    found = np.empty_like(points)
    for number in np.unique(numbers):
        here, one = numbers == number, record.slices[number]
        moved = points[here]
        if one.displacement is not None:
            moved[:, :2] = warp.displaced(moved[:, :2], one.displacement)
        found[here] = _mapped(solid(record, number), moved)
    return found


def from_scanner(points_mm: Array, record: Record) -> Array:
    """Map RAS mm (P, 3) to voxels (P, 3) of the output volume; k is not whole between slices.

    NaN for what is more than half a slice from all slices, and where the displacement folds.

    Raises:
        ValueError: The displacements were not loaded.
    """
    points = np.array(points_mm, dtype=np.float64).reshape(-1, 3)
    _check_loaded(record)
    numbers = range(len(record.slices))
    each = np.stack([_mapped(np.linalg.inv(solid(record, n)), points) for n in numbers])
    apart = np.abs(each[:, :, 2] - np.arange(len(each))[:, None])
    nearest = np.argmin(apart, axis=0)
    found: Array = each[nearest, np.arange(len(points))]
    for number in np.unique(nearest):
        here, one = nearest == number, record.slices[number]
        if one.displacement is not None:
            found[here, :2] = warp.undisplaced(found[here, :2], one.displacement)
    found[apart.min(axis=0) > _HALF] = np.nan
    return found


def _mapped(matrix: Array, points: Array) -> Array:
    found: Array = points @ matrix[:3, :3].T + matrix[:3, 3]
    return found


def _check_loaded(record: Record) -> None:
    if not record.is_loaded:
        message = f"load the displacements of {record.displacement_file} into the record first"
        raise ValueError(message)
