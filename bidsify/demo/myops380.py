"""Write the MyoPS380 layout: three registered sequences and one label file for each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bidsify.demo import native, phantom
from bidsify.demo.phantom import Solid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bidsify.demo.phantom import Array, Mask

# Case: grid, direction of the infarct in degrees.
_CASES = {"0001": ((64, 60, 5), 35.0), "0002": ((62, 56, 3), 150.0), "0006": ((60, 64, 6), 260.0)}
# Grey values of chest, fat, lung, blood, myocardium, scar, oedema.
_SEQUENCES = {
    "bSSFP": (70, 165, 12, 215, 92, 104, 112),
    "LGE": (60, 120, 8, 130, 34, 225, 52),
    "T2w": (66, 150, 6, 38, 84, 118, 172),
}
_NAMED = ("LGE", "0002")  # this gzip header keeps a name and a time, as real downloads do
_DOWNLOADED = 1700000000


def make(folder: Path) -> None:
    """Write three cases of MyoPS380 below ``folder``."""
    root = folder / "MyoPS380_dataset" / "Raw_data"
    for case, (shape, direction) in _CASES.items():
        points = phantom.positions(shape, np.eye(4))
        labels = _labels(points, direction)
        for sequence, greys in _SEQUENCES.items():
            content = native.nifti(_image(points, labels, greys), np.eye(4), spatial=False)
            is_named = (sequence, case) == _NAMED
            packed = native.gzipped(
                content,
                name=f"case{case}.nii" if is_named else "",
                time=_DOWNLOADED if is_named else 0,
            )
            native.save(root / sequence / f"case{case}.nii.gz", packed)
        truth = native.nifti(labels.astype(np.float32), np.eye(4), spatial=False)
        native.save(root / "label" / f"case{case}_gt.nii.gz", native.gzipped(truth))


def _labels(points: Array, direction: float) -> NDArray[np.uint8]:
    outer, inner = _ring(points)
    labels = np.where(outer & ~inner, 1, 0).astype(np.uint8)
    offset = points[..., :2] - _centre(points)
    angles = np.rad2deg(np.arctan2(offset[..., 1], offset[..., 0]))
    start = direction + 4.0 * points[..., 2]  # the infarct winds towards the apex
    radius = np.hypot(offset[..., 0], offset[..., 1])
    is_inner = radius < 0.87 * _outer(points)
    labels[(labels > 0) & phantom.sector(angles - start, -38.0, 62.0)] = 3
    labels[(labels > 0) & phantom.sector(angles - start, -24.0, 30.0) & is_inner] = 2
    return labels


def _image(points: Array, labels: NDArray[np.uint8], greys: tuple[int, ...]) -> NDArray[np.float32]:
    chest, fat, lung, blood, *tissue = map(float, greys)
    width, height, slices = labels.shape
    middle = (width / 2, height / 2, slices / 2)
    image = phantom.draw(points, _thorax(width, height, (chest, fat, lung, blood)), edge=2.0)
    _, inner = _ring(points)
    image[inner] = blood
    for value, grey in enumerate(tissue, start=1):
        image[labels == value] = grey
    image = phantom.softened(image, (0, 1))
    image *= phantom.shading(points, middle, 36.0)
    image += 6.0 * phantom.grain(points, middle, 24.0)
    # Quarters: close to the real thing, and small when compressed.
    return (np.round(np.clip(image, 0.0, 255.0) * 4) / 4).astype(np.float32)


def _thorax(width: int, height: int, greys: tuple[float, float, float, float]) -> list[Solid]:
    chest, fat, lung, blood = greys
    x, y = width / 2, height / 2
    deep = 1e3  # much longer than the stack: these do not change from slice to slice
    return [
        Solid(centre=(x, y, 0), radii=(30, 27, deep), value=fat, power=3),
        Solid(centre=(x + 0.5, y + 0.5, 0), radii=(27, 24, deep), value=chest, power=3),
        Solid(centre=(x - 13, y + 6, 0), radii=(10, 14, deep), value=lung, turn=12),
        Solid(centre=(x + 15, y + 10, 0), radii=(7, 10, deep), value=lung, turn=-20),
        Solid(centre=(x - 8, y - 5, 1), radii=(11, 8, 7), value=blood, turn=30),
        Solid(centre=(x + 9, y - 17, 0), radii=(3, 3, deep), value=blood),
    ]


def _ring(points: Array) -> tuple[Mask, Mask]:
    offset = points[..., :2] - _centre(points)
    radius = np.hypot(offset[..., 0], 1.07 * offset[..., 1])
    return radius <= _outer(points), radius <= 0.62 * _outer(points)


def _centre(points: Array) -> Array:
    # The long axis of the heart is oblique: the centre drifts from base to apex.
    width, height = points.shape[0], points.shape[1]
    level = points[..., 2]
    return np.stack([width / 2 + 3 + 0.6 * level, height / 2 + 1 - 0.9 * level], axis=-1)


def _outer(points: Array) -> Array:
    return np.asarray(14.0 - 0.17 * points[..., 2] ** 2, dtype=np.float64)
