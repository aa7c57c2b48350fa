"""Describe cardiac studies of three sequences that lie differently. No file is written here.

All sequences of a study share an oblique orientation. Each has its pixels, its slices and its
motion; breath moves each slice along and across the plane, and no header tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from . import cmr_motion, heart, phantom
from .cmr_motion import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .phantom import Array

#: The sequence of the fewest slices, which neither affine nor warp has moved.
REFERENCE = "LGE"
WARP = 3.5  # mm, the largest displacement along each axis
_BREATH_ALONG, _BREATH_ACROSS = 2.0, 1.0  # mm, the largest shift of one slice by breath
_NOISE = 6.0  # of 255
_HEART = np.array([3.0, 1.0])  # its centre in the units of ``heart``, from the middle
_SLICES = ((10, 7, 8), (9, 6, 7), (11, 7, 9))  # of the sequences, by turns of subjects
_FALLING = {"LGE"}  # stored from apex to base


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a sequence is scanned. Lengths in mm."""

    spacing: float
    shape: tuple[int, int]  # columns, rows
    thickness: float
    gap: float
    gain: float  # stored value for each of 255 greys


PROTOCOLS = {
    "bSSFP": Protocol(spacing=1.172, shape=(208, 192), thickness=8.0, gap=0.0, gain=4.0),
    "LGE": Protocol(spacing=0.8929, shape=(248, 264), thickness=8.0, gap=2.0, gain=7.0),
    "T2w": Protocol(spacing=0.8929, shape=(272, 256), thickness=7.0, gap=2.0, gain=2.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One sequence of a study. ``matrix`` maps (column, row, slice as stored) to RAS mm."""

    sequence: str
    matrix: Array
    motions: tuple[Motion, ...]
    noise: int  # seed

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return columns, rows and slices."""
        return (*PROTOCOLS[self.sequence].shape, len(self.motions))


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What one subject's scans show, and the truth about their points.

    ``axes`` has the unit vectors along columns, along rows and across; ``unit`` is the size of
    the heart, ``direction`` that of the infarct in degrees.
    """

    axes: Array
    centre: Array
    unit: float
    direction: float
    scans: dict[str, Scan]

    def moved(self, points: Array, fixed: str, moving: str, onto: Array) -> Array:
        """Return where another slice shows the tissue that is seen at ``points``.

        ``points`` (..., 3) lie in one slice of the sequence ``fixed``, ``onto`` (3,) anywhere in
        the slice of the sequence ``moving``; all are RAS mm.
        """
        tissue = self._motion(fixed, points).tissue(self._in_plane(points))
        shown = self._motion(moving, onto).shown(tissue)
        height = (onto - self.centre) @ self.axes[:, 2]
        return np.asarray(self.centre + shown @ self.axes[:, :2].T + height * self.axes[:, 2])

    def labels_at(self, points: Array, sequence: str) -> NDArray[np.uint8]:
        """Return the labels of ``heart`` at RAS points (..., 3) of one slice of a sequence."""
        return self._labels(self._motion(sequence, points).tissue(self._in_plane(points)))

    def labels(self, sequence: str) -> NDArray[np.uint8]:
        """Return the labels of ``heart`` on the grid of a sequence, (columns, rows, slices)."""
        scan = self.scans[sequence]
        planes = [self._labels(self._tissue(scan, k)) for k in range(scan.shape[2])]
        return np.stack(planes, axis=-1)

    def image(self, sequence: str) -> NDArray[np.uint16]:
        """Return what is stored of a sequence, (columns, rows, slices)."""
        scan, greys = self.scans[sequence], heart.SEQUENCES[sequence]
        random = np.random.default_rng(scan.noise)
        planes = []
        for k in range(scan.shape[2]):
            tissue = self._tissue(scan, k)
            picture = heart.image(self._solid(tissue), (0, 0, 0), self._labels(tissue), greys)
            picture = np.abs(picture + random.normal(0.0, _NOISE, picture.shape))
            planes.append(np.round(picture * PROTOCOLS[sequence].gain))
        return np.stack(planes, axis=-1).astype(np.uint16)

    def _labels(self, tissue: Array) -> NDArray[np.uint8]:
        return heart.labels(self._solid(tissue), (0, 0, 0), self.direction)

    def _solid(self, tissue: Array) -> Array:
        """Return tissue points in the units of ``heart``, at the level of its middle."""
        return np.concatenate([tissue / self.unit, np.zeros((*tissue.shape[:-1], 1))], axis=-1)

    @lru_cache(maxsize=16)  # noqa: B019  image and labels of one scan after another
    def _tissue(self, scan: Scan, k: int) -> Array:
        """Return the tissue that each pixel of slice k shows, (columns, rows, 2)."""
        columns, rows, _ = scan.shape
        places = phantom.positions((columns, rows, 1), _from_slice(scan.matrix, k))
        return scan.motions[k].tissue(self._in_plane(places[:, :, 0]), tolerance=1e-3)

    def _in_plane(self, points: Array) -> Array:
        return np.asarray((points - self.centre) @ self.axes[:, :2])

    def _motion(self, sequence: str, points: Array) -> Motion:
        """Return the motion of the slice of a sequence in which points lie."""
        scan = self.scans[sequence]
        place = np.append(points.reshape(-1, 3).mean(axis=0), 1.0)
        k = int(np.rint((np.linalg.inv(scan.matrix) @ place)[2]))
        return scan.motions[min(max(k, 0), len(scan.motions) - 1)]


@cache
def study(number: int) -> Study:
    """Describe the study of the subject ``number``: the same number, the same study."""
    random = np.random.default_rng(number)
    turns = random.uniform((30.0, -42.0, 8.0), (46.0, -24.0, 28.0))
    axes, centre = phantom.rotation(turns.tolist()), np.array([-18.0, 12.0, 25.0])
    unit = random.uniform(2.0, 2.3)
    counts = dict(zip(PROTOCOLS, _SLICES[number % len(_SLICES)], strict=True))
    scans = {}
    for sequence, count in counts.items():
        heights = _heights(sequence, count, random.uniform(-1.5, 1.5))
        place = centre + axes[:, :2] @ random.uniform(-6.0, 6.0, 2)
        matrix = _matrix(sequence, axes, place, heights)
        matrix[:3, 3] += axes[:, 2] * heights[0]
        motions = _motions(sequence, heights, unit * _HEART, random)
        scans[sequence] = Scan(sequence, matrix, motions, int(random.integers(1 << 30)))
    return Study(axes, centre, unit, random.uniform(0.0, 360.0), scans)


def _heights(sequence: str, count: int, shift: float) -> Array:
    """Return how far towards the apex each slice lies, in the order in which they are stored."""
    step = PROTOCOLS[sequence].thickness + PROTOCOLS[sequence].gap
    heights = np.asarray(shift + step * (np.arange(count) - (count - 1) / 2), np.float64)
    return np.array(heights[::-1] if sequence in _FALLING else heights)


def _matrix(sequence: str, axes: Array, place: Array, heights: Array) -> Array:
    """Return the affine of a scan whose first slice has its middle in ``place``."""
    protocol, matrix = PROTOCOLS[sequence], np.eye(4)
    matrix[:3, :2] = axes[:, :2] * protocol.spacing
    matrix[:3, 2] = axes[:, 2] * (heights[1] - heights[0])
    matrix[:3, 3] = place - matrix[:3, :2] @ ((np.array(protocol.shape) - 1) / 2)
    return matrix


def _motions(
    sequence: str, heights: Array, middle: Array, random: np.random.Generator
) -> tuple[Motion, ...]:
    affine, warp = cmr_motion.random_affine(random), cmr_motion.random_warp(random, WARP)
    if sequence == REFERENCE:
        affine, warp = np.eye(3), cmr_motion.still()
    motions = []
    for height in heights:
        breath = random.uniform(-1.0, 1.0, 3)
        shifted = affine.copy()
        shifted[:2, 2] += _BREATH_ACROSS * breath[:2]
        motions.append(Motion(shifted, warp, height + _BREATH_ALONG * breath[2], middle))
    return tuple(motions)


def _from_slice(matrix: Array, k: int) -> Array:
    moved = matrix.copy()
    moved[:3, 3] += k * matrix[:3, 2]
    return moved
