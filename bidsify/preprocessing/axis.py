"""The line across a stack of slices, and whether two stacks lie about the same place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import SourceError
from ..volume import Array
from .stack import Slice, Stack

#: Planes at this angle are 5 mm apart at the edge of a heart of 30 mm radius: half of the usual
#: distance of two slices.
MOST_DEGREES = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The line along ``direction``, a unit vector whose sign means nothing, through ``point``."""

    point: Array
    direction: Array

    def places(self, stack: Stack) -> Array:
        """Return where the planes of a stack cut it, (slices,), in mm from its point."""
        normals = np.array([one.normal for one in stack.slices])
        offsets = np.array([one.centre for one in stack.slices]) - self.point
        places: Array = (normals * offsets).sum(1) / (normals @ self.direction)
        return places

    def tilt(self, stack: Stack) -> float:
        """Return the largest angle of its slices' normals with it, in degrees."""
        along = min(abs(float(one.normal @ self.direction)) for one in stack.slices)
        return float(np.degrees(np.arccos(min(along, 1.0))))


def axis_of(reference: Stack) -> Axis:
    """Return the line along the mean normal of a stack, through the middle of its centres."""
    normals = np.array([one.normal for one in reference.slices])
    _, directions = np.linalg.eigh(normals.T @ normals)
    centres = np.array([one.centre for one in reference.slices])
    return Axis(centres.mean(0), directions[:, -1])


def check_place(stack: Stack) -> None:
    """Refuse slices that lie nowhere.

    Raises:
        SourceError: The geometry of a slice is not finite, or has no area.
    """
    for k, one in enumerate(stack.slices):
        if not np.isfinite(one.plane).all() or not _area(one) > 0:
            msg = f"slice {k} of {stack.name} has no place in space, its geometry is "
            msg += f"{one.plane.tolist()}; convert it anew from its DICOM series"
            raise SourceError(msg)


def check_tilt(stack: Stack, reference: Stack, axis: Axis) -> None:
    """Refuse planes that are not about parallel.

    Raises:
        SourceError: An angle is larger than MOST_DEGREES.
    """
    tilt = axis.tilt(stack)
    if tilt <= MOST_DEGREES:
        return
    if stack is reference:
        msg = f"the slices of {stack.name} are tilted against each other (by {tilt:.1f} degrees "
        msg += f"from their mean, at most {MOST_DEGREES:g} are allowed); give one stack only"
    else:
        msg = f"{stack.name} and {reference.name} do not share an orientation: their slices are "
        msg += f"tilted by {tilt:.1f} degrees (at most {MOST_DEGREES:g} are allowed); "
        msg += "give stacks of the same view"
    raise SourceError(msg)


def check_overlap(stack: Stack, reference: Stack, axis: Axis, bound_mm: float) -> None:
    """Refuse stacks that lie apart: by more than the bound along the axis, or within the plane.

    Within the plane they do where their corners leave a gap along an edge of one of them, which
    is exact for boxes of parallel planes.

    Raises:
        SourceError: There is a gap.
    """
    apart = f"{stack.name} and {reference.name} do not overlap in space: "
    after = "; are they of the same study?"
    gap = _gap(axis.places(stack)[:, None], axis.places(reference)[:, None])
    if gap > bound_mm:
        msg = f"{apart}along their normal they are {gap:.1f} mm apart{after}"
        raise SourceError(msg)
    edges = np.hstack([s.slices[0].plane[:, :2] / s.slices[0].spacing for s in (stack, reference)])
    gap = _gap(_corners(stack) @ edges, _corners(reference) @ edges)
    if gap > 0:
        msg = f"{apart}within their plane they are {gap:.1f} mm apart{after}"
        raise SourceError(msg)


def _gap(one: Array, other: Array) -> float:
    """Return the widest gap of two sets of points along any of their coordinates."""
    return float(np.maximum(one.min(0) - other.max(0), other.min(0) - one.max(0)).max())


def _corners(stack: Stack) -> Array:
    """Return the positions of the outer corners of all slices, (4 x slices, 3)."""
    found = []
    for one in stack.slices:
        rows, columns = one.pixels.shape
        ends = [(i, j, 1.0) for i in (-0.5, rows - 0.5) for j in (-0.5, columns - 0.5)]
        found.append(np.array(ends) @ one.plane.T)
    return np.concatenate(found)


def _area(one: Slice) -> float:
    return float(np.linalg.norm(np.cross(one.plane[:, 0], one.plane[:, 1])))
