"""The values in an array of labels: which occur, and whether they can be labels at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import SourceError
from .volume import Array

#: Kinds of numpy that labels can be.
NUMBERS = "iubf"

#: How far a float label may be from a whole number. Masks that went through a scaled header
#: come back as 0.9999999997671694; resampling gives 0.5.
INTEGRAL = 1e-3

_DENSE = 1 << 17
_LARGEST = 1 << 53  # floats beyond hold no single integers
_LISTED = 8

#: The source file of an array of labels, or what gives it for the index of a voxel.
Namer = str | Callable[[tuple[int, ...]], str]


def present(values: Array, name: Namer) -> list[int]:
    """Return the label values that occur, sorted.

    Raises:
        SourceError: A value is no whole number.
    """
    return distinct(whole_numbers(values, name))


def whole_numbers(values: Array, name: Namer) -> Array:
    """Return label values as integers; floats are rounded.

    Raises:
        SourceError: A value is no whole number, or none at all.
    """
    if values.dtype.kind not in NUMBERS:
        msg = f"{named(name, np.ones(1, bool))}: labels of the type {values.dtype}, not numbers"
        raise SourceError(msg)
    if values.dtype.kind in "iub":
        return values.astype(np.uint8) if values.dtype.kind == "b" else values
    rounded = np.rint(values)
    with np.errstate(invalid="ignore"):
        wrong = ~((np.abs(values - rounded) <= INTEGRAL) & (np.abs(values) < np.float64(_LARGEST)))
    if wrong.any():
        some = listed(sorted({float(v) for v in np.unique(values[wrong])[:_LISTED]}))
        msg = (
            f"{named(name, wrong)}: label values that are no whole numbers: {some} "
            f"({int(wrong.sum())} voxels); was the segmentation resampled?"
        )
        raise SourceError(msg)
    return rounded.astype(np.int64)


def distinct(whole: Array) -> list[int]:
    """Return the values that occur; by counting where they are close together."""
    some = firsts(whole)
    low, high = int(some.min()), int(some.max())
    if high - low < _DENSE:
        flat = some.astype(np.int64) if low < 0 else some
        counts = np.bincount((flat - flat.dtype.type(low)).astype(np.int64))
        return [int(n) + low for n in np.flatnonzero(counts)]
    return [int(n) for n in np.unique(some)]


def firsts(whole: Array) -> Array:
    """Return the first of each run of equal voxels, as one axis: each value, few of the voxels."""
    flat = whole.ravel(order="K")
    found: Array = flat[np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))]
    return found


def named(name: Namer, where: Array) -> str:
    """Name the source file of the first voxel that is meant."""
    if isinstance(name, str):
        return name
    first = np.unravel_index(int(np.argmax(where)), where.shape)
    return name(tuple(int(n) for n in first))


def listed(values: list[int] | list[float]) -> str:
    """List the first few values."""
    more = ", ..." if len(values) > _LISTED else ""
    shown = (str(v) if isinstance(v, int) else f"{v:g}" for v in values[:_LISTED])
    return f"[{', '.join(shown)}{more}]"
