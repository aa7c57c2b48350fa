"""Write the Prostate158 layout: T2, ADC and DWI on one grid, masks of up to two readers, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import native, phantom
from .phantom import Solid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array, Mask

_COLUMNS = (
    *("t2", "adc", "dwi", "t2_anatomy_reader1", "t2_tumor_reader1", "adc_tumor_reader1"),
    *("t2_anatomy_reader2", "adc_tumor_reader2"),
)
_MIDDLE = (0.0, 0.0, 0.0)
_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SECOND_EYE = np.array([0.3, -0.2, 0.0])  # how far the second reader sees things elsewhere
_LONG = 1e3  # much longer than the field of view
_TISSUES = ("fat", "muscle", "water", "gas", "central", "peripheral", "tumour")
_GREYS = {
    "t2": (420, 110, 620, 15, 260, 470, 150),
    "adc": (240, 1120, 2720, 30, 1310, 1760, 720),  # in 1e-6 mm2/s
    "dwi": (14, 34, 20, 4, 46, 52, 128),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One examination: grid, size of the gland, lesions, and what the readers left behind."""

    table: str  # the list that names the case
    shape: tuple[int, int, int]
    size: float
    lesions: tuple[Solid, ...] = ()
    t2_value: int = 3  # of the lesions in the T2 mask
    is_read_twice: bool = False  # the lesions on ADC; the anatomy, in the test set only


# Millimetres, LPS: the patient's right has negative x, his back positive y.
_CASES = {
    20: _Case(table="valid", shape=(40, 36, 7), size=1.0),
    24: _Case(
        table="train", shape=(42, 38, 8), size=1.06, is_read_twice=True,
        lesions=(Solid(centre=(2.9, 2.3, -2), radii=(1.5, 1.2, 5), turn=-30),),
    ),
    25: _Case(
        table="train", shape=(38, 41, 6), size=0.97, t2_value=1,
        lesions=(Solid(centre=(-1.6, -1.9, 1.5), radii=(1.7, 1.3, 5), turn=20),),
    ),
    1: _Case(
        table="test", shape=(41, 37, 9), size=1.1, is_read_twice=True,
        lesions=(
            Solid(centre=(-3.4, 2.2, 1), radii=(1.4, 1.2, 5), turn=35),
            Solid(centre=(2.1, -1.8, -3.5), radii=(1.2, 1.5, 4.5)),
        ),
    ),
}  # fmt: skip


def make(folder: Path) -> None:
    """Write three cases of the training set and one of the test set of Prostate158."""
    rows: dict[str, list[str]] = {}
    for number, case in _CASES.items():
        is_test = case.table == "test"
        root = folder / ("prostate158_test" if is_test else "prostate158_train")
        place = f"{'test' if is_test else 'train'}/{number:03d}"  # train holds valid.csv's too
        matrix = phantom.grid(case.shape, (-0.4, -0.4, 3.0))
        volumes = _volumes(case, phantom.positions(case.shape, _TO_LPS @ matrix))
        for name, data in volumes.items():
            content = native.gzipped(native.nifti(data, matrix))
            native.save(root / place / f"{name}.nii.gz", content)
        cells = {name: f"{place}/{name}.nii.gz" for name in volumes}
        if "empty" in cells:
            cells["adc_tumor_reader1"] = cells["empty"]
        line = ",".join([str(number), *(cells.get(column, "") for column in _COLUMNS)])
        rows.setdefault(f"{root.name}/{case.table}.csv", []).append(line)
    for path, lines in rows.items():
        native.save(folder / path, "\n".join([",".join(["ID", *_COLUMNS]), *lines, ""]))


def _volumes(case: _Case, points: Array) -> dict[str, NDArray[Any]]:
    volumes: dict[str, NDArray[Any]] = {
        name: _image(case, points, greys) for name, greys in _GREYS.items()
    }
    volumes["t2_anatomy_reader1"] = _zones(points, case.size)
    if not case.lesions:
        volumes["empty"] = np.zeros(case.shape, np.float32)  # read, and no lesion found
        return volumes
    tumour = _tumour(case, points, growth=0.85)
    volumes["t2_tumor_reader1"] = (case.t2_value * tumour).astype(np.float32)
    volumes["adc_tumor_reader1"] = _tumour(case, points, growth=1.1).astype(np.float32)
    if case.is_read_twice:
        tumour = _tumour(case, points + _SECOND_EYE, growth=0.95)
        volumes["adc_tumor_reader2"] = tumour.astype(np.float64)
    if case.table == "test":
        volumes["t2_anatomy_reader2"] = _zones(points - _SECOND_EYE, 0.96 * case.size)
    return volumes


def _zones(points: Array, size: float) -> NDArray[np.uint16]:
    """Label the central gland 1 and the peripheral zone 2."""
    central, gland = _gland(size, 0.0, 0.0)
    zones = np.where(phantom.inside(gland, points), 2, 0).astype(np.uint16)
    zones[phantom.inside(central, points) & (zones > 0)] = 1
    return zones


def _tumour(case: _Case, points: Array, growth: float) -> Mask:
    lesions = [phantom.inside(_grown(lesion, growth), points) for lesion in case.lesions]
    _, gland = _gland(case.size, 0.0, 0.0)
    return np.asarray(np.any(lesions, axis=0) & phantom.inside(gland, points))


def _grown(lesion: Solid, growth: float, value: float = 0.0) -> Solid:
    radii = tuple(growth * radius for radius in lesion.radii)
    return Solid(centre=lesion.centre, radii=radii, value=value, turn=lesion.turn)


def _gland(size: float, central: float, peripheral: float) -> tuple[Solid, Solid]:
    # The central gland reaches the front of the prostate; the peripheral zone wraps it behind.
    inner = (3.7 * size, 2.9 * size, 7.5 * size)
    outer = (5.3 * size, 4.2 * size, 9.5 * size)
    return (
        Solid(centre=(0.2, -1.3, 1.0), radii=inner, value=central, power=2.2),
        Solid(centre=(0.1, -0.1, 0.0), radii=outer, value=peripheral, power=2.3),
    )


def _image(case: _Case, points: Array, greys: tuple[int, ...]) -> NDArray[np.float32]:
    grey = dict(zip(_TISSUES, map(float, greys), strict=True))
    central, gland = _gland(case.size, grey["central"], grey["peripheral"])
    solids = [
        Solid(centre=(-8.4, -1, 0), radii=(2, 6, _LONG), value=grey["muscle"], turn=10),
        Solid(centre=(8.1, -0.4, 0), radii=(1.8, 6.4, _LONG), value=grey["muscle"], turn=-14),
        Solid(centre=(0.3, 7.2, 0), radii=(3.4, 2.8, _LONG), value=grey["muscle"]),
        Solid(centre=(0.6, 7.4, -1), radii=(2.1, 1.7, 9), value=grey["gas"]),
        Solid(centre=(-0.6, -2.5, 13), radii=(6, 4.5, 5.5), value=grey["water"]),
        gland,
        central,
        *(_grown(lesion, 1.0, grey["tumour"]) for lesion in case.lesions),
    ]
    image = phantom.draw(points, solids, edge=0.5, background=grey["fat"])
    image *= phantom.shading(points, _MIDDLE, 10.0)
    image *= 1 + 0.04 * phantom.grain(points, _MIDDLE, 9.0)
    # Quarters: close to the real thing, and small when compressed.
    return (np.round(np.clip(image, 0.0, None) * 4) / 4).astype(np.float32)
