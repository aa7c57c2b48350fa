"""Which way the axes of an image run, from its affine."""

from __future__ import annotations

import math
from collections.abc import Sequence

_CODES = ("RL", "AP", "SI")


def axis_codes(affine: Sequence[Sequence[float]]) -> list[str] | None:
    """Name the world axis that each voxel axis follows best: ``["R", "A", "S"]``.

    ``affine`` has at least three rows and three columns (voxel indices to mm, RAS+). None where
    it holds a number that is not finite. Axes are made orthogonal first and world axes are given
    out in order of likeness, as ``meta.context`` of the BIDS schema wants them.
    """
    if not all(math.isfinite(value) for row in affine for value in row):
        return None
    basis: list[list[float]] = []
    for j in range(3):
        column = [affine[i][j] for i in range(3)]
        rest = column
        for axis in basis:
            share = sum(a * b for a, b in zip(axis, column, strict=True))
            rest = [r - share * a for r, a in zip(rest, axis, strict=True)]
        basis.append(_normal(rest))
    sizes = [[abs(value) for value in axis] for axis in basis]
    result = ["", "", ""]
    for number in sorted(range(3), key=lambda i: -_largest(sizes[i])):
        size = sizes[number]
        world = size.index(max(size)) if _largest(size) else 0
        for row in sizes:
            row[world] = 0
        result[number] = _CODES[world][0 if basis[number][world] > 0 else 1]
    return result


def _normal(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length if length else math.nan for value in vector]


def _largest(values: Sequence[float]) -> float:
    """Return the largest value; 0 where one is NaN, so that such an axis comes last."""
    return 0 if any(map(math.isnan, values)) else max(values)
