"""Which row of the label table each drawn structure has, and the labels that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DeclarationError
from ..volume import Array

_LARGEST = 255


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two structures of different labels, by their places, that share ``voxels`` voxels."""

    first: int
    second: int
    voxels: int


def indices(
    names: Sequence[str], accepted: Mapping[int, tuple[str, ...]]
) -> tuple[int | None, ...]:
    """Return the index of each name; None where no index accepts it.

    Case does not count, and a run of blanks and underscores is one blank.

    Raises:
        DeclarationError: Two indices accept a name, or one is no label from 1 to 255.

    >>> indices(["TV", "Cochlea_", "Vol 2y"], {1: ("tv", "an"), 2: ("cochlea",)})
    (1, 2, None)
    """
    rows: dict[str, int] = {}
    for index, spellings in accepted.items():
        if not 0 < index <= _LARGEST:
            msg = f"{index}: structures have labels from 1 to {_LARGEST}"
            raise DeclarationError(msg)
        for name in spellings:
            if rows.setdefault(_folded(name), index) != index:
                msg = f"{name!r}: accepted as {rows[_folded(name)]} and as {index}"
                raise DeclarationError(msg)
    return tuple(rows.get(_folded(name)) for name in names)


def to_labels(masks: Array, rows: Sequence[int | None]) -> Array | Overlap:
    """Return the labels, uint8 (i, j, k), of masks (i, j, k, structure) with these indices.

    Structures of one index are united, those without one left out.
    """
    labels = np.zeros(masks.shape[:-1], np.uint8, order="F")
    for second, index in enumerate(rows):
        if index is None:
            continue
        mask = masks[..., second]
        if (mask & (labels != 0) & (labels != index)).any():
            return _first_overlap(masks, rows, second)
        labels[mask] = index
    return labels


def _first_overlap(masks: Array, rows: Sequence[int | None], second: int) -> Overlap:
    shared = (
        (first, int(np.count_nonzero(masks[..., first] & masks[..., second])))
        for first, index in enumerate(rows[:second])
        if index not in {None, rows[second]}
    )
    first, voxels = next(pair for pair in shared if pair[1])
    return Overlap(first, second, voxels)


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()
