"""How much of each case fits into one page: which cases, which contrasts, how many voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..survey.values import CaseFacts

#: Voxels of all volumes of a page, and of one volume: at most, and at least.
ALL, MOST, LEAST = 40_000_000, 96**3, 32**3
#: Cases with pictures, at most: as many as fit with the fewest voxels.
MOST_CASES = 1000
_ENOUGH = 48**3  # with less than that for all contrasts, only the first of a case is shown


@dataclass(frozen=True, slots=True)
class Bounds:
    """Voxels of a volume at most, contrasts of a case (None: all), and volumes of an image."""

    voxels: int
    contrasts: int | None
    volumes: int = 1

    def contrasts_of(self, facts: CaseFacts) -> tuple[str, ...]:
        """Return the contrasts of a case that are shown, in the order of their names."""
        return tuple(sorted(facts.case.images)[: self.contrasts])


def shown(cases: Sequence[CaseFacts]) -> tuple[CaseFacts, ...]:
    """Return the cases that have pictures: those with the highest outlier scores."""
    return tuple(sorted(cases, key=lambda each: (-each.outlier, each.case.name))[:MOST_CASES])


def bounds(cases: Sequence[CaseFacts], volumes: int = 1) -> Bounds:
    """Return how much of each of these cases is shown.

    ``volumes`` is how many volumes of a series a viewer can show; with one, none are shown of
    series beside a segmentation. Fewer are taken before contrasts are left out.
    """
    for most in range(volumes, 0, -1):
        each = ALL // max(sum(_count(facts, most) for facts in cases), 1)
        if each >= _ENOUGH:
            return Bounds(min(each, MOST), None, most)
    return Bounds(max(LEAST, min(MOST, ALL // max(len(cases), 1))), 1)


def _count(facts: CaseFacts, most: int) -> int:
    """Return how many volumes of a case are shown."""
    case, frames = facts.case, min(most, max(1, math.prod(facts.shape[3:])))
    series = sum(min(most, case.volumes.get(name, most)) for name in case.series)
    return len(case.images) * frames + (series if most > 1 else 0)
