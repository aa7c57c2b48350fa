"""Compare what was written with what the source holds, voxel by voxel."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ..planning.jobs import Recode
from ..volume import Array

_DENSE = 1 << 22


def compare(expected: Array, values: Array) -> Iterator[str]:
    """Say where two arrays differ; NaN equals NaN."""
    if np.array_equal(expected, values):
        return
    same = (expected == values) | ((expected != expected) & (values != values))  # noqa: PLR0124  NaN
    if not same.all():
        yield _first(expected, values, ~same) + _flip(expected, values)


def compare_labels(native: Array, values: Array, coding: Recode) -> Iterator[str]:
    """Look up each pair of native and written value that occurs."""
    if native.shape != values.shape:
        yield f"a grid of {values.shape} voxels, in the source {native.shape}"
        return
    natives, indices = _turns(native, values)
    low, span = int(natives.min()), int(natives.max()) - int(natives.min()) + 1
    for pair in _present(indices * span + (natives - low)):
        index, value = pair // span, pair % span + low
        allowed = [row.index for row in coding.ranges if row.low <= value <= row.high]
        if allowed != [index]:
            whole = _whole(native)
            wrong = (whole == value) & (values.astype(np.int64) == index)
            detail = _first(whole, values, wrong) + _flip(whole, values)
            count = int(wrong.sum())
            yield f"{detail}; {count} voxels of value {value} became {index}, not {allowed}"
            return
    if values.dtype.kind not in "iu":
        yield f"labels are stored as {values.dtype}"


def _turns(native: Array, values: Array) -> tuple[Array, Array]:
    """Return both values where one of them differs from the voxel before: each pair is there."""
    one, other = (a.ravel("F" if values.flags.f_contiguous else "C") for a in (native, values))
    turns = one[1:] != one[:-1]
    if native is not values:
        turns |= other[1:] != other[:-1]
    at = np.concatenate(([0], np.flatnonzero(turns) + 1))
    return _whole(one[at]), other[at].astype(np.int64)


def _whole(native: Array) -> Array:
    return (native if native.dtype.kind in "iu" else np.rint(native)).astype(np.int64)


def _present(pairs: Array) -> list[int]:
    """Return each value that occurs."""
    if pairs.min() >= 0 and pairs.max() < _DENSE:
        return [int(pair) for pair in np.flatnonzero(np.bincount(pairs))]
    return [int(pair) for pair in np.unique(pairs)]


def _first(expected: Array, values: Array, wrong: Array) -> str:
    place = tuple(int(n) for n in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} voxels differ, the first at {list(place)}: "
        f"{values[place]:g} instead of {expected[place]:g}"
    )


def _flip(expected: Array, values: Array) -> str:
    """Recognise the commonest way to get a whole volume wrong."""
    for count in range(1, values.ndim + 1):
        for axes in itertools.combinations(range(values.ndim), count):
            if np.array_equal(np.flip(values, axes), expected):
                return f" (the volume is flipped along axis {', '.join(map(str, axes))})"
    return ""
