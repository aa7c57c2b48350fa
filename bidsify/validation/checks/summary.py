"""What the checks need to know of an image's voxels, gathered in one pass over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .stream import Array, UnreadableError

_MANY = 1 << 16  # different values: an image with more holds no labels
_COUNTABLE = 1 << 16  # values below this are counted with an array
_WORD = 8


@dataclass(frozen=True, slots=True)
class Summary:
    """What one pass showed. ``least`` and ``most`` leave out what is not finite; 0 for labels.

    ``counts`` are voxels by real value, without 0, for images of labels only; ``is_complete``
    says whether there were few enough values to count all of them.
    """

    voxels: int
    not_finite: int
    least: float
    most: float
    is_empty: bool
    counts: Mapping[float, int] = field(default_factory=dict)
    is_complete: bool = True


@dataclass
class Tally:
    """Counts while the voxels pass by."""

    is_of_labels: bool
    voxels: int = 0
    not_finite: int = 0
    least: float = np.inf
    most: float = -np.inf
    is_empty: bool = True
    is_complete: bool = True
    counts: Counter[float] = field(default_factory=Counter)

    def add(self, values: Array) -> None:
        """Take in one piece."""
        if self.is_of_labels and values.dtype.kind == "c":
            msg = "its voxels are complex numbers, which are no labels"
            raise UnreadableError(msg)
        self.voxels += values.size
        if values.dtype.kind in "fc":
            values = self._finite(values)
        if self.is_of_labels:
            self._count(values)
        elif values.dtype.kind != "c" and values.size:
            self.least = min(self.least, values.min())
            self.most = max(self.most, values.max())

    def _finite(self, values: Array) -> Array:
        """Leave out what is not finite. A sum that is finite has only finite terms."""
        plain = values.view(values.real.dtype)
        if np.isfinite(plain.sum()):
            return values
        is_finite = np.isfinite(values)
        self.not_finite += int(values.size - np.count_nonzero(is_finite))
        finite: Array = values[is_finite]
        return finite

    def _count(self, values: Array) -> None:
        """Count labels. Most voxels are background, which is passed over eight bytes at a time."""
        labels = _foreground(values)
        if not labels.size:
            return
        self.is_empty = False
        if not self.is_complete:
            return
        self.counts.update(_counted(labels))
        if len(self.counts) > _MANY:
            self.is_complete = False
            self.counts.clear()


def summarize(
    pieces: Iterable[Array], scaling: tuple[float, float], *, is_of_labels: bool
) -> Summary:
    """Go through the voxels once; ``scaling`` turns stored values into real ones."""
    tally = Tally(is_of_labels)
    with np.errstate(all="ignore"):
        for piece in pieces:
            tally.add(piece)
    slope, intercept = scaling
    if is_of_labels:
        counts = Counter(tally.counts)
        if intercept:
            counts[0] = tally.voxels - tally.not_finite - counts.total()
        real: Counter[float] = Counter()
        for value, number in counts.items():
            real[_real(value, slope, intercept)] += number
        del real[0]
        is_empty = not real if tally.is_complete else tally.is_empty
        return Summary(tally.voxels, tally.not_finite, 0, 0, is_empty, real, tally.is_complete)
    ends = sorted((tally.least * slope + intercept, tally.most * slope + intercept))
    least, most = map(float, ends)
    return Summary(tally.voxels, tally.not_finite, least, most, least == most == 0)


def _real(value: float, slope: float, intercept: float) -> float:
    """Scale a value; the product of a rounded slope is rounded where it is all but whole."""
    if (slope, intercept) == (1, 0):
        return value
    scaled = value * slope + intercept
    return float(round(scaled)) if abs(scaled - round(scaled)) < 1e-4 else scaled  # noqa: PLR2004


def _foreground(values: Array) -> Array:
    """Return the values other than 0, in any order."""
    per_word = _WORD // values.itemsize
    if per_word > 1:
        whole = values.size - values.size % per_word
        words = values[:whole].view(np.uint64)
        is_used = words != 0
        values = np.concatenate((words[is_used].view(values.dtype), values[whole:]))
    foreground: Array = values[values != 0]
    return foreground


def _counted(labels: Array) -> dict[Any, int]:
    least, most = labels.min(), labels.max()
    if least >= 0 and most < _COUNTABLE:
        whole = labels.astype(np.int64)
        if labels.dtype.kind in "iu" or bool((whole == labels).all()):
            counts = np.bincount(whole)
            found = np.flatnonzero(counts)
            return dict(zip(found.tolist(), counts[found].tolist(), strict=True))
    values, numbers = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), numbers.tolist(), strict=True))
