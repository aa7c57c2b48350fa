"""Write the SSMSpine layout: one PyTorch archive with image, masks and landmarks for each shape.

The archives hold NumPy arrays, as written by ``torch.save``; PyTorch is not needed to write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from . import native, phantom
from .phantom import Solid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array, Mask

_ROWS, _COLUMNS = 128, 120
_VERTEBRAE = 6
# 2 x 60 + 2 x 58 points make the 236 of a vertebra; 2 x 60 + 2 x 28 the 176 of a disc, of which
# 120 are points of its neighbours: so all landmarks are 6 x 236 + 5 x 56 = 1696.
_ENDPLATE, _WALL, _ARC = 60, 58, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """One virtual spine: where it stands, how it bends, how bright its patient is."""

    left: float
    bend: float
    size: float
    greys: tuple[float, float, float, float]  # muscle, fat, marrow, fluid


_FILES = {
    "SSMSpine_Train_Sample/p1/aug1": _Shape(
        left=50.0, bend=13.0, size=1.0, greys=(0.22, 0.72, 0.46, 0.93)
    ),
    "SSMSpine_Train_Sample/p1/aug2": _Shape(
        left=54.0, bend=9.0, size=0.94, greys=(0.22, 0.72, 0.46, 0.93)
    ),
    "SSMSpine_Test_Sample/p81/aug1": _Shape(
        left=47.0, bend=16.0, size=1.04, greys=(0.3, 0.62, 0.54, 0.85)
    ),
}


def make(folder: Path) -> None:
    """Write three shapes of two SSMSpine patients below ``folder``."""
    for path, shape in _FILES.items():
        name = path.rsplit("/", 1)[1]
        native.save(folder / f"{path}.pt", native.torch_archive(_content(shape), name))


def _content(shape: _Shape) -> dict[str, NDArray[Any]]:
    bones = [_vertebra(shape, level) for level in range(_VERTEBRAE)]
    arcs = [_arcs(upper, lower) for upper, lower in pairwise(bones)]
    discs = [
        np.concatenate([upper[_ENDPLATE + _WALL :][:_ENDPLATE], front, lower[:_ENDPLATE], back])
        for (upper, lower), (front, back) in zip(pairwise(bones), arcs, strict=True)
    ]
    mask = np.stack([_touched(outline) for outline in (*bones, *discs)])
    label = np.zeros((_ROWS, _COLUMNS), np.uint8)
    for value, part in enumerate(mask, start=1):
        label[part & (label == 0)] = value
    plain, shaded = _images(label, shape)
    mask = mask.astype(np.uint8)
    return {
        "img": shaded,
        "img_corrected": plain,
        "img_equalized": _equalized(plain),
        "label": label[np.newaxis],
        "mask": mask,
        "bone_mask": mask[:_VERTEBRAE],
        "disk_mask": mask[_VERTEBRAE:],
        "shape": np.concatenate([*bones, *(arc for pair in arcs for arc in pair)]),
        "bone": np.stack(bones),
        "disk": np.stack(discs),
    }


def _vertebra(shape: _Shape, level: int) -> NDArray[np.float32]:
    """Outline one vertebra clockwise: upper endplate, back wall, lower endplate, front wall."""
    half_width = (12.0 + 0.5 * level) * shape.size
    half_height = (6.4 + 0.25 * level) * shape.size
    along = np.linspace(-1.0, 1.0, _ENDPLATE)
    down = np.linspace(-1.0, 1.0, _WALL + 2)[1:-1]
    narrow = 0.68 if level == _VERTEBRAE - 1 else 1.0  # the sacrum tapers
    upper = np.stack([half_width * along, half_height * (0.12 * (1 - along**2) - 1)], axis=-1)
    lower = np.stack([-half_width * narrow * along, half_height * (1 - 0.1 * (1 - along**2))], -1)
    waist = half_width * ((1 + narrow) / 2 - (1 - narrow) / 2 * down - 0.1 * (1 - down**2))
    back = np.stack([waist, half_height * down], axis=-1)
    front = np.stack([-waist[::-1], half_height * down[::-1]], axis=-1)
    centre, turn = _place(shape, level)
    points = np.concatenate([upper, back, lower, front]) @ turn + centre
    return _short(points, 64)


def _place(shape: _Shape, level: float) -> tuple[Array, Array]:
    """Give centre and axes of a level; x runs from front to back, y downwards."""
    where = (level - 2.2) / 2.6  # the lumbar column bends forwards, most of all at L3
    centre = (shape.left + shape.bend * (where**2 - 0.6), 15.0 + (19.2 + 0.15 * level) * level)
    angle = np.arctan(2 * shape.bend * where / 2.6 / 19.5)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.asarray(centre), np.asarray(turn)


def _arcs(
    upper: NDArray[np.float32], lower: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Join the endplates of two vertebrae by the front and the back of their disc."""
    first = _ENDPLATE + _WALL
    front = _arc(upper[first + _ENDPLATE - 1], lower[0])
    back = _arc(lower[_ENDPLATE - 1], upper[first])
    return front, back


