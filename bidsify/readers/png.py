"""Pictures: masks, one for each slice of a series whose grid they lie on, and stacks of slices."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import SourceError
from ..volume import Array, Volume
from .dicom import Grid

_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
)

_FORMATS = ("PNG", "GIF")
_MAX_PIXELS = 1 << 26
_MAX_VOXELS = 1 << 31
_PLANE_AXES, _OPAQUE = 2, 255

#: One bit, 8 and 16 bits of grey. A colour or a palette index is no label.
_MODES = ("1", "L", "I;16", "I;16B", "I")


def volume(pictures: Sequence[tuple[str, bytes]], where: Grid) -> Volume:
    """Stack pictures; the n-th belongs to the n-th file of the series. Axes as the series'."""
    columns, rows, _ = where.shape
    planes = [_plane(path, content, (columns, rows)) for path, content in pictures]
    return Volume(np.stack([planes[n] for n in where.order]).T, where.affine, in_mm=True)


def disorder(where: Grid, *, offset: bool) -> str:
    """Say why the order of the files does not tell the order of the slices; empty where it does.

    With ``offset`` other files count from another number, so instance numbers must tell that
    no slice is missing; without, they only must not contradict.
    """
    forward = tuple(range(len(where.order)))
    if where.order not in {forward, forward[::-1]}:
        return f"{where.paths[0]}: the file names are not in the order of the positions"
    if None in where.instances and not offset:
        return ""
    for place, (path, number) in enumerate(zip(where.paths, where.instances, strict=True), start=1):
        if number != place:
            return f"{path}: instance {number} where {place} is expected; one is missing"
    return ""


def stack(pictures: Sequence[tuple[str, bytes]]) -> Array:
    """Stack pictures of one size and kind: (column, row, picture), or with a fifth axis of RGB.

    Colours are kept as they are: what a palette stands for cannot be told from a picture.

    Raises:
        SourceError: Not readable, of several sizes or kinds, or too many to hold.
    """
    planes = [_picture(path, content) for path, content in pictures]
    if any(plane.ndim > _PLANE_AXES for plane in planes):  # a black one among colours is black
        planes = [p if p.ndim > _PLANE_AXES else np.stack([p] * 3, axis=2) for p in planes]
    first = planes[0]
    if first.size * len(planes) > _MAX_VOXELS:
        msg = f"{pictures[0][0]}: {len(planes)} pictures of {first.shape} pixels are too many"
        raise SourceError(msg)
    for (path, _), plane in zip(pictures, planes, strict=True):
        if plane.shape != first.shape or plane.dtype != first.dtype:
            msg = f"{path}: {plane.shape} pixels and colours, but {first.shape} in {pictures[0][0]}"
            raise SourceError(msg)
    if first.ndim == _PLANE_AXES:
        return np.stack(planes).T
    return np.stack(planes).transpose(2, 1, 0, 3)[:, :, :, np.newaxis, :]


def _picture(path: str, content: bytes) -> Array:
    """Decode one picture: (row, column) of grey, or (row, column, 3) of colours."""
    try:
        with _opened(content, _FORMATS) as picture:
            if math.prod(picture.size) > _MAX_PIXELS:
                msg = f"{path}: a picture of {picture.size} pixels"
                raise SourceError(msg)
            if getattr(picture, "n_frames", 1) > 1 or _is_clear(picture) or _is_deep(content):
                msg = f"{path}: animated, transparent or of 16-bit colours, which no slice is"
                raise SourceError(msg)
            grey = picture.mode in _MODES
            shown = np.asarray(picture if grey else picture.convert("RGB"))
    except _BROKEN as error:
        msg = f"{path}: not a readable PNG or GIF picture ({error}); download it again"
        raise SourceError(msg) from error
    if shown.ndim > _PLANE_AXES and (shown == shown[..., :1]).all():
        shown = shown[..., 0]  # a palette of greys
    return shown.astype(np.uint8 if shown.dtype.kind == "b" else shown.dtype.newbyteorder("="))


def _is_clear(picture: Image.Image) -> bool:
    """Say whether any pixel lets something shine through."""
    if picture.mode not in {"RGBA", "LA", "PA"} and "transparency" not in picture.info:
        return False
    return bool((np.asarray(picture.convert("RGBA"))[..., 3] < _OPAQUE).any())


def _is_deep(content: bytes) -> bool:
    """Say whether a PNG has 16-bit colours, which would be cut to 8 bits."""
    is_png = content.startswith(b"\x89PNG")
    return is_png and content[24] == 16 and content[25] in {2, 6}  # noqa: PLR2004  IHDR


def _plane(path: str, content: bytes, size: tuple[int, int]) -> Array:
    """Decode one picture: an array of rows and columns."""
    try:
        with _opened(content) as picture:
            if picture.size != size:
                msg = f"{path}: {picture.size} pixels, but its slice has {size}"
                raise SourceError(msg)
            if picture.mode not in _MODES:
                msg = f"{path}: a picture of mode {picture.mode}; masks are grey or one bit"
                raise SourceError(msg)
            shown = np.asarray(picture)
            return shown.astype(np.uint8) if shown.dtype.kind == "b" else shown
    except _BROKEN as error:
        msg = f"{path}: not a readable PNG picture ({error}); download it again"
        raise SourceError(msg) from error


def _opened(content: bytes, formats: tuple[str, ...] = ("PNG",)) -> Image.Image:
    """Open without decoding; a picture of another size is refused before that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=formats)
