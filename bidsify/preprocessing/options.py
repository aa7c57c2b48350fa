"""What a user can ask of the preprocessing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import UsageError
from .correspondence import BOUND_MM

Step = Literal["slices", "normalise", "affine", "nonrigid", "crop"]
#: The steps, in their order. One that is left out is the identity.
STEPS: tuple[Step, ...] = get_args(Step)
Guide = Literal["masks", "masks+images", "images"]
Method = Literal["demons", "voxelmorph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What decides the content of the output.

    ``bound_mm`` is how far slices that match may be apart. ``guide`` is what drives the affine
    step; where a study or a slice has no masks, its images do. ``method`` is that of the
    non-rigid step.
    """

    steps: tuple[Step, ...] = STEPS
    bound_mm: float = BOUND_MM
    guide: Guide = "masks+images"
    method: Method = "demons"

    def __post_init__(self) -> None:
        """Refuse a bound that is none.

        Raises:
            UsageError: It is not a positive number.
        """
        if not 0 < self.bound_mm < math.inf:
            msg = f"a bound of {self.bound_mm:g} mm: it must be positive, a number of mm"
            raise UsageError(msg)

    @property
    def registers(self) -> bool:
        """Say whether slices are brought onto each other."""
        return self.has("affine") or self.has("nonrigid")

    def has(self, step: Step) -> bool:
        """Say whether a step was asked for."""
        return step in self.steps


def read_steps(texts: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps of a list of names, in their order; all where none is given.

    Raises:
        UsageError: There is no such step.
    """
    texts = [text.strip() for text in texts]
    if unknown := [text for text in texts if text not in STEPS]:
        msg = f"no step {unknown[0]!r}; there are {', '.join(STEPS)}"
        raise UsageError(msg)
    return tuple(step for step in STEPS if step in texts) or STEPS
