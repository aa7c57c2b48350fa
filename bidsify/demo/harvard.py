"""Write two layouts of the Whole Brain Atlas: pictures of slices in pairs, without geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import head, native
from .head import Person
from .phantom import Solid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_SAGITTAL, _CORONAL, _AXIAL = range(3)  # the axis that a picture lacks
_GREY_AXES = 2
_COLOURS = {
    "SPECT": np.array(
        [(0, 0, 8), (60, 0, 110), (190, 30, 90), (250, 150, 20), (255, 255, 210)], np.float64
    ),
    "PET": np.array(
        [(0, 0, 20), (0, 30, 200), (0, 190, 160), (110, 230, 0), (250, 220, 0), (230, 20, 0)],
        np.float64,
    ),
}
_CASES = {
    "2": Person(
        size=(0.98, 0.97, 0.99), lesion=Solid(centre=(0.36, 0.3, 0.1), radii=(0.16, 0.22, 0.2))
    ),
    "4": Person(
        size=(1.02, 1.0, 1.0), lesion=Solid(centre=(-0.4, -0.1, 0.1), radii=(0.2, 0.3, 0.2))
    ),
    "16": Person(size=(1.0, 1.03, 0.97), turns=(3.0, 0.0, -4.0)),
    "21": Person(
        size=(0.95, 1.0, 1.02),
        turns=(0.0, 2.0, 3.0),
        lesion=Solid(centre=(0.3, -0.4, 0.2), radii=(0.2, 0.18, 0.2)),
    ),
    "25": Person(
        size=(1.0, 0.95, 1.0), lesion=Solid(centre=(-0.42, 0.1, -0.1), radii=(0.18, 0.24, 0.2))
    ),
    "41": Person(
        size=(0.97, 1.01, 1.0), lesion=Solid(centre=(-0.24, -0.5, 0.0), radii=(0.14, 0.16, 0.16))
    ),
    "SLU": Person(
        size=(1.01, 0.98, 0.98), lesion=Solid(centre=(0.38, 0.1, 0.18), radii=(0.22, 0.26, 0.24))
    ),
}
_PAIRS = {
    "CT": {"2": (4, 5, 6, 9), "16": (3, 4, 5, 7), "21": (8, 10, 11), "41": (9, 10, 12)},
    "SPECT": {"4": (6, 7, 9), "21": (7, 8, 9, 10, 11, 13), "25": (12, 14, 15)},
}
# The healthy brain of PET-MRI is one volume cut three ways. A prefix stands for an axis there.
_HEALTHY = Person(size=(1.0, 1.0, 1.0))
_PLANES = {
    "25": (_CORONAL, [*range(5, 12), *range(14, 27)]),
    "30": (_SAGITTAL, [*range(4, 9), *range(10, 24)]),
    "41": (_AXIAL, [*range(3, 15), *range(16, 21)]),
}
# The names of the atlas itself: technetium SPECT is tc, FDG PET is dg.
_SERIES = (
    ("16", "mr1", "MRI", "png", (3, 4, 5, 7)),
    ("16", "ct1", "CT", "png", (3, 4, 5, 7)),
    ("21", "mr1", "MRI", "gif", (8, 9, 10, 11)),
    ("21", "tc1", "SPECT", "png", (8, 9, 10, 11)),
    ("SLU", "mr1", "MRI", "png", (7, 8, 10)),
    ("SLU", "dg1", "PET", "png", (7, 8, 10)),
)


def make(folder: Path) -> None:
    """Write pairs of CT, SPECT and PET with MR below ``folder``, as ``<case><slice>.png``."""
    for other, people in _PAIRS.items():
        for case, levels in people.items():
            for modality in (other, "MRI"):
                for number, picture in _slices(_CASES[case], modality, _AXIAL, levels):
                    path = folder / f"{other}-MRI" / modality / f"{case}{number:03d}.png"
                    native.save(path, _encoded(picture))
    for modality in ("PET", "MRI"):
        for prefix, (axis, numbers) in _PLANES.items():
            for number, picture in _slices(_HEALTHY, modality, axis, numbers):
                path = folder / "PET-MRI" / modality / f"{prefix}{number:03d}.png"
                native.save(path, _encoded(picture))


def cases(folder: Path) -> None:
    """Write three cases below ``folder`` in the tree of the atlas's site, one series as GIF."""
    for case, series, modality, kind, numbers in _SERIES:
        for number, picture in _slices(_CASES[case], modality, _AXIAL, numbers):
            path = folder / "cases" / f"case{case}" / series / f"{number:03d}.{kind}"
            native.save(path, native.gif(picture) if kind == "gif" else _encoded(picture))


def _slices(
    person: Person, modality: str, axis: int, numbers: Sequence[int]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Cut a head across one axis, from slice 1: rows run down or back, colours come last."""
    planes = np.moveaxis(head.volume(person, modality), axis, 0)
    for number in numbers:
        picture = planes[number - 1].T
        if axis != _AXIAL:  # the volume runs upwards, rows run down
            picture = picture[::-1]
        picture = np.ascontiguousarray(picture)
        if modality in _COLOURS:
            picture = head.coloured(picture, _COLOURS[modality])
        yield number, picture


def _encoded(picture: NDArray[np.uint8]) -> bytes:
    is_grey = picture.ndim == _GREY_AXES
    return native.png(picture) if is_grey else native.png_rgb(picture)
