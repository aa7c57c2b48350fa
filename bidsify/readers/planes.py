"""Pixels of slices as stored, and as real values in the type of their volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..volume import Array


@dataclass(frozen=True, slots=True)
class Plane:
    """Pixels (row, column) as stored, and what makes them real values."""

    stored: Array
    slope: float
    intercept: float

    @property
    def is_whole(self) -> bool:
        """Say whether real values are integers."""
        whole = self.slope.is_integer() and self.intercept.is_integer()
        return whole and self.stored.dtype.kind in "iu"

    @property
    def ends(self) -> tuple[int, int]:
        """Return real values between which all others lie; for integers."""
        slope, intercept = int(self.slope), int(self.intercept)
        first, last = (
            int(end) * slope + intercept for end in (self.stored.min(), self.stored.max())
        )
        return min(first, last), max(first, last)

    def put(self, place: Array) -> None:
        """Write the real values there. Integers that fit may run over on their way."""
        if not self.is_whole:
            place[...] = self.stored * self.slope + self.intercept
            return
        slope, intercept = int(self.slope), int(self.intercept)
        if slope == 1 and place.dtype.kind == "i" and abs(intercept) <= np.iinfo(place.dtype).max:
            np.add(self.stored, intercept, out=place, dtype=place.dtype, casting="unsafe")
        else:
            place[...] = self.stored.astype(np.int64) * slope + intercept


def storage_type(planes: Sequence[Plane]) -> str:
    """Return the smallest of the types that tools agree on; real numbers stay real."""
    if not all(plane.is_whole for plane in planes):
        return "float32"
    low, high = min(plane.ends[0] for plane in planes), max(plane.ends[1] for plane in planes)
    fits = (t for t in ("int16", "int32") if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    return next(fits, "float64")
