"""DICOM series: slices put in order by position, real values, the affine from the tags.

File names and SliceThickness are never asked where a slice lies (DICOM PS3.3, C.7.6.2.1.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pydicom

from ..errors import SourceError
from ..volume import Array, Volume
from .dicom_file import guarded, parse
from .planes import Plane, storage_type

#: DICOM coordinates grow towards left and posterior, those of NIfTI towards right and anterior.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

_MAX_PIXELS = 1 << 26
_MAX_SCALE = 1 << 30
_UNIT = 1e-2  # how far direction cosines may be from unit length and right angles
_TOLERANCE = 0.01  # of the distance between slices


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of a series. Vectors are in LPS, in millimetres."""

    path: str
    dataset: pydicom.Dataset
    position: Array
    row_step: Array
    column_step: Array
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a series lies. ``order[k]`` is the place in the list of files of slice k.

    ``paths`` and ``instances`` (instance numbers) are those of the files; ``uids`` those of the
    series and of its frame of reference.
    """

    order: tuple[int, ...]
    shape: tuple[int, int, int]
    affine: Array
    paths: tuple[str, ...] = ()
    instances: tuple[int | None, ...] = ()
    uids: frozenset[str] = frozenset()


def read_slices(files: Iterable[tuple[str, bytes]], *, pixels: bool) -> list[Slice]:
    """Parse the files of a series, in the given order."""
    return [_slice(path, content, pixels=pixels) for path, content in files]


def grid(slices: Sequence[Slice]) -> Grid:
    """Order slices along their normal and derive the affine (RAS+, mm).

    Raises:
        SourceError: Slices of several orientations or sizes, missing, doubled or uneven ones.
    """
    with guarded(f"{slices[0].path}: not a readable DICOM file"):
        return _grid(slices)


def _grid(slices: Sequence[Slice]) -> Grid:
    first = slices[0]
    normal = np.cross(_unit(first.column_step), _unit(first.row_step))
    for one in slices:
        _check_same(first, one)
    heights = np.array([one.position @ normal for one in slices])
    order = np.argsort(heights, kind="stable")
    step = _step([slices[n] for n in order], normal)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = first.column_step, first.row_step, step
    affine[:3, 3] = slices[order[0]].position
    rows, columns = first.shape
    where = LPS_TO_RAS @ affine
    places = tuple(int(n) for n in order)
    shape = (columns, rows, len(slices))
    paths = tuple(one.path for one in slices)
    instances = tuple(_instance(one.dataset) for one in slices)
    named = (first.dataset.get(n) for n in ("SeriesInstanceUID", "FrameOfReferenceUID"))
    return Grid(
        places, shape, where + 0.0, paths, instances, frozenset(map(str, filter(None, named)))
    )


def volume(slices: Sequence[Slice], where: Grid | None = None) -> Volume:
    """Build the volume: axes column, row, slice; values with slope and intercept applied.

    ``where`` is the :func:`grid` of the slices, where it is known.
    """
    where = where or grid(slices)
    planes = [_plane(slices[n]) for n in where.order]
    stack = np.empty(where.shape[::-1], storage_type(planes))
    for place, plane in zip(stack, planes, strict=True):
        plane.put(place)
    return Volume(stack.T, where.affine, in_mm=True)


def _instance(dataset: pydicom.Dataset) -> int | None:
    with suppress(SourceError), guarded("no instance number"):
        return int(dataset.InstanceNumber)
    return None


def _slice(path: str, content: bytes, *, pixels: bool) -> Slice:
    dataset = parse(content, path, pixels=pixels)
    with guarded(f"{path}: not a readable DICOM image"):
        return _placed(path, dataset)


def _placed(path: str, dataset: pydicom.Dataset) -> Slice:
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows"):
        if dataset.get(tag) in (None, ""):
            msg = f"{path}: has no {tag}, so nobody knows where the slice lies"
            raise SourceError(msg)
    frames, samples = dataset.get("NumberOfFrames") or 1, dataset.get("SamplesPerPixel") or 1
    grey = str(dataset.get("PhotometricInterpretation", "MONOCHROME2")).startswith("MONOCHROME")
    if int(frames) != 1 or int(samples) != 1 or not grey:
        msg = f"{path}: a multi-frame or colour DICOM object; only series of grey slices are read"
        raise SourceError(msg)
    shape = (int(dataset.Rows), int(dataset.Columns))
    if not 0 < shape[0] * shape[1] <= _MAX_PIXELS:
        msg = f"{path}: claims {shape[0]} x {shape[1]} pixels"
        raise SourceError(msg)
    axes = np.array([float(v) for v in dataset.ImageOrientationPatient]).reshape(2, 3)
    between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
    position = np.array([float(v) for v in dataset.ImagePositionPatient])
    numbers = np.concatenate([axes.ravel(), position, [between_rows, between_columns]])
    lengths = np.linalg.norm(axes, axis=1)
    placed = position.shape == (3,) and np.isfinite(numbers).all() and min(numbers[-2:]) > 0
    if not placed or np.abs(lengths - 1).max() > _UNIT or abs(axes[0] @ axes[1]) > _UNIT:
        msg = f"{path}: impossible position, orientation or pixel spacing"
        raise SourceError(msg)
    return Slice(path, dataset, position, axes[1] * between_rows, axes[0] * between_columns, shape)


def _check_same(first: Slice, one: Slice) -> None:
    if one.shape != first.shape:
        msg = f"{one.path}: {one.shape} pixels, but {first.shape} in {first.path}: two series?"
        raise SourceError(msg)
    if not (
        np.allclose(one.row_step, first.row_step, atol=1e-4)
        and np.allclose(one.column_step, first.column_step, atol=1e-4)
    ):
        msg = f"{one.path}: another orientation or spacing than {first.path}: two series?"
        raise SourceError(msg)


def _step(ordered: Sequence[Slice], normal: Array) -> Array:
    """Return the vector from one slice to the next, after checking that all are even."""
    if len(ordered) == 1:
        stated = ordered[0].dataset.get("SpacingBetweenSlices") or ordered[0].dataset.get(
            "SliceThickness"
        )
        if not stated:
            msg = f"{ordered[0].path}: a single slice that states no thickness"
            raise SourceError(msg)
        try:
            thickness = float(stated)
        except ValueError:
            thickness = math.nan
        if not 0 < thickness < math.inf:
            msg = f"{ordered[0].path}: a single slice of thickness {stated!r}"
            raise SourceError(msg)
        return np.asarray(normal * thickness)
    positions = np.array([one.position for one in ordered])
    steps = np.diff(positions, axis=0)
    typical = np.median(steps, axis=0)
    distance = float(typical @ normal)
    for before, after, step in zip(ordered, ordered[1:], steps, strict=False):
        if step @ normal <= _TOLERANCE * max(distance, 0.1):
            msg = f"{after.path}: at the same position as {before.path}; remove one of them"
            raise SourceError(msg)
        if np.abs(step - typical).max() > _TOLERANCE * distance + 1e-3:
            msg = (
                f"{after.path}: {step @ normal:g} mm from {before.path}, but slices are "
                f"{distance:g} mm apart: one is missing or they are uneven; complete the series"
            )
            raise SourceError(msg)
    return np.asarray((positions[-1] - positions[0]) / (len(positions) - 1))


def _plane(one: Slice) -> Plane:
    with guarded(f"{one.path}: no readable pixels"):
        stored = one.dataset.pixel_array
        slope = float(one.dataset.get("RescaleSlope", 1) or 1)
        intercept = float(one.dataset.get("RescaleIntercept", 0) or 0)
    if stored.shape != one.shape:
        msg = f"{one.path}: {stored.shape} pixels where the header states {one.shape}"
        raise SourceError(msg)
    if not (math.isfinite(slope) and math.isfinite(intercept)) or abs(slope) > _MAX_SCALE:
        msg = f"{one.path}: an impossible scaling: slope {slope:g}, intercept {intercept:g}"
        raise SourceError(msg)
    return Plane(stored, slope, intercept)


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
