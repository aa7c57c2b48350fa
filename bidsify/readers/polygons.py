"""Fill polygons: which pixels have their centres inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..volume import Array

#: Points are taken to the nearest 1/16384 of a pixel. Rounding of the tags then decides nothing,
#: and all that follows is arithmetic of whole numbers that int64 holds, up to ``REACH`` pixels.
UNIT, REACH = 1 << 14, 1 << 15

_AT_ONCE = 1 << 20


def inside(polygons: Sequence[Array], columns: int, rows: int) -> Array:
    """Return the pixels (row, column) whose centres have an odd number of edges before them.

    Polygons are arrays (n, 2) of column and row, whole numbers of the ``UNIT``-th part of a pixel.
    An edge meets a row from its lower end up to, but without, its upper end; a crossing at a
    centre lies before it.
    """
    toggles = np.zeros((rows, columns + 1), bool)
    starts = np.concatenate(polygons)
    ends = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons])
    rising = (starts[:, 1] <= ends[:, 1])[:, None]
    low, high = np.where(rising, starts, ends), np.where(rising, ends, starts)
    first, stop = (np.clip(-(-end[:, 1] // UNIT), 0, rows) for end in (low, high))
    at_once = max(1, _AT_ONCE // rows)
    for n in range(0, len(low), at_once):
        part = slice(n, n + at_once)
        counts = stop[part] - first[part]
        (x, y), (dx, dy) = (
            np.repeat(ends, counts, axis=0).T for ends in (low[part], high[part] - low[part])
        )
        before = np.repeat(np.cumsum(counts) - counts - first[part], counts)
        row = np.arange(len(before)) - before
        crossing = -(-(x * dy + (row * UNIT - y) * dx) // (dy * UNIT))  # the centre behind it
        np.bitwise_xor.at(toggles, (row, np.clip(crossing, 0, columns)), True)  # noqa: FBT003
    return np.bitwise_xor.accumulate(toggles[:, :columns], axis=1)
