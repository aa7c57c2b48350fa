"""Decide anew, voxel by voxel, what the contours of an RT Structure Set enclose.

Where the writer fills rows between crossings, this asks of each centre how many edges lie on
its other side. Only the rule is the same: points count to the nearest 1/16384 of a voxel,
contours of a slice are combined by exclusive or, and a centre that an edge runs through lies
behind it, an edge reaching from its lower end up to, but without, its upper one.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pydicom

from ..volume import Array

_PARTS = 16384  # of a voxel
_OFF = 0.1  # of the distance between slices
_AT_ONCE = 1 << 20
_TO_RAS = np.array([-1.0, -1.0, 1.0])


def affine_of(slices: Iterable[bytes]) -> Array:
    """Return the affine (RAS+, mm) of a series of DICOM files, in double precision.

    That of a NIfTI header is rounded to 24 bits, too coarse for centres close to an edge.
    Slice 0 is the lowest along the row direction times the column direction.
    """
    tags = [pydicom.dcmread(io.BytesIO(one), stop_before_pixels=True) for one in slices]
    rows, columns = np.array(tags[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    between = [float(v) for v in tags[0].PixelSpacing]
    normal = np.cross(rows, columns)
    corners = sorted(
        (np.array(one.ImagePositionPatient, dtype=float) for one in tags),
        key=lambda corner: float(corner @ normal),
    )
    if len(corners) > 1:
        step = (corners[-1] - corners[0]) / (len(corners) - 1)
    else:
        stated = tags[0].get("SpacingBetweenSlices") or tags[0].SliceThickness
        step = normal / np.linalg.norm(normal) * float(stated)
    affine = np.eye(4)
    for axis, vector in enumerate((rows * between[1], columns * between[0], step, corners[0])):
        affine[:3, axis] = vector * _TO_RAS
    return affine


def wanted(
    content: bytes,
    affine: Array,
    shape: tuple[int, int, int],
    only: Callable[[str], bool] = lambda _: True,
) -> Iterator[tuple[str, Array]]:
    """Yield each structure's name and its mask, bool (i, j, k), in the order of the file.

    ``only`` says by its name whether a structure is asked for. ``affine`` (RAS+, mm) must be of
    double precision; see ``affine_of``.

    Raises:
        ValueError: A contour lies in no slice of the grid.
    """
    for name, contours in _contours(content):
        if not only(name):
            continue
        mask = np.zeros(shape, bool)
        for contour in contours:
            i, j, k = np.linalg.solve(
                affine, np.vstack([(contour * _TO_RAS).T, np.ones(len(contour))])
            )[:3]
            plane = round(float(np.median(k)))
            if np.abs(k - plane).max() > _OFF or not 0 <= plane < shape[2]:
                msg = f"a contour of {name!r} lies in no slice, at {np.median(k):g}"
                raise ValueError(msg)
            _flip(mask[:, :, plane], *(np.rint(v * _PARTS).astype(np.int64) for v in (i, j)))
        yield name, mask


def names(content: bytes) -> list[str]:
    """Return the names of all structures, in the order of the file."""
    return [name for name, _ in _contours(content)]


def _contours(content: bytes) -> list[tuple[str, list[Array]]]:
    """Return the names, and the corners (n, 3) of each area, LPS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags = pydicom.dcmread(io.BytesIO(content))
        found: list[tuple[str, list[Array]]] = []
        for roi in tags.StructureSetROISequence:
            areas = [
                np.array([float(v) for v in item.ContourData]).reshape(-1, 3)
                for group in tags.ROIContourSequence
                if group.ReferencedROINumber == roi.ROINumber
                for item in group.get("ContourSequence") or []
                if item.ContourGeometricType in {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
                and item.get("ContourData")
            ]
            stated = roi.get("ROIName") or ""
            text = stated if isinstance(stated, str) else "\\".join(stated)
            clean = "".join((" ", letter)[letter.isprintable()] for letter in text)
            found.append((" ".join(clean.split()), [area for area in areas if len(area) > 2]))  # noqa: PLR2004
    return found


def _flip(plane: Array, x: Array, y: Array) -> None:
    """Turn over each pixel (i, j) of ``plane`` whose centre the polygon encloses."""
    left, right = max(0, int(x.min()) // _PARTS), min(len(plane) - 1, int(x.max()) // _PARTS)
    low, high = max(0, int(y.min()) // _PARTS), min(plane.shape[1] - 1, int(y.max()) // _PARTS)
    if right < left:
        return  # beside the image
    centres = np.arange(left, right + 1)[:, None] * _PARTS
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    for j in range(low, high + 1):
        row = j * _PARTS
        (met,) = np.nonzero((y > row) != (next_y > row))
        odd = np.zeros(len(centres), bool)
        for n in range(0, len(met), at_once := max(1, _AT_ONCE // max(1, len(centres)))):
            some = met[n : n + at_once]
            rise, run = next_y[some] - y[some], next_x[some] - x[some]
            side = run * (row - y[some]) - (centres - x[some]) * rise
            odd ^= np.count_nonzero(side * np.sign(rise) > 0, axis=1) % 2 == 1
        plane[left : right + 1, j] ^= odd
