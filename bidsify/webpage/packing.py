"""Volumes as text for a page: exact where they are whole numbers of a range, else in 65535 steps.

Labels are always exact: where their range is too large, what is stored are places in a table.
Bytes are compressed with gzip and written in base64; of two bytes all low ones come first, then
all high ones, which compress better so. i runs fastest.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass

import numpy as np

from ..volume import Array

_BYTE, _VOID = 255, 65535
_WHOLE = 1 << 53  # as far as the numbers of a browser are exact
_HUGE = 1e300


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed volume: a stored number times ``slope`` plus ``inter`` is the value.

    ``bytes`` is 1 or 2 for a voxel. ``exact`` says that no value was rounded. ``void`` is the
    stored number of what was no number; None where there is no such. Where there is a ``table``,
    a stored number is a place in it, and the value stands there.
    """

    text: str
    bytes: int
    slope: float
    inter: float
    exact: bool
    void: int | None = None
    table: tuple[int, ...] = ()


def pack(values: Array) -> Packed:
    """Pack the values of a volume of any real type."""
    is_number = np.isfinite(values) & (np.abs(values.astype(np.float64)) < _HUGE)
    if not is_number.any():
        return Packed(_text(np.zeros(values.shape, np.uint8)), 1, 1, 0, exact=False, void=0)
    low, high = (float(limit(values[is_number])) for limit in (np.min, np.max))
    if is_number.all() and _are_whole(values, low, high):
        stored = (values.astype(np.int64) - int(low)).astype(np.uint16)
        if stored.max() <= _BYTE:
            return Packed(_text(stored.astype(np.uint8)), 1, 1, low, exact=True)
        return Packed(_text(stored), 2, 1, low, exact=True)
    slope = (high - low) / (_VOID - 1) or 1.0
    steps = np.full(values.shape, _VOID, np.uint16)
    steps[is_number] = np.rint((values[is_number].astype(np.float64) - low) / slope)
    void = None if is_number.all() else _VOID
    return Packed(_text(steps), 2, slope, low, exact=False, void=void)


def pack_labels(labels: Array) -> Packed | None:
    """Pack whole numbers exactly; None: there are too many different ones, or too large ones."""
    found = np.unique(labels)
    low, high = int(found[0]), int(found[-1])
    if high - low <= _VOID:
        return pack(labels)
    if len(found) > _VOID or max(abs(low), abs(high)) >= _WHOLE:
        return None
    stored = np.searchsorted(found, labels).astype(np.uint16)
    small = stored.astype(np.uint8) if len(found) <= _BYTE else stored
    table = tuple(int(value) for value in found)
    return Packed(_text(small), small.dtype.itemsize, 1, 0, exact=True, table=table)


def unpack(packed: Packed, shape: tuple[int, ...]) -> Array:
    """Return the values of a packed volume; NaN for what was no number."""
    content = np.frombuffer(gzip.decompress(base64.b64decode(packed.text)), np.uint8)
    flat = np.ascontiguousarray(content.reshape(packed.bytes, -1).T)
    stored = flat.view(f"<u{packed.bytes}").reshape(shape, order="F")
    if packed.table:
        found: Array = np.array(packed.table)[stored]
        return found
    values: Array = stored * packed.slope + packed.inter
    if packed.void is not None:
        values = np.where(stored == packed.void, np.nan, values)
    return values


def _are_whole(values: Array, low: float, high: float) -> bool:
    if high - low > _VOID or max(abs(low), abs(high)) >= _WHOLE:
        return False
    return values.dtype.kind in "iub" or bool((values == np.rint(values)).all())


def _text(stored: Array) -> str:
    little = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    flat = np.frombuffer(little.tobytes(order="F"), np.uint8).reshape(-1, stored.dtype.itemsize)
    return compressed(flat.T.tobytes())


def compressed(content: bytes) -> str:
    """Return bytes as gzip in base64, which the page unpacks."""
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode("ascii")
