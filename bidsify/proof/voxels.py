"""Compare the voxels of a written volume with the source, one by one."""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from isal import igzip
from numpy.lib.stride_tricks import as_strided
from PIL import Image

from ..planning.jobs import VolumeJob
from ..volume import Array
from . import drawn
from .compare import compare, compare_labels
from .files import (
    UNREADABLE,
    head_of,
    image_of,
    kept_faults,
    same_stream,
    unpacked,
    values_of,
)
from .reading import Read, arrays

_NEAR = 0.05  # of a voxel: rounding of the tags of slices
_LPS = np.array([-1.0, -1.0, 1.0])


def faults(job: VolumeJob, read: Read, path: Path, inflated: Collection[str] = ()) -> Iterator[str]:
    """Say what differs between the file at ``path`` and the sources of ``job``."""
    source = read(job.sources[0]) if job.reader == "nifti" else None
    try:
        written = path.read_bytes()
        is_same = source is not None and same_stream(source, written)
        if source and is_same and job.recode is None and job.sources[0] in inflated:
            yield from kept_faults(source, written)
            return
        content = unpacked(written)
        image = image_of(content)
        is_kept = job.recode is None and source is not None and (is_same or source == content)
        values = np.empty(0) if is_kept else values_of(image, content)
    except UNREADABLE as error:
        yield f"not a readable NIfTI file: {error}"
        return
    if written[3:8] != bytes(5):
        yield "the gzip header carries a name or a time"
    if is_kept:  # the same bytes hold the same values
        return
    if is_same and job.recode:
        yield from compare_labels(values, values, job.recode)
        return
    yield from _against(job, read, content, image, values)


