"""Prove an image by the transforms that lie beside it: voxel to scanner, scanner to source.

The way is another one than that of the writer: points are mapped one by one through the record on
disk to positions in the scanner, and from there by the plane of the source to its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from ..volume import Array
from . import itk, jobs, transform_record, transforms
from .jobs import StudyJob
from .stack import Slice, Stack

_TOP = 255.0
_NEAR = 1e-3  # of the range of grey values: float32, and displacements that were stored as such


def faults(
    job: StudyJob, stacks: Mapping[str, Stack], root: Path, *, is_scaled: bool
) -> Iterator[str]:
    """Say where voxels of a written image, or its labels, are not those of the source stacks.

    ``is_scaled``: the grey values of all slices of the source were brought to 0 ... 255.
    """
    record = _record(job, root)
    image = nib.Nifti1Image.from_filename(root / job.target)
    values = np.asanyarray(image.dataobj)
    if values.shape != (*record.shape, len(record.slices)):
        yield f"a grid of {values.shape} voxels, its transforms are of {record.shape}"
        return
    if not np.allclose(image.affine, record.grid, atol=1e-3):
        yield "the affine is not that of its transforms"
    stack = stacks[job.sequence]
    low = min(float(one.pixels.min()) for one in stack.slices)
    span = max(float(one.pixels.max()) for one in stack.slices) - low
    plane = np.argwhere(np.ones((*record.shape, 1)))
    for number, moved in enumerate(record.slices):
        if not 0 <= moved.source_slice < len(stack.slices):
            yield f"its transforms are of slice {moved.source_slice} of {len(stack.slices)}"
            continue
        one = stack.slices[moved.source_slice]
        points = plane + np.array([0, 0, number])
        found = values[:, :, number].astype(np.float64).reshape(-1)
        pixels = _pixels(one, transforms.to_scanner(points, record))
        if found[((pixels < -1) | (pixels > one.pixels.shape)).any(axis=1)].any():
            yield f"{job.sequence}: values where its source has no pixels"
        if job.part == "image" and is_scaled:
            found = found / _TOP * span + low
        yield from _compare(job, one, pixels, found, span)


def _record(job: StudyJob, root: Path) -> transforms.Record:
    path = jobs.xfm_of(job.study, job.sequence, "_xfm.json")
    record = transform_record.from_json((root / path).read_bytes(), path)
    if record.displacement_file is None:
        return record
    field = jobs.xfm_of(job.study, job.sequence, "_xfm.nii.gz")
    return itk.with_displacements(record, (root / field).read_bytes(), field)


def _pixels(one: Slice, places: Array) -> Array:
    """Return where positions (P, 3) lie in a slice, (P, 2)."""
    solid = np.column_stack([one.plane[:, :2], one.normal])
    found: Array = np.linalg.solve(solid, (places - one.plane[:, 2]).T).T[:, :2]
    return found


def _compare(job: StudyJob, one: Slice, pixels: Array, found: Array, span: float) -> Iterator[str]:
    """Compare values, in those of the source, with the pixels around where they come from."""
    low, high = np.floor(pixels).astype(int), np.floor(pixels).astype(int) + 1
    inside = ((low >= 0) & (high < one.pixels.shape)).all(axis=1)
    low, high, found = low[inside], high[inside], found[inside]
    part = (pixels[inside] - low).T
    if not len(found):
        return
    corners = [
        ((low[:, 0], low[:, 1]), (1 - part[0]) * (1 - part[1])),
        ((high[:, 0], low[:, 1]), part[0] * (1 - part[1])),
        ((low[:, 0], high[:, 1]), (1 - part[0]) * part[1]),
        ((high[:, 0], high[:, 1]), part[0] * part[1]),
    ]
    if job.part == "labels":
        near = [one.labels[at] if one.labels is not None else 0 * found for at, _ in corners]
        if not (np.stack(near) == found).any(axis=0).all():
            yield f"{job.sequence}: a label that none of the pixels around its source has"
        return
    wanted = np.sum([one.pixels[at].astype(np.float64) * weight for at, weight in corners], axis=0)
    apart = float(np.abs(wanted - found).max())
    if apart > _NEAR * span:
        yield f"{job.sequence}: grey values are up to {apart:.4g} off those of the source"
