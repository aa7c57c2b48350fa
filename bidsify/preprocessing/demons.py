"""Smooth one-to-one displacements between two slices: demons on velocities, coarse to fine.

A velocity field is driven by the outlines of the heart, by the images, or by both, and smoothed
after each step; its exponential is the displacement, which therefore does not fold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from scipy import ndimage

from ..volume import Array
from .distance import box, masks_of, outlines
from .similarity import Surroundings
from .stack import Pair

Using = Literal["masks", "masks+images", "images"]

#: How far from an outline, in pixels, its distance still counts; how far around that things move.
REACH, AROUND = 6.0, 14
#: In how many pixels at the edge of what may move the movement dies away.
FADE = 8


class Pass(NamedTuple):
    """One round: distance of its pixels, number of steps, smoothing of the field in its pixels."""

    stride: int
    steps: int
    smoothing: float


class Way(NamedTuple):
    """How images drive: their smoothing and surroundings in pixels, and what they weigh."""

    blur: float
    window: float
    weight: float


BY_MASKS = (Pass(4, 15, 1.5), Pass(2, 10, 1.2), Pass(1, 6, 1.0))
BY_IMAGES = (Pass(4, 15, 2.0), Pass(2, 15, 2.0))
HELPING, ALONE = Way(1.2, 8.0, 0.8), Way(1.5, 5.0, 0.15)
#: What the images weigh within the myocardium: a scar in one sequence and an edema in another have
#: no border in common.
WITHIN = 0.3
#: Smoothing of each step in pixels, the longest step, and what holds back where nothing drives.
FORCE, LONGEST, RIDGE = 1.0, 2.0, 0.1


@dataclass(frozen=True, eq=False)
class Scene:
    """What drives, on a part of the plane.

    ``fixed`` and ``moving`` are layers (C, n, m): ``maps`` distance maps in pixels, then, where
    there is a ``way``, an image, which weighs ``seen`` (n, m). ``may_move`` (n, m) is from 0 to 1.
    """

    fixed: Array
    moving: Array
    maps: int
    way: Way | None
    seen: Array
    may_move: Array

    @cached_property
    def around(self) -> Surroundings | None:
        """Return what the moving image is compared with, where there is a ``way``."""
        return self.way and Surroundings(self.fixed[-1], self.way.window)

    def at(self, stride: int) -> Scene:
        """Return every ``stride``-th pixel of it; distances and surroundings in those."""
        every = np.s_[..., ::stride, ::stride]
        size = np.ones((len(self.fixed), 1, 1), np.float32)
        size[: self.maps] = stride
        way = self.way and self.way._replace(
            window=self.way.window / stride, weight=self.way.weight / stride**2
        )
        layers = (self.fixed[every] / size, self.moving[every] / size)
        return Scene(*layers, self.maps, way, self.seen[every], self.may_move[every])


def register(pair: Pair, using: Using = "masks", name: str = "") -> Array:
    """Return the displacement (2, N, N) in pixels, along i and along j.

    The moving slice at x + u(x) lies on the fixed one at x; an affine map has brought it near
    before. Nothing moves far from the heart or, by images alone, at the edge of the plane. ``name``
    says whose slices they are, for messages.

    Raises:
        SourceError: By masks, and there are none, or an empty one.
    """
    part, scene = _scene(pair, using, name)
    passes = BY_MASKS if scene.maps else BY_IMAGES
    stride = passes[0].stride
    velocity = np.zeros((2, *scene.at(stride).may_move.shape), np.float32)
    for one in passes:
        here = scene.at(one.stride)
        velocity = _finer(velocity, here.may_move.shape, stride // one.stride)
        stride = one.stride
        for _ in range(one.steps):
            velocity = _step(velocity, here, one.smoothing)
    velocity = _finer(velocity, scene.may_move.shape, stride)
    found = np.zeros((2, *pair.fixed.shape))
    found[:, part[0], part[1]] = exponential(velocity)
    return found


def exponential(velocity: Array) -> Array:
    """Return the displacement (2, n, m) after unit time of a velocity, by scaling and squaring."""
    most = float(np.abs(velocity).max())
    halvings = max(0, int(np.ceil(np.log2(max(most, 1e-6) * 2))))
    grid = _grid(velocity)
    found = velocity / np.float32(2**halvings)
    for _ in range(halvings):
        found = found + _warped(found, grid + found)
    return found


def _scene(pair: Pair, using: Using, name: str) -> tuple[tuple[slice, slice], Scene]:
    """Return a part of the plane, and what drives there."""
    size = pair.fixed.shape
    part = (slice(0, size[0]), slice(0, size[1]))
    layers = [np.zeros((0, *size), np.float32)] * 2
    if using != "images":
        layers = list(outlines(pair, REACH, name))
        part = box(np.concatenate(layers).max(axis=0) > -REACH, AROUND)
    maps = len(layers[0])
    way = {"masks": None, "masks+images": HELPING, "images": ALONE}[using]
    if way:
        for which, image in enumerate((pair.fixed, pair.moving)):
            blurred = ndimage.gaussian_filter(np.asarray(image, np.float32), way.blur)
            layers[which] = np.concatenate([layers[which], blurred[None]])
    fixed, moving = (one[(slice(None), *part)] for one in layers)
    seen = np.ones(fixed.shape[1:], np.float32)
    if maps:
        seen[masks_of(pair, name)[0][0][part]] = WITHIN
    return part, Scene(fixed, moving, maps, way, seen, _fading(fixed.shape[1:]))


def _fading(shape: tuple[int, ...]) -> Array:
    """Return 1 within a plane, falling to 0 at its edge."""
    along = [np.minimum(np.arange(n), np.arange(n)[::-1]) for n in shape]
    found: Array = np.minimum(1, np.minimum.outer(*along) / FADE).astype(np.float32)
    return found


def _step(velocity: Array, scene: Scene, smoothing: float) -> Array:
    """Return the velocity after one step downhill, smoothed."""
    points = _grid(velocity) + exponential(velocity)
    ii, jj = (np.full(velocity.shape[1:], RIDGE, np.float32) for _ in range(2))
    ij, i, j = (np.zeros_like(ii) for _ in range(3))
    for apart, (along_i, along_j), weight in _drives(scene, _warped(scene.moving, points)):
        held = 0.25 * apart**2
        ii += weight * (along_i**2 + held)
        jj += weight * (along_j**2 + held)
        ij += weight * along_i * along_j
        i += weight * along_i * apart
        j += weight * along_j * apart
    force = np.stack([jj * i - ij * j, ii * j - ij * i]) / (ii * jj - ij**2)
    force = np.clip(force, -LONGEST, LONGEST)
    return scene.may_move * _smooth(velocity + _smooth(force, FORCE), smoothing)


def _drives(scene: Scene, moving: Array) -> Iterator[tuple[Array, list[Array], float | Array]]:
    """Yield what each layer lacks, how fast a shift mends it, and its weight."""
    for fixed, distances in zip(scene.fixed[: scene.maps], moving, strict=False):
        yield fixed - distances, np.gradient((fixed + distances) / 2), 1.0
    if scene.way and scene.around:
        here = scene.around.fit(moving[-1])
        slopes = [here.slope * one for one in np.gradient(moving[-1])]
        yield here.residual, slopes, scene.way.weight * scene.seen * here.likeness


def _smooth(field: Array, width: float) -> Array:
    found: Array = ndimage.gaussian_filter(field, (0, width, width))
    return found


def _finer(velocity: Array, shape: tuple[int, ...], times: int) -> Array:
    """Return a field on pixels closer by ``times``, in those pixels."""
    if times == 1:
        return velocity
    points = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / times
    return times * _warped(velocity, points)


def _warped(layers: Array, points: Array) -> Array:
    """Return layers (C, n, m) at points (2, n, m)."""
    found = [ndimage.map_coordinates(one, points, order=1, mode="nearest") for one in layers]
    return np.stack(found)


def _grid(field: Array) -> Array:
    found: Array = np.mgrid[: field.shape[1], : field.shape[2]].astype(np.float32)
    return found