def _against(
    job: VolumeJob, read: Read, content: bytes, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    match job.reader:
        case "nifti":
            yield from _against_nifti(job, read(job.sources[0]), content, image, values)
        case "tensors":
            yield from _against_arrays(job, read(job.sources[0]), image, values)
        case "pictures":
            yield from drawn.against_pictures(job, read, image, values)
        case "rtstruct":
            yield from drawn.against_structures(job, read, image, values)
        case "dicom" | "png":
            yield from _against_slices(job, read, image, values)
        case _:
            raise AssertionError(job.reader)  # a reader without a proof


def _against_nifti(
    job: VolumeJob, source: bytes, content: bytes, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    native = igzip.decompress(source) if source[:2] == b"\x1f\x8b" else source
    before = image_of(native)
    for name in ("affine", "sform_code", "qform_code", "xyzt_units"):
        one, other = ((i.affine if name == "affine" else i.header[name]) for i in (before, image))
        if not np.array_equal(one, other):
            found, stated = np.asarray(other).tolist(), np.asarray(one).tolist()
            yield f"{name} is {found}, in the source {stated}"
    expected = values_of(before, native)
    if not np.array_equal(_sizes(expected.shape), _sizes(values.shape)):
        yield f"a grid of {values.shape} voxels, in the source {expected.shape}"
        return
    expected = expected.reshape(values.shape, order="F")
    if job.recode is not None:
        yield from compare_labels(expected, values, job.recode)
    elif faults := [*compare(expected, values)]:
        yield from faults
    elif head_of(native) != head_of(content):
        yield "its header is not that of the source, or its extensions are not"


def _sizes(shape: tuple[int, ...]) -> list[int]:
    sizes = [*shape, *[1] * (7 - len(shape))]
    return sizes[:7]


def _against_arrays(
    job: VolumeJob, source: bytes, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    part = job.array
    document = arrays(source, job.sources[0])
    if part is None or not isinstance(document, dict):
        yield f"{job.sources[0]} holds no named arrays"
        return
    codes = "".join(nib.aff2axcodes(image.affine))
    unit_steps = np.array_equal(np.abs(image.affine).sum(axis=0), [1, 1, 1, 1])
    if codes != part.orientation or not unit_steps:
        yield f"axes run {codes}, not {part.orientation}, or by other than one unit a voxel"
    yield from _header_faults(image, "unknown")
    stored = np.asarray(document[part.key])
    planes = stored.reshape(-1, *stored.shape[-2:])
    wanted = (planes.shape[2], planes.shape[1], 1, *([len(planes)] if part.channels else []))
    if values.shape != wanted:
        yield f"a grid of {values.shape} voxels, from an array of {stored.shape}"
        return
    for channel, plane in enumerate(planes):
        shown = (values[:, :, 0, channel] if part.channels else values[:, :, 0]).T
        if job.recode is None:
            yield from compare(plane, shown)
        else:
            yield from compare_labels(plane, shown, job.recode)


def _against_slices(
    job: VolumeJob, read: Read, image: nib.Nifti1Image, values: Array
) -> Iterator[str]:
    """Find each slice in the volume through its own position and orientation."""
    yield from _header_faults(image, "mm")
    to_voxel = np.linalg.inv(image.affine)
    seen: set[tuple[int, ...]] = set()
    count = 0
    for path, partner in zip(job.sources, job.grid or job.sources, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = pydicom.dcmread(io.BytesIO(read(partner)), stop_before_pixels=bool(job.grid))
        place = _place_of(tags, to_voxel, values.shape)
        if place is None:
            yield f"the slice {partner} does not lie on the grid of the volume"
            continue
        shown = place.of(values)
        seen.add(place.start)
        count += shown.size
        if job.recode is None:
            real = _real(tags)
            faults = compare(real.astype(values.dtype) if values.dtype.kind == "f" else real, shown)
        else:
            with Image.open(io.BytesIO(read(path)), formats=("PNG",)) as picture:
                faults = compare_labels(np.asarray(picture), shown, job.recode)
        yield from (f"slice {path}: {fault}" for fault in faults)
    if len(seen) != len(job.sources) or count != values.size:
        yield f"{len(job.sources)} slices fill {len(seen)} planes of a grid of {values.shape}"


def _header_faults(image: nib.Nifti1Image, unit: str) -> Iterator[str]:
    """Check what a header that we made must state."""
    header = image.header
    if header.get_xyzt_units()[0] != unit:
        yield f"the unit is {header.get_xyzt_units()[0]!r}, not {unit!r}"
    edges = np.linalg.norm(image.affine[:3, :3], axis=0)
    if not np.allclose(header.get_zooms()[:3], edges, rtol=1e-5) or header["sform_code"] < 1:
        yield f"zooms {header.get_zooms()[:3]} or sform code do not go with the affine"


def _real(tags: pydicom.Dataset) -> Array:
    """Return pixels as the scanner measured them."""
    stored = tags.pixel_array
    slope = float(tags.get("RescaleSlope", 1) or 1)
    intercept = float(tags.get("RescaleIntercept", 0) or 0)
    if stored.dtype.kind in "iu" and slope == 1 and intercept.is_integer():
        return stored + np.int64(intercept)
    return np.asarray(stored * slope + intercept)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the pixels of a slice lie: the voxel of the first, and steps along row and column."""

    start: tuple[int, ...]
    steps: tuple[tuple[int, ...], tuple[int, ...]]
    shape: tuple[int, int]

    @property
    def corners(self) -> list[tuple[int, ...]]:
        """Return the voxels of the first and last pixels of the first and last rows."""
        (rows, columns), (along, down) = self.shape, self.steps
        ends = [(n, m) for n in (0, columns - 1) for m in (0, rows - 1)]
        steps = [*zip(self.start, along, down, strict=True)]
        return [tuple(first + n * a + m * d for first, a, d in steps) for n, m in ends]

    def is_within(self, shape: tuple[int, ...]) -> bool:
        """Say whether all pixels are in a volume of this shape: what :meth:`of` relies on."""
        return all(
            0 <= n < size for corner in self.corners for n, size in zip(corner, shape, strict=False)
        )

    def of(self, values: Array) -> Array:
        """Return the pixels (rows, columns) in the volume; nothing is copied."""
        first = values[tuple(slice(n, None) for n in self.start)]
        strides = [
            sum(n * stride for n, stride in zip(step, values.strides, strict=False))
            for step in self.steps[::-1]
        ]
        return as_strided(first, self.shape, strides, writeable=False)


def _place_of(tags: pydicom.Dataset, to_voxel: Array, shape: tuple[int, ...]) -> _Place | None:
    """Return where a slice lies in a volume of this shape; None where it does not."""
    axes = np.array(tags.ImageOrientationPatient, dtype=float).reshape(2, 3)
    spacing = np.array(tags.PixelSpacing, dtype=float)
    corner = np.array(tags.ImagePositionPatient, dtype=float)
    origin = to_voxel[:3, :3] @ (corner * _LPS) + to_voxel[:3, 3]
    along_row = to_voxel[:3, :3] @ (axes[0] * spacing[1] * _LPS)
    along_column = to_voxel[:3, :3] @ (axes[1] * spacing[0] * _LPS)
    far = origin + along_row * (tags.Columns - 1) + along_column * (tags.Rows - 1)
    near = np.rint([origin, along_row, along_column])
    if not np.abs(near).max() <= max(shape):  # also what is no number
        return None
    start, along, down = (tuple(int(n) for n in step) for step in near)
    place = _Place(start, (along, down), (int(tags.Rows), int(tags.Columns)))
    gaps = np.abs(origin - start).max(), np.abs(far - place.corners[-1]).max()
    return place if max(gaps) <= _NEAR and place.is_within(shape) else None
