"""What label values of the heart mean: the codings of MyoPS380 and of MyoPS 2020."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from .. import datasets
from ..dataset import Segmentation
from ..errors import SourceError
from ..labels import LabelTable
from ..volume import Array
from .distance import box


@dataclass(frozen=True)
class Coding:
    """A coding of labels, by the dataset that has it: which values are muscle, which are scar."""

    dataset: str
    muscle: frozenset[int]
    scar: frozenset[int]

    @cached_property
    def table(self) -> LabelTable:
        """Return its label table."""
        products = datasets.load(self.dataset).products
        return next(product.labels for product in products if isinstance(product, Segmentation))


CODINGS = (
    Coding("myops380", muscle=frozenset({1, 2, 3}), scar=frozenset({2})),
    Coding("myops2020", muscle=frozenset({200, 1220, 2221}), scar=frozenset({2221})),
)


def coding_of(values: Iterable[int], where: str) -> Coding:
    """Return the coding that label values are of; 0 is background in each.

    Raises:
        SourceError: They are of none; ``where`` is what the message names.
    """
    found = {int(value) for value in values} - {0}
    for coding in CODINGS:
        if found <= coding.table.names.keys():
            return coding
    listed = ", ".join(map(str, sorted(found)))
    known = " or ".join(", ".join(map(str, sorted(c.table.names))) for c in CODINGS)
    msg = f"{where}: the label values {listed} are of no coding of the heart that is known "
    msg += f"({known}); recode the masks"
    raise SourceError(msg)


def masks(labels: Array, coding: Coding) -> Array:
    """Return the muscle, and the muscle with what it encloses, (2, I, J) of bool."""
    muscle = np.isin(labels, [*coding.muscle])
    filled = muscle.copy()
    if muscle.any():
        around = box(muscle, 0)  # what is open lies open to its edge
        filled[around] = ndimage.binary_fill_holes(muscle[around])
    return np.stack([muscle, filled])
