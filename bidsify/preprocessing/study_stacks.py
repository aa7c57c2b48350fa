"""Read the slices of one sequence, and labels onto them, from NIfTI and DICOM."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SourceError
from ..readers import dicom, nifti
from ..readers.dicom_file import guarded
from ..source.reading import Reading
from ..volume import Array
from .stack import Slice

_AXES = 3
_NEAR = 0.25  # of a pixel: how far a label may lie from the pixel that it labels
_SAME = 0.01  # mm: two frames of one place
_THICKER = 1.5  # than the third axis is one that counts the slices instead


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values (I, J, K) with slices along K, and their affine to RAS mm.

    ``is_placed``: the header states a position in the scanner.
    """

    values: Array
    affine: Array
    is_placed: bool


def read_grid(path: str, reading: Reading) -> Grid:
    """Read a NIfTI file.

    Raises:
        SourceError: It is damaged, no volume, or its affine is the identity: already processed.
    """
    image = nifti.read(reading.content(path), path)
    shape = nifti.image_shape(image.shape)
    if len(shape) != _AXES:
        msg = f"{path}: {len(shape)} axes; keep one frame of it, so that three are left"
        raise SourceError(msg)
    values = nifti.values(image).reshape(shape, order="F")
    if not (np.issubdtype(values.dtype, np.number) and not np.iscomplexobj(values)):
        msg = f"{path}: voxels of type {values.dtype}, which are no grey values; convert them"
        raise SourceError(msg)
    if nifti.is_scaled(image):
        slope, intercept = image.scaling
        values = values * slope + intercept
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    affine = np.asarray(image.header.get_best_affine(), dtype=np.float64)
    if np.allclose(affine, np.eye(4)):
        msg = (
            f"{path}: its affine is the identity, so nobody knows where its slices lie: this looks "
            "like the Raw_data of MyoPS380, which its authors have already resampled, registered "
            "and cropped; use it as it is, or give the images as the scanner made them"
        )
        raise SourceError(msg)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-9:  # noqa: PLR2004
        msg = f"{path}: its affine is singular, so no voxel has a place; repair the header"
        raise SourceError(msg)
    if not np.isfinite(values).all():
        msg = f"{path}: holds values that are no numbers; repair the file"
        raise SourceError(msg)
    is_placed = any(int(image.header[code]) > 0 for code in ("sform_code", "qform_code"))
    return _slices_last(Grid(values, affine, is_placed))


def slices_of(grid: Grid) -> tuple[Slice, ...]:
    """Return the slices of a volume in the order of the file."""
    first, across = grid.affine[:3, [0, 1, 3]], grid.affine[:3, 2]
    thickness = float(np.linalg.norm(across))
    return tuple(
        Slice(grid.values[:, :, k], first + np.outer(across, [0.0, 0.0, k]), thickness=thickness)
        for k in range(grid.values.shape[2])
    )


def read_series(paths: Sequence[str], reading: Reading) -> tuple[Slice, ...]:
    """Read DICOM slices, in the order of their places along the normal of the first.

    Each keeps its own position and orientation. Of several frames at one place, as cine has them,
    the first after the R wave counts (the lowest TriggerTime).

    Raises:
        SourceError: A file is no slice, or frames of one place do not say when they were taken.
    """
    found = dicom.read_slices(((path, reading.content(path)) for path in paths), pixels=True)
    normal = np.cross(found[0].column_step, found[0].row_step)
    normal /= np.linalg.norm(normal)
    ordered = sorted(found, key=lambda one: (float(one.position @ normal), one.path))
    return tuple(_slice(one) for one in _first_frames(ordered))


def with_labels(slices: Sequence[Slice], labels: Grid, path: str) -> tuple[Slice, ...] | None:
    """Return the slices with their labels; None where these lie on another grid.

    Raises:
        SourceError: The file holds values that are no whole numbers.
    """
    whole = np.rint(labels.values).astype(np.int64)
    if not np.array_equal(whole, labels.values):
        msg = f"{path}: holds values that are no labels, such as fractions; give the masks as drawn"
        raise SourceError(msg)
    found = [_labels_on(one, replace(labels, values=whole)) for one in slices]
    pairs = [(s, values) for s, values in zip(slices, found, strict=True) if values is not None]
    if len(pairs) < len(slices):
        return None
    return tuple(replace(one, labels=values) for one, values in pairs)


def _labels_on(one: Slice, labels: Grid) -> Array | None:
    """Return the labels of each pixel, whichever way the axes of their file run."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * (np.array(one.pixels.shape) - 1)
    exact = (np.linalg.inv(labels.affine) @ np.vstack([one.plane, [0, 0, 1]]))[:3]
    whole = np.rint(exact).astype(np.int64)
    points = np.column_stack([corners, np.ones(4)]).T
    steps = np.abs(whole[:, :2]).sum(axis=0)
    if np.abs((exact - whole) @ points).max() > _NEAR or not (steps == 1).all():
        return None
    places = whole @ points.astype(np.int64)
    if places.min() < 0 or (places.max(axis=1) >= labels.values.shape).any():
        return None
    i, j = np.indices(one.pixels.shape)
    return np.asarray(labels.values[tuple(a * i + b * j + c for a, b, c in whole)])


def _slices_last(grid: Grid) -> Grid:
    """Put the axis of the thick slices last, where a tool has turned the volume."""
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    thick = int(np.argmax(spacing))
    if thick == 2 or spacing[thick] < _THICKER * spacing[2]:  # noqa: PLR2004  the third axis
        return grid
    order = [axis for axis in range(_AXES) if axis != thick] + [thick]
    affine = grid.affine[:, [*order, 3]]
    return Grid(grid.values.transpose(order), affine, grid.is_placed)


def _first_frames(ordered: Sequence[dicom.Slice]) -> Iterator[dicom.Slice]:
    groups: list[list[dicom.Slice]] = []
    for one in ordered:
        if groups and np.abs(one.position - groups[-1][0].position).max() < _SAME:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        times = [_time(one) for one in group]
        if len(group) > 1 and (math.inf in times or len({*times}) < len(times)):
            msg = (
                f"{group[1].path}: at the same place as {group[0].path}, and TriggerTime does not "
                "tell which frame is the first; keep one frame of each slice"
            )
            raise SourceError(msg)
        yield group[times.index(min(times))] if len(group) > 1 else group[0]


def _time(one: dicom.Slice) -> float:
    """Return when a frame was taken, in ms after the R wave; infinity where it does not say."""
    stated = _stated(one, "TriggerTime")
    return math.inf if stated is None else stated


def _slice(one: dicom.Slice) -> Slice:
    pixels = dicom.volume([one]).data[:, :, 0]
    steps = np.column_stack([one.column_step, one.row_step, one.position])
    thickness = _stated(one, "SliceThickness")
    is_sane = thickness is not None and 0 < thickness < math.inf
    plane = dicom.LPS_TO_RAS[:3, :3] @ steps + 0.0
    return Slice(pixels, plane, thickness=thickness if is_sane else None)


def _stated(one: dicom.Slice, name: str) -> float | None:
    """Return a number of the header of a slice; None where it states none."""
    with suppress(SourceError, TypeError), guarded("no number"):
        return float(one.dataset[name].value)
    return None
