"""Native label values to those of the label table. No value is guessed, cast or wrapped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import SourceError
from .jobs import Recode
from .labels import Range
from .volume import Array

#: How far a float label may be from a whole number. Masks that went through a scaled header
#: come back as 0.9999999997671694; resampling gives 0.5.
INTEGRAL = 1e-3

_DENSE = 1 << 17
_LARGEST = 1 << 53  # floats beyond hold no single integers
_NAMED = 8

Namer = str | Callable[[tuple[int, ...]], str]


#: Kinds of numpy that labels can be.
NUMBERS = "iubf"


def recode(values: Array, coding: Recode, name: Namer) -> Array:
    """Return ``values`` with each native value replaced by its index, in the declared type.

    That is ``values`` itself where nothing changes.
    ``name`` is the source file, or gives it for the index of a voxel.

    Raises:
        SourceError: A value is not integral, has no row in the table, or all are background
            where the declaration says that this cannot be.
    """
    whole = _integral(values, name)
    found = _present(whole)
    known = [value for value in found if _row(value, coding.ranges) is not None]
    if len(known) < len(found):
        unknown = sorted(set(found) - set(known))
        where = np.isin(whole, unknown)
        msg = (
            f"{_named(name, where)}: voxel values without a row in the label table: "
            f"{_some(unknown)} ({int(where.sum())} voxels); repair the file, or add the rows "
            "if the values are meant"
        )
        betrayed = (s.reason for s in coding.suspects if {*s.values} & {*unknown})
        raise SourceError("; ".join((msg, *betrayed)))
    mapped = {value: row.index for value in known if (row := _row(value, coding.ranges))}
    if not coding.may_be_empty and not any(mapped.values()):
        msg = f"{_named(name, whole == found[0])}: the segmentation is empty, all voxels are "
        msg += f"{found[0]}; is this the right file?"
        raise SourceError(msg)
    return _apply(whole, mapped, np.dtype(coding.dtype))


def present(values: Array, name: Namer) -> list[int]:
    """Return the label values that occur, sorted.

    Raises:
        SourceError: A value is no whole number.
    """
    return _present(_integral(values, name))


def _integral(values: Array, name: Namer) -> Array:
    if values.dtype.kind not in NUMBERS:
        msg = f"{_named(name, np.ones(1, bool))}: labels of the type {values.dtype}, not numbers"
        raise SourceError(msg)
    if values.dtype.kind in "iub":
        return values.astype(np.uint8) if values.dtype.kind == "b" else values
    rounded = np.rint(values)
    with np.errstate(invalid="ignore"):
        wrong = ~((np.abs(values - rounded) <= INTEGRAL) & (np.abs(values) < np.float64(_LARGEST)))
    if wrong.any():
        some = _some(sorted({float(v) for v in np.unique(values[wrong])[:_NAMED]}))
        msg = (
            f"{_named(name, wrong)}: label values that are no whole numbers: {some} "
            f"({int(wrong.sum())} voxels); was the segmentation resampled?"
        )
        raise SourceError(msg)
    return rounded.astype(np.int64)


def _present(whole: Array) -> list[int]:
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
    return flat[np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))]


def _row(value: int, ranges: tuple[Range, ...]) -> Range | None:
    return next((row for row in ranges if row.low <= value <= row.high), None)


def _apply(whole: Array, mapped: dict[int, int], dtype: np.dtype[np.generic]) -> Array:
    if all(value == index for value, index in mapped.items()):
        return whole.astype(dtype, copy=False)
    native = np.array(sorted(mapped), dtype=np.int64)
    indices = np.array([mapped[int(value)] for value in native], dtype=dtype)
    return np.asarray(indices[np.searchsorted(native, whole)])


def _named(name: Namer, where: Array) -> str:
    if isinstance(name, str):
        return name
    first = np.unravel_index(int(np.argmax(where)), where.shape)
    return name(tuple(int(n) for n in first))


def _some(values: list[int] | list[float]) -> str:
    more = ", ..." if len(values) > _NAMED else ""
    shown = (str(v) if isinstance(v, int) else f"{v:g}" for v in values[:_NAMED])
    return f"[{', '.join(shown)}{more}]"
