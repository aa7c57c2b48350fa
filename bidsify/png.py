"""Small pictures as PNG: the same pixels give the same bytes, as long as Pillow is the same."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .volume import Array


def to_png(pixels: Array, palette: bytes = b"", transparent: int | None = None) -> bytes:
    """Return a PNG of pixels, uint8 (rows, columns): greys, or places in a palette.

    Args:
        pixels: Rows go from top to bottom.
        palette: Red, green and blue of each place; empty where pixels are greys.
        transparent: The place, or the grey, that is not seen.
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if palette:
        picture.putpalette(palette)
    stream = io.BytesIO()
    options = {} if transparent is None else {"transparency": transparent}
    picture.save(stream, "PNG", compress_level=9, **options)
    return stream.getvalue()
