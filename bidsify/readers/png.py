"""PNG masks: one grey picture for each slice of a series whose grid they lie on."""

from __future__ import annotations

import io
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

#: One bit, 8 and 16 bits of grey. A colour or a palette index is no label.
_MODES = ("1", "L", "I;16", "I;16B", "I")


def volume(pictures: Sequence[tuple[str, bytes]], where: Grid) -> Volume:
    """Stack pictures; the n-th belongs to the n-th file of the series. Axes as the series'."""
    columns, rows, _ = where.shape
    planes = [_plane(path, content, (columns, rows)) for path, content in pictures]
    data = np.stack([planes[n].T for n in where.order], axis=2)
    return Volume(data, where.affine, in_mm=True)


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
            return np.asarray(picture).astype(np.int32)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        msg = f"{path}: not a readable PNG picture ({error}); download it again"
        raise SourceError(msg) from error


def _opened(content: bytes) -> Image.Image:
    """Open without decoding; a picture of another size is refused before that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=("PNG",))