def _arc(start: NDArray[np.float32], end: NDArray[np.float32]) -> NDArray[np.float32]:
    step = np.linspace(0.0, 1.0, _ARC + 2)[1:-1, np.newaxis]
    along = end - start
    outwards = np.array([-along[1], along[0]])
    return _short(start + step * along + step * (1 - step) * outwards, 64)


def _touched(outline: NDArray[np.float32]) -> Mask:
    """Find the pixels with a corner inside the outline: neighbours share their border pixels."""
    x, y = np.meshgrid(np.arange(_COLUMNS + 1) - 0.5, np.arange(_ROWS + 1) - 0.5)
    corner = np.zeros(x.shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y1 != y2:
            rows = (y[:, 0] >= min(y1, y2)) & (y[:, 0] < max(y1, y2))
            crossing = x1 + (y[rows] - y1) * (x2 - x1) / (y2 - y1)
            corner[rows] ^= x[rows] < crossing
    return corner[:-1, :-1] | corner[1:, :-1] | corner[:-1, 1:] | corner[1:, 1:]


def _images(
    label: NDArray[np.uint8], shape: _Shape
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Paint the image without and with its bias field."""
    muscle, fat, marrow, fluid = shape.greys
    x, y = np.meshgrid(np.arange(float(_COLUMNS)), np.arange(float(_ROWS)))
    points = np.stack([x, y], axis=-1)
    solids = [
        Solid(centre=(14, 70), radii=(16, 70), value=0.5 * muscle, turn=4),
        Solid(centre=(20, 52), radii=(7, 46), value=0.8 * fluid, turn=-5),
        Solid(centre=(116, 60), radii=(14, 90), value=fat, turn=-6),
        *(_canal(shape, step / 2, fluid) for step in range(2 * _VERTEBRAE)),
        Solid(centre=(84, 30), radii=(3, 40), value=0.35 * fluid, turn=9),
    ]
    image = phantom.draw(points, solids, 3.0, muscle)
    image[(label > 0) & (label <= _VERTEBRAE)] = marrow
    for value in range(_VERTEBRAE + 1, 2 * _VERTEBRAE):
        image[label == value] = fluid * (1.2 - 0.075 * value)  # lower discs have lost more water
    middle = (_COLUMNS / 2, _ROWS / 2)
    image = phantom.softened(image, (0, 1)) + 0.012 * phantom.grain(points, middle, 40.0)
    # Black outside the warped field of view.
    image[~phantom.inside(Solid(centre=(59, 66), radii=(63, 69), power=7, turn=3), points)] = 0.0
    return _unit(image), _unit(image * phantom.shading(points, middle, 64.0))


def _canal(shape: _Shape, level: float, value: float) -> Solid:
    centre, turn = _place(shape, level)
    x, y = centre + (20.5 * shape.size + 0.5 * level) * turn[0]
    return Solid(centre=(float(x), float(y)), radii=(4.5 - 0.3 * level, 11.0), value=value)


def _equalized(image: NDArray[np.float32]) -> NDArray[np.float32]:
    levels = np.round(image * 256).astype(np.intp)
    below = np.cumsum(np.bincount(levels.ravel(), minlength=257))
    return _unit((below[levels] - below[0]) / (below[-1] - below[0]))


def _unit(image: Array) -> NDArray[np.float32]:
    return _short(np.clip(image, 0.0, 1.0), 256)


def _short(values: Array, steps: int) -> NDArray[np.float32]:
    """Round to binary fractions: their bytes are mostly zero, and the pickle smaller."""
    return np.asarray(np.round(values * steps) / steps, dtype=np.float32)
