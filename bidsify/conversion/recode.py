"""Native label values to those of the label table. No value is guessed, cast or wrapped."""

from __future__ import annotations

import numpy as np

from ..errors import SourceError
from ..label_values import Namer, distinct, listed, named, whole_numbers
from ..labels import Range
from ..planning.jobs import Recode
from ..volume import Array

_DENSE = 1 << 16  # values that a table of all between them is made for


def recode(values: Array, coding: Recode, name: Namer) -> Array:
    """Return ``values`` with each native value replaced by its index, in the declared type.

    That is ``values`` itself where nothing changes.
    ``name`` is the source file, or gives it for the index of a voxel.

    Raises:
        SourceError: A value is not integral, has no row in the table, or all are background
            where the declaration says that this cannot be.
    """
    whole = whole_numbers(values, name)
    found = distinct(whole)
    known = [value for value in found if _row(value, coding.ranges) is not None]
    if len(known) < len(found):
        unknown = sorted(set(found) - set(known))
        where = np.isin(whole, unknown)
        msg = (
            f"{named(name, where)}: voxel values without a row in the label table: "
            f"{listed(unknown)} ({int(where.sum())} voxels); repair the file, or add the rows "
            "if the values are meant"
        )
        betrayed = (s.reason for s in coding.suspects if {*s.values} & {*unknown})
        raise SourceError("; ".join((msg, *betrayed)))
    mapped = {value: row.index for value in known if (row := _row(value, coding.ranges))}
    if not coding.may_be_empty and not any(mapped.values()):
        msg = f"{named(name, whole == found[0])}: the segmentation is empty, all voxels are "
        msg += f"{found[0]}; is this the right file?"
        raise SourceError(msg)
    return _apply(whole, mapped, np.dtype(coding.dtype))


def _row(value: int, ranges: tuple[Range, ...]) -> Range | None:
    return next((row for row in ranges if row.low <= value <= row.high), None)


def _apply(whole: Array, mapped: dict[int, int], dtype: np.dtype[np.generic]) -> Array:
    if all(value == index for value, index in mapped.items()):
        return whole.astype(dtype, copy=False)
    if whole.dtype == np.uint8 and dtype.itemsize == 1:
        table = bytes(mapped.get(value, 0) for value in range(256))
        flat = np.frombuffer(whole.tobytes(order="F").translate(table), dtype)
        return flat.reshape(whole.shape, order="F")
    native = np.array(sorted(mapped), dtype=np.int64)
    indices = np.array([mapped[int(value)] for value in native], dtype=dtype)
    low, span = native[0], native[-1] - native[0] + 1
    if span > _DENSE:
        return np.asarray(indices[np.searchsorted(native, whole)])
    looked_up = np.zeros(span, dtype)
    looked_up[native - low] = indices
    return np.asarray(looked_up[whole.astype(np.intp, copy=False) - low])
