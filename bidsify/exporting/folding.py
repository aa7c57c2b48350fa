"""What a user asks of folds and splits."""

from __future__ import annotations

from dataclasses import dataclass

from ..cases.case import Case
from .people import TEST, TRAINING


@dataclass(frozen=True, slots=True)
class Folding:
    """How many folds (None: five, or fewer for few groups), and what must stay together.

    ``group`` is a column of ``participants.tsv``. ``with_test`` trains also on cases that the
    table keeps for tests.
    """

    count: int | None = None
    seed: int = 0
    group: str | None = None
    with_test: bool = False

    def split(self, stated: str, case: Case) -> str:
        """Return the split that a case goes to."""
        return TRAINING if self.with_test and stated == TEST and case.segmentation else stated
