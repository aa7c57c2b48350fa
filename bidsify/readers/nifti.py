"""NIfTI files as bytes: check them, take their values, change no more than needed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from isal import isal_zlib
from nibabel.spatialimages import HeaderDataError

from .. import gz
from ..errors import SourceError
from ..volume import Array

HEAD = 540  # bytes of the longer header, that of NIfTI-2
_MIN_HEAD = 348
_MAX_BYTES = 1 << 35
_IMAGE_AXES = 3
_ORDERS: tuple[tuple[str, Literal["little", "big"]], ...] = (("<", "little"), (">", "big"))


@dataclass(frozen=True, slots=True)
class Nifti:
    """A checked file: ``raw`` is decompressed, ``packed`` the gzip file where it can be kept."""

    path: str
    raw: bytes
    header: nib.Nifti1Header
    packed: bytes | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the size of the grid."""
        return tuple(int(n) for n in self.header.get_data_shape())

    @property
    def offset(self) -> int:
        """Return where the voxels begin."""
        return _offset(self.header)

    @property
    def scaling(self) -> tuple[float, float]:
        """Return slope and intercept; (1, 0) where the header states none."""
        slope, intercept = self.header.get_slope_inter()
        return (1.0 if slope is None else slope), (0.0 if intercept is None else intercept)


def read(content: bytes, path: str) -> Nifti:
    """Check a ``.nii`` or ``.nii.gz`` file.

    Raises:
        SourceError: Not NIfTI, truncated, damaged, or larger than its header states.
    """
    if not content:
        msg = f"{path}: the file is empty; download it again"
        raise SourceError(msg)
    packed: bytes | None = None
    raw = content
    if content.startswith(gz.MAGIC):
        limit = len(content) * 1100

        def size_of(head: bytes) -> int:
            return _size(_header(head, path), path, limit)

        inflated = gz.inflate(content, path, size_of, HEAD)
        raw = inflated.raw
        packed = content if inflated.is_plain else None
    header = _header(raw, path)
    _size(header, path, len(raw))
    return Nifti(path, raw, header, packed)


def values(image: Nifti) -> Array:
    """Return the values as stored, without scaling; axes i, j, k, ... of the file."""
    dtype = image.header.get_data_dtype()
    count = math.prod(image.shape)
    stored = np.frombuffer(image.raw, dtype, count, image.offset)
    return stored.reshape(image.shape, order="F")


def is_scaled(image: Nifti) -> bool:
    """Say whether stored values are not the real ones."""
    return image.scaling != (1.0, 0.0)


def image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop trailing axes of length 1, and give a plane its third axis: (X, Y, 1)."""
    trimmed = list(shape)
    while len(trimmed) > _IMAGE_AXES and trimmed[-1] == 1:
        trimmed.pop()
    return tuple(trimmed + [1] * (_IMAGE_AXES - len(trimmed)))


def with_shape(image: Nifti) -> bytes:
    """Return the file with the axes of :func:`image_shape`; all else as it was."""
    shape = image_shape(image.shape)
    if shape == image.shape:
        return image.raw
    header = image.header.copy()
    header["dim"] = [len(shape), *shape, *[1] * (7 - len(shape))]
    block = bytes(header.binaryblock)
    return block + image.raw[len(block) :]


def with_labels(image: Nifti, labels: Array) -> bytes:
    """Return the file with other values, unscaled, on the same grid; extensions are kept."""
    header = image.header.copy()
    shape = image_shape(image.shape)
    if shape != image.shape:
        header = type(header)(with_shape(image)[: int(header["sizeof_hdr"])], check=False)
    dtype = labels.dtype.newbyteorder(header.endianness)
    header.set_data_dtype(dtype)
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["cal_min"], header["cal_max"] = 0, 0
    block = bytes(header.binaryblock)
    between = image.raw[len(block) : image.offset]
    return block + between + labels.astype(dtype, copy=False).tobytes(order="F")


def _header(head: bytes, path: str) -> nib.Nifti1Header:
    for kind, size in ((nib.Nifti1Header, _MIN_HEAD), (nib.Nifti2Header, HEAD)):
        for endian, order in _ORDERS:
            if len(head) >= size and int.from_bytes(head[:4], order) == size:
                make: Any = kind
                header: nib.Nifti1Header = make(head[:size], endianness=endian, check=False)
                if bytes(header["magic"])[:2] != b"n+":
                    msg = f"{path}: not a single-file NIfTI image (.hdr/.img pairs are not read)"
                    raise SourceError(msg)
                return header
    msg = f"{path}: not a NIfTI file; is it complete and the right one?"
    raise SourceError(msg)


def _size(header: nib.Nifti1Header, path: str, limit: int) -> int:
    """Return the bytes that the header announces, after checking that they can be."""
    if not 1 <= int(header["dim"][0]) < len(header["dim"]):
        msg = f"{path}: broken NIfTI header: {int(header['dim'][0])} dimensions"
        raise SourceError(msg)
    try:
        shape = header.get_data_shape()
        item = header.get_data_dtype().itemsize
        offset = _offset(header)
        header.get_slope_inter()
    except (HeaderDataError, ValueError, OverflowError, KeyError) as error:
        msg = f"{path}: broken NIfTI header: {error}"
        raise SourceError(msg) from error
    if not shape or min(shape) < 1 or not item:
        msg = f"{path}: broken NIfTI header: a grid of {tuple(shape)} voxels"
        raise SourceError(msg)
    size: int = offset + math.prod(int(n) for n in shape) * item
    if size > max(limit, 0) or size > _MAX_BYTES or offset < int(header["sizeof_hdr"]):
        msg = f"{path}: cut off, or a broken header: it announces {size} bytes; download it again"
        raise SourceError(msg)
    return size


def _offset(header: nib.Nifti1Header) -> int:
    offset: int = int(header["vox_offset"])
    return offset


@dataclass(frozen=True, slots=True)
class Place:
    """Where a volume lies: the size of its grid, and the affine to RAS+ (mm)."""

    shape: tuple[int, ...]
    affine: Array


def peek_header(path: Path) -> nib.Nifti1Header:
    """Read the header of a file as it is, without its voxels; nothing in it is checked."""
    with path.open("rb") as stream:
        head = stream.read(1 << 12)
    if head.startswith(gz.MAGIC):
        head = isal_zlib.decompressobj(31).decompress(head, HEAD)
    return _header(head, str(path))


def peek(path: Path) -> Place:
    """Return where a file that we wrote lies, by its header alone."""
    header = peek_header(path)
    shape = tuple(int(n) for n in header.get_data_shape())
    return Place(shape, np.asarray(header.get_best_affine(), dtype=np.float64))


def inverse(place: Place, name: str) -> Array:
    """Return the matrix from RAS+ (mm) to voxel indices.

    Raises:
        SourceError: The affine of the file ``name`` is singular.
    """
    try:
        return np.asarray(np.linalg.inv(place.affine))
    except np.linalg.LinAlgError as error:
        msg = f"{name}: its affine is singular, so no point has a voxel; repair the header"
        raise SourceError(msg) from error
