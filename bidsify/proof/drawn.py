"""Compare what was drawn, as pictures or contours, with the written volume."""

from __future__ import annotations

import io
from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pydicom
from PIL import Image

from ..planning.jobs import VolumeJob
from ..volume import Array
from . import contours
from .compare import compare
from .reading import Read

_FORMATS = ("PNG", "GIF")
_COLOURED = 5  # axes


def against_pictures(
    job: VolumeJob, read: Read, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    """Compare picture n with slice n, pixel by pixel; the axes run as the plan says."""
    wanted = job.array.orientation if job.array else ""
    codes = "".join(nib.aff2axcodes(image.affine))
    if codes != wanted or image.header.get_xyzt_units()[0] != "unknown":
        yield f"axes run {codes}, not {wanted}, or a unit is stated that the source does not state"
    if values.shape[2] != len(job.sources):
        yield f"{len(job.sources)} pictures, but {values.shape[2]} slices"
        return
    for number, path in enumerate(job.sources):
        with Image.open(io.BytesIO(read(path)), formats=_FORMATS) as picture:
            colours = np.asarray(picture.convert("RGB"))
            grey = np.asarray(picture if picture.mode != "P" else picture.convert("RGB"))
        shown = values[:, :, number]
        if values.ndim == _COLOURED:
            expected = colours
            shown = shown[:, :, 0].transpose(1, 0, 2)
        else:
            expected = grey[..., 0] if grey.ndim > shown.ndim else grey
            shown = shown.T
        if expected.shape != shown.shape:
            yield f"{path}: {expected.shape} pixels and colours, but {shown.shape} are written"
            continue
        yield from (f"{path}: {fault}" for fault in compare(expected, shown))


def against_structures(
    job: VolumeJob, read: Read, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    """Compare each structure, its voxels found anew, with its label or its channel."""
    affine = contours.affine_of(map(read, job.grid))
    if not np.allclose(image.affine, affine, atol=1e-3):
        yield f"the affine is {image.affine.tolist()}, that of the series {affine.tolist()}"
    if values.dtype.kind not in "iu" or image.header.get_xyzt_units()[0] != "mm":
        yield f"stored as {values.dtype}, in {image.header.get_xyzt_units()[0]}"
    tags = pydicom.dcmread(io.BytesIO(read(job.grid[0])), stop_before_pixels=True)
    shape = (int(tags.Columns), int(tags.Rows), len(job.grid))
    if values.shape[:3] != shape:
        yield f"a grid of {values.shape} voxels, that of the series is {shape}"
        return
    rows = {_plain(name): index for index, names in job.structures for name in names}
    content = read(job.sources[0])
    if job.recode is not None:
        labels = np.zeros(shape, np.int64)
        for name, mask in contours.wanted(content, affine, shape, lambda n: _plain(n) in rows):
            labels[mask] = rows[_plain(name)]
        yield from compare(labels, values)
        return
    masks = [mask for _, mask in contours.wanted(content, affine, shape)]
    if values.shape[3:] != (len(masks),):
        yield f"{len(masks)} structures, but the volume has the shape {values.shape}"
        return
    for channel, mask in enumerate(masks):
        yield from compare(mask, values[..., channel])


def _plain(name: str) -> str:
    """Reduce a name to what counts when it is looked up."""
    return " ".join(name.replace("_", " ").casefold().split())
