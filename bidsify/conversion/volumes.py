"""Volume jobs: from source files to the bytes of a ``.nii.gz``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .. import gz
from ..engine.jobs import Made, Omitted
from ..errors import SourceError
from ..planning.jobs import ArrayPart, Recode, VolumeJob
from ..product import Reader, Slab
from ..readers import nifti
from ..source.reading import Reading
from ..volume import ALIGNED, Array, Volume, affine_of, nifti_parts
from .recode import recode

_PLANE_AXES, _CHANNEL_AXES = 2, 3


def make(job: VolumeJob, reading: Reading, *, reproducible: bool) -> Made | Omitted:
    """Read, recode where the job says so, and compress.

    Raises:
        SourceError: A source file is not what it claims to be.
    """
    made = READERS[job.reader](job, reading)
    if isinstance(made, Omitted):
        return made
    content = made.packed or gz.pack(*made.parts, reproducible=reproducible)
    if made.parts[0] is reading.content(job.sources[0]):  # an uncompressed file, as it is
        return Made(content, reading.facts[job.sources[0]].sha256, made.notes)
    digest = hashlib.sha256()
    for part in made.parts:
        digest.update(part)
    return Made(content, digest.hexdigest(), made.notes)


@dataclass(frozen=True, slots=True)
class _Raw:
    """The bytes of a NIfTI file in pieces, and the compressed ones where those can be kept."""

    parts: tuple[bytes | memoryview, ...]
    packed: bytes | None = None
    notes: tuple[str, ...] = ()


def _from_nifti(job: VolumeJob, reading: Reading) -> _Raw:
    (path,) = job.sources
    image = nifti.read(reading.content(path), path)
    if image.packed is not None:
        reading.inflated.add(path)
    if not np.isfinite(image.header.get_best_affine()).all():
        msg = f"{path}: its affine holds numbers that are none; repair the header"
        raise SourceError(msg)
    raw = nifti.with_shape(image) if job.recode is None else _labels(image, job.recode)
    unchanged = image.packed is not None and raw is image.raw
    packed = gz.without_name_and_time(image.packed) if unchanged and image.packed else None
    return _Raw((raw,), packed, tuple(_implausible(job, lambda: _measured(image))))


def _measured(image: nifti.Nifti) -> Array:
    """Return the values of an image, scaled as its header says."""
    slope, intercept = image.scaling
    stored = nifti.values(image)
    return stored * slope + intercept if nifti.is_scaled(image) else stored


def _labels(image: nifti.Nifti, coding: Recode) -> bytes:
    stored = nifti.values(image)
    labels = recode(_measured(image), coding, image.path)
    same_type = stored.dtype.newbyteorder("=") == labels.dtype and not nifti.is_scaled(image)
    if labels is stored or (same_type and np.array_equal(stored, labels)):
        return nifti.with_shape(image)
    return nifti.with_labels(image, labels)


def _from_dicom(job: VolumeJob, reading: Reading) -> _Raw:
    from ..readers import dicom  # noqa: PLC0415  pydicom takes 0.2 s

    files = ((path, reading.content(path)) for path in job.sources)
    slices = dicom.read_slices(files, pixels=True)
    where = reading.grids.setdefault(job.sources, dicom.grid(slices))
    return _placed(job, dicom.volume(slices, where))


def _placed(job: VolumeJob, volume: Volume, notes: tuple[str, ...] = ()) -> _Raw:
    return _Raw(nifti_parts(volume), notes=(*notes, *_implausible(job, lambda: volume.data)))


def _implausible(job: VolumeJob, values: Callable[[], Array]) -> Iterator[str]:
    """Tell of values that nobody can have measured; they are kept as they are."""
    if job.plausible is None:
        return
    data, (low, high) = values(), job.plausible
    if low <= data.min() and data.max() <= high:
        return
    odd = (data < low) | (data > high)
    if odd.any():
        first = tuple(int(n) for n in np.argwhere(odd)[0])
        yield (
            f"{job.target}: {int(odd.sum())} voxels outside of {low:g} to {high:g}, such as "
            f"{data[first]:g} at {list(first)}; kept as they are"
        )


def _from_png(job: VolumeJob, reading: Reading) -> _Raw:
    from ..readers import png  # noqa: PLC0415

    where = reading.grid(job.grid)
    if job.ranked and (fault := png.disorder(where, offset=job.ranked == "offset")):
        msg = f"{fault}; masks that are paired by number cannot be placed"
        raise SourceError(msg)
    stack = png.volume([(path, reading.content(path)) for path in job.sources], where)
    names = [job.sources[n] for n in where.order]
    data = _recoded(stack.data, job.recode, lambda index: names[index[2]])
    return _placed(job, Volume(data, stack.affine, in_mm=True))


def _from_pictures(job: VolumeJob, reading: Reading) -> _Raw:
    from ..readers import png  # noqa: PLC0415

    data = png.stack([(path, reading.content(path)) for path in job.sources])
    affine = affine_of(_part(job).orientation)
    return _placed(job, Volume(data, affine, in_mm=False, code=ALIGNED))


def _from_structures(job: VolumeJob, reading: Reading) -> _Raw | Omitted:
    """Labels of the structures that have a row, or all structures where those are not enough."""
    from ..readers import structures as reader  # noqa: PLC0415
    from . import structures  # noqa: PLC0415

    (path,) = job.sources
    drawn = reader.read(reading.content(path), path)
    rows = structures.indices([roi.name for roi in drawn.rois], dict(job.structures))
    named = [roi for roi, row in zip(drawn.rois, rows, strict=True) if row is not None]
    where = reading.grid(job.grid)
    if drawn.series and drawn.frame and {drawn.series, drawn.frame}.isdisjoint(where.uids):
        msg = f"{path}: drawn on series {drawn.series}, which is not the one in its folder"
        raise SourceError(msg)
    notes = (*drawn.skipped, *reader.beyond(drawn.rois, where, path))
    labels = structures.to_labels(
        reader.masks(named, where, path), [row for row in rows if row is not None]
    )
    if job.recode is not None:
        if not named:
            why = f"{path}: no structure has a row in the label table; see the probseg"
            return Omitted(why, (why, *notes))
        if isinstance(labels, structures.Overlap):
            names = f"{named[labels.first].label} and {named[labels.second].label}"
            why = f"{path}: {names} share {labels.voxels} voxels, so there is no dseg; see the "
            return Omitted(f"{why}probseg", (f"{why}probseg", *notes))
        return _placed(job, Volume(labels, where.affine, in_mm=True), notes)
    is_held = len(named) == len(drawn.rois) == len(set(rows))
    if is_held and not isinstance(labels, structures.Overlap):
        return Omitted(f"{path}: the label table names all of its structures")
    masks = reader.masks(drawn.rois, where, path).astype(np.uint8)
    return _placed(job, Volume(masks, where.affine, in_mm=True))


def _from_tensors(job: VolumeJob, reading: Reading) -> _Raw | Omitted:
    (path,) = job.sources
    part = _part(job)
    if part.unless is not None and (reason := _redundance(reading, path, part, part.unless)):
        return Omitted(reason)
    stored = reading.array(path, part.key)
    data = _masks(stored, part, path) if part.channels else _plane(stored, part, path)
    data = _recoded(data, job.recode, lambda _: f"{path}: {part.key}")
    volume = Volume(_storable(data), affine_of(part.orientation), in_mm=False, code=ALIGNED)
    return _placed(job, volume)


def _part(job: VolumeJob) -> ArrayPart:
    if job.array is None:
        msg = f"{job.target}: a job on arrays that names none"
        raise AssertionError(msg)
    return job.array


#: What makes a volume of each form that volumes come in.
READERS: Mapping[Reader, Callable[[VolumeJob, Reading], _Raw | Omitted]] = {
    "nifti": _from_nifti,
    "dicom": _from_dicom,
    "pictures": _from_pictures,
    "png": _from_png,
    "rtstruct": _from_structures,
    "tensors": _from_tensors,
}


def _recoded(data: Array, coding: Recode | None, name: Callable[[tuple[int, ...]], str]) -> Array:
    return data if coding is None else recode(data, coding, name)


def _redundance(reading: Reading, path: str, part: ArrayPart, held: Slab) -> str:
    """Say why the channels need no file of their own; empty where they do."""
    other = reading.array(path, held.key)[held.start : held.stop]
    if part.key not in reading.arrays(path):
        return f"{path}: has no {part.key!r}"
    if not np.array_equal(reading.array(path, part.key), other):
        return ""
    return f"{part.key!r} equals channels {held.start} to {held.stop - 1} of {held.key!r}"


def _plane(stored: Array, part: ArrayPart, path: str) -> Array:
    """(rows, columns) or (1, rows, columns) -> (columns, rows, 1)."""
    plane = stored[0] if stored.ndim == _CHANNEL_AXES and len(stored) == 1 else stored
    if plane.ndim != _PLANE_AXES or 0 in plane.shape:
        msg = f"{path}: {part.key!r} has the shape {stored.shape}; expected one plane"
        raise SourceError(msg)
    return plane.T[:, :, np.newaxis]


def _masks(stored: Array, part: ArrayPart, path: str) -> Array:
    """(channels, rows, columns) -> (columns, rows, 1, channels); yes or no becomes 1 or 0."""
    if stored.ndim != _CHANNEL_AXES or len(stored) != part.channels or 0 in stored.shape:
        msg = f"{path}: {part.key!r} has the shape {stored.shape}; expected {part.channels} planes"
        raise SourceError(msg)
    data = stored.transpose(2, 1, 0)[:, :, np.newaxis, :]
    if (data.dtype.kind in "bu" and data.max() <= 1) or ((data == 0) | (data == 1)).all():
        return data.astype(np.uint8)
    if data.dtype.kind != "f" or not ((data >= 0) & (data <= 1)).all():
        msg = f"{path}: {part.key!r} holds values outside 0 to 1; a mask has none"
        raise SourceError(msg)
    return data


def _storable(data: Array) -> Array:
    """Choose a type that NIfTI readers agree on and that holds each value exactly."""
    kind, size = data.dtype.kind, data.dtype.itemsize
    if kind == "b":
        return data.astype(np.uint8)
    if kind == "f":
        return data.astype(np.float32) if size < np.dtype("f4").itemsize else data
    if kind in "iu" and (size > np.dtype("i2").itemsize or data.dtype == np.uint16):
        low, high = int(data.min()), int(data.max())
        for name in ("int16", "int32"):
            if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
                return data.astype(name)
    return data
