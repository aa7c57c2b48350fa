"""Voxels of a case, read with a bound on what a header may claim."""

from __future__ import annotations

import math
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from ..errors import SourceError
from ..harmonisation.segmentations import values
from ..label_values import whole_numbers
from ..readers import nifti
from ..volume import Array
from .grids import read_header

#: The most voxels of an image that are read, and the most bytes of these and of its file.
MOST = 1 << 30
MOST_BYTES = 1 << 31
_SCALED = 8  # bytes of a voxel that is scaled


def read_labels(root: Path, path: str, limit: int = MOST) -> tuple[Array, Array]:
    """Return the labels of a segmentation as integers, and its affine to RAS+ (mm).

    The axes are i, j, k of the file, three at least, without trailing ones of length 1.

    Raises:
        SourceError: It cannot be read, has more voxels than ``limit``, or no whole numbers.
    """
    image, labels = read_segmentation(root, path, limit)
    return labels, _affine(image)


def read_segmentation(root: Path, path: str, limit: int = MOST) -> tuple[nifti.Nifti, Array]:
    """Return the file itself, for another one on its grid, and its labels as integers.

    Raises:
        SourceError: As :func:`read_labels`.
    """
    image, found = _read(root, path, limit)
    return image, whole_numbers(found, path)


def read_image(root: Path, path: str, limit: int = MOST) -> tuple[Array, Array]:
    """Return the values of an image, the scaling of its header applied, and its affine.

    Axes as of :func:`read_labels`; the type is that of the file where it is not scaled, and
    values may be no numbers (NaN) or infinite.

    Raises:
        SourceError: It cannot be read, has more voxels than ``limit``, or colours for values.
    """
    image, found = _read(root, path, limit)
    if found.dtype.kind not in "iuf":
        msg = f"{path}: values of the type {found.dtype}, which are no grey values"
        raise SourceError(msg)
    return found, _affine(image)


def _affine(image: nifti.Nifti) -> Array:
    return np.asarray(image.header.get_best_affine(), dtype=np.float64)


def _read(root: Path, path: str, limit: int) -> tuple[nifti.Nifti, Array]:
    header = read_header(root, path)
    try:
        _check_size(header, root / path, path, limit)
        image, found = values((root / path).read_bytes(), path)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise SourceError(msg) from error
    except MemoryError as error:
        msg = f"{path}: does not fit into memory"
        raise SourceError(msg) from error
    return image, found.reshape(nifti.image_shape(image.shape), order="F")


def _check_size(header: nib.Nifti1Header, location: Path, path: str, limit: int) -> None:
    """Refuse what would take too much memory, before any voxel is read or decompressed."""
    count = math.prod(int(n) for n in header.get_data_shape())
    if count > limit:
        msg = f"{path}: {count} voxels, more than the {limit} that are read of one image"
        raise SourceError(msg)
    try:
        stored = max(int(header["vox_offset"]), 0) + count * header.get_data_dtype().itemsize
        is_scaled = tuple(header.get_slope_inter()) not in {(None, None), (1.0, 0.0)}
        size = max(stored, count * _SCALED * is_scaled, location.stat().st_size)
    except (HeaderDataError, ValueError, OverflowError) as error:
        msg = f"{path}: broken NIfTI header: {error}"
        raise SourceError(msg) from error
    if size > MOST_BYTES:
        msg = f"{path}: its file or header announces {size} bytes, more than the {MOST_BYTES} "
        msg += "that are read of one image"
        raise SourceError(msg)
