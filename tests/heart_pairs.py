"""Two small slices through one heart, of different contrast, the second under a known map."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from bidsify.preprocessing.stack import Pair
from bidsify.volume import Array

SIZE = 96
CENTRE = np.array([46.0, 50.0])
STILL = np.eye(3)


def grid(size: int = SIZE) -> Array:
    return np.mgrid[:size, :size].astype(float)


def moved(matrix: Array, points: Array) -> Array:
    return np.tensordot(matrix[:2, :2], points, 1) + matrix[:2, 2, None, None]


def matrix(
    degrees: float = 0, scale: tuple[float, float] = (1, 1), shift: tuple[float, float] = (0, 0)
) -> Array:
    """Return a map that turns and scales around the heart, then shifts."""
    angle = np.deg2rad(degrees)
    found = np.eye(3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found[:2, :2] = turn @ np.diag(scale)
    found[:2, 2] = CENTRE + shift - found[:2, :2] @ CENTRE
    return found


def waves(size: float) -> Array:
    """Return a smooth displacement of at most so many pixels."""
    i, j = grid() / SIZE * 2 * np.pi
    return size * np.stack([np.sin(2 * j + 1) * np.cos(i), np.cos(2 * i) * np.sin(j)])


def _regions(points: Array) -> Array:
    i, j = points - CENTRE[:, None, None]
    radius = np.hypot(i * 1.1, j / 1.1)
    return np.stack([(radius > 11) & (radius < 18), radius < 18])


def _image(points: Array, bright: tuple[float, float, float]) -> Array:
    """Draw the ground, blood and myocardium of these values, and vessels around."""
    ground, blood, muscle = bright
    texture = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal((SIZE, SIZE)), 4)
    texture = ndimage.map_coordinates(texture / np.abs(texture).max(), points, mode="nearest")
    ring, whole = _regions(points)
    image = ground + 0.15 * texture
    for i, j in ((22, 40), (60, 76), (72, 38)):
        image = np.where(np.hypot(points[0] - i, points[1] - j) < 6, blood, image)
    image = np.where(whole, blood, image)
    return np.clip(ndimage.gaussian_filter(np.where(ring, muscle, image), 0.7), 0, 1)


def pair(truth: Array = STILL, warp: Array | None = None, *, same_contrast: bool = False) -> Pair:
    """Return a pair whose ``truth`` maps fixed coordinates to moving ones, but for ``warp``.

    ``warp`` (2, N, N) is added to the fixed coordinates of each moving pixel.
    """
    back = moved(np.linalg.inv(truth), grid()) + (0 if warp is None else warp)
    lge, t2w = (0.35, 0.8, 0.1), (0.4, 0.15, 0.55)
    return Pair(
        _image(grid(), lge),
        _image(back, lge if same_contrast else t2w),
        _regions(grid()),
        _regions(back),
    )


def sampled(layer: Array, points: Array) -> Array:
    return ndimage.map_coordinates(layer.astype(float), points, order=1)


def resampled(one: Pair, truth: Array) -> Pair:
    """Return a pair with its moving slice under an affine map."""
    points = moved(truth, grid())
    assert one.moving_masks is not None
    masks = np.stack([sampled(layer, points) > 0.5 for layer in one.moving_masks])
    return Pair(one.fixed, sampled(one.moving, points), one.fixed_masks, masks)
