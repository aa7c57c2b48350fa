"""Write the IVDM3Seg layout: four Dixon images and one binary label file for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import native, phantom
from .phantom import Solid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array

_SPACING = (2.0, 1.25, 1.25)
_DISCS = 7
_PITCH = 5.6  # from disc to disc, in mm
_MIDDLE = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One scan: grid, obliquity, and where its column stands."""

    shape: tuple[int, int, int]
    turns: tuple[float, float, float]
    shift: float
    label_centre: tuple[float, float, float] = _MIDDLE
    label_turns: tuple[float, float, float] | None = None


_CASES = {
    "01": _Case(shape=(11, 38, 36), turns=_MIDDLE, shift=0.0),
    "02": _Case(shape=(12, 38, 35), turns=(4.0, 0.0, 3.0), shift=0.8),
    # In the distributed data too, the label file of case 16 lies on another grid than its images.
    "16": _Case(
        shape=(11, 37, 36),
        turns=(-5.0, 2.0, 4.0),
        shift=-0.6,
        label_centre=(0.5, -3.0, 2.0),
        label_turns=_MIDDLE,
    ),
}


def make(folder: Path) -> None:
    """Write three cases of IVDM3Seg below ``folder``, with the flat copies of their files."""
    for number, case in _CASES.items():
        matrix = phantom.grid(case.shape, _SPACING, _MIDDLE, case.turns)
        for name, data in _images(case, matrix).items():
            content = native.nifti(data, matrix)
            native.save(folder / "Training" / number / f"{number}_{name}.nii", content)
            native.save(folder / "dataset" / f"{number}_{name}.nii", content)
        turns = case.turns if case.label_turns is None else case.label_turns
        matrix = phantom.grid(case.shape, _SPACING, case.label_centre, turns)
        content = native.nifti(_labels(case, matrix), matrix)
        native.save(folder / "Training" / number / f"{number}_Labels.nii", content)
        native.save(folder / "label" / f"{number}_Labels.nii", content)


class _Tissues(NamedTuple):
    """The signal of each tissue."""

    skin: float
    muscle: float
    marrow: float
    disc: float
    fluid: float


_WATER = _Tissues(skin=40, muscle=250, marrow=165, disc=360, fluid=420)
_FAT = _Tissues(skin=430, muscle=30, marrow=190, disc=12, fluid=8)


def _images(case: _Case, matrix: Array) -> dict[str, NDArray[np.int16]]:
    points = phantom.positions(case.shape, matrix)
    water, fat = (_signal(points, case.shift, tissues) for tissues in (_WATER, _FAT))
    images = {"fat": fat, "inn": water + fat, "opp": np.abs(water - fat), "wat": water}
    return {name: np.round(image).astype(np.int16) for name, image in images.items()}


def _labels(case: _Case, matrix: Array) -> NDArray[np.uint8]:
    points = phantom.positions(case.shape, matrix)
    discs = [phantom.inside(disc, points) for disc in _discs(case.shift, 1.0)]
    return np.asarray(np.any(discs, axis=0), dtype=np.uint8)


def _signal(points: Array, shift: float, of: _Tissues) -> Array:
    long = 1e3  # much longer than the field of view
    solids = [
        Solid(centre=(0.5, -1, 0), radii=(14, 22, long), value=of.skin, power=4),
        Solid(centre=(1, 0, 0), radii=(12, 18, long), value=of.muscle, power=3),
        *_vertebrae(shift, of.marrow),
        *_canal(shift, of.fluid),
        *_discs(shift, of.disc),
        Solid(centre=(4, 13, -6), radii=(4, 3, 9), value=of.fluid, turn=10, plane=(1, 2)),
    ]
    image = phantom.draw(points, solids, edge=1.6) * phantom.shading(points, _MIDDLE, 26.0)
    return image * (1 + 0.03 * phantom.grain(points, _MIDDLE, 20.0))


def _vertebrae(shift: float, value: float) -> list[Solid]:
    size = (7.0, 7.2, 2.2)
    return [_segment(level, shift, size, value) for level in _levels(_DISCS + 1)]


def _canal(shift: float, value: float) -> list[Solid]:
    size = (3.4, 2.8, 3.4)
    return [_segment(level, shift, size, value, behind=10.5) for level in _levels(_DISCS + 1)]


def _discs(shift: float, value: float) -> list[Solid]:
    return [
        _segment(level, shift, (7.4 - 0.15 * rank, 7.8 - 0.2 * rank, 1.5), value)
        for rank, level in enumerate(_levels(_DISCS))
    ]


def _levels(count: int) -> list[float]:
    return [(rank - (count - 1) / 2) * _PITCH for rank in range(count)]


def _segment(
    level: float, shift: float, size: tuple[float, ...], value: float, behind: float = 0.0
) -> Solid:
    # The column is a parabola in the sagittal plane; each segment stands square to it.
    bend = 0.007
    slope = 2 * bend * (level - 4.0)
    front = 2.0 + shift + bend * (level - 4.0) ** 2
    centre = (0.8, front - behind, level + behind * slope)
    turn = -float(np.rad2deg(np.arctan(slope)))
    return Solid(centre=centre, radii=size, value=value, power=3.5, turn=turn, plane=(1, 2))
