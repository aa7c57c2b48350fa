"""Levenberg-Marquardt for the six numbers of an affine map, and what it can be fitted to.

The numbers are the linear part less the identity, times ``Frame.radius``, and the shift of the
centre: all in pixels, so that none of them outweighs another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy import ndimage

from ..volume import Array
from .similarity import Surroundings

#: The step, in pixels, at which the fit has come to rest.
AT_REST = 2e-3
_SOFTEST, _STIFFEST = 1e-4, 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The fixed point (2,) around which a map turns, and the size of what it turns in pixels."""

    centre: Array
    radius: float

    def matrix(self, numbers: Array) -> Array:
        """Return the map (3, 3) of six numbers."""
        found = np.eye(3)
        found[:2, :2] += numbers[:4].reshape(2, 2) / self.radius
        found[:2, 2] = self.centre + numbers[4:] - found[:2, :2] @ self.centre
        return found

    def numbers(self, matrix: Array) -> Array:
        """Return the six numbers of a map."""
        linear = (matrix[:2, :2] - np.eye(2)) * self.radius
        shift = matrix[:2, :2] @ self.centre + matrix[:2, 2] - self.centre
        return np.concatenate([linear.ravel(), shift])


class Normal(NamedTuple):
    """Normal equations of a sum of squares: curvature (6, 6), slope (6,), and the sum."""

    curvature: Array
    slope: Array
    cost: float


class Term(Protocol):
    """What a map is fitted to."""

    def at(self, numbers: Array) -> Normal:
        """Return the mean square and its derivatives."""


class Outlines:
    """Distance maps (C, N, N) of two slices, compared near the fixed outlines."""

    def __init__(self, frame: Frame, fixed: Array, moving: Array, stride: int) -> None:
        """Take every ``stride``-th pixel that is near an outline."""
        self.frame = frame
        near = np.nonzero((np.abs(fixed) < np.abs(fixed).max()).any(axis=0))
        self.points = np.stack(near)[:, ::stride]
        self.wanted = fixed[:, self.points[0], self.points[1]]
        self.layers = [(one, *np.gradient(one)) for one in moving]

    def at(self, numbers: Array) -> Normal:
        """Return the mean square difference of the distances, in pixels."""
        places = _mapped(self.frame.matrix(numbers), self.points)
        rows, residuals = [], []
        for wanted, layers in zip(self.wanted, self.layers, strict=True):
            value, along_i, along_j = (_sampled(layer, places) for layer in layers)
            residuals.append(value - wanted)
            rows.append(_jacobian(self.frame, self.points, along_i, along_j))
        return _normal(np.concatenate(rows), np.concatenate(residuals), self.points.shape[1])


class Images:
    """Two images, compared by the straight line that links them around each pixel.

    ``weights`` (N, N) say where; ``stride`` is the distance of the pixels that are looked at, and
    ``window`` what counts as around, in those.
    """

    def __init__(
        self, frame: Frame, images: tuple[Array, Array], weights: Array, grid: tuple[int, float]
    ) -> None:
        """Take ``grid``, the stride and the window, of images smoothed to fit."""
        self.frame, (stride, window) = frame, grid
        part = tuple(slice(*_ends(weights, axis), stride) for axis in (0, 1))
        fixed, moving = images
        self.around, self.weights = Surroundings(fixed[part], window), weights[part]
        self.points = np.mgrid[part].reshape(2, -1)
        self.layers = (moving, *np.gradient(moving))

    def at(self, numbers: Array) -> Normal:
        """Return the mean square of what the moving image leaves unsaid of the fixed one."""
        places = _mapped(self.frame.matrix(numbers), self.points)
        value, along_i, along_j = (_sampled(layer, places) for layer in self.layers)
        fit_here = self.around.fit(value.reshape(self.weights.shape))
        root = np.sqrt(self.weights).ravel()
        fall = -fit_here.slope.ravel() * root
        rows = _jacobian(self.frame, self.points, fall * along_i, fall * along_j)
        return _normal(rows, fit_here.residual.ravel() * root, float(self.weights.sum()))


def fit(terms: Sequence[tuple[float, Term]], numbers: Array, steps: int) -> Array:
    """Return the numbers that make the weighted sum of terms small, from a start."""
    damping, here = 1e-2, _total(terms, numbers)
    for _ in range(steps):
        ridge = damping * np.diag(np.diag(here.curvature)) + 1e-9 * np.eye(6)
        step = np.linalg.solve(here.curvature + ridge, -here.slope)
        there = _total(terms, numbers + step)
        if there.cost < here.cost:
            numbers, here, damping = numbers + step, there, max(damping / 10, _SOFTEST)
        else:
            damping *= 10
        if np.abs(step).max() < AT_REST or damping > _STIFFEST:
            break
    return numbers


def cost(terms: Sequence[tuple[float, Term]], numbers: Array) -> float:
    """Return the weighted sum of terms."""
    return _total(terms, numbers).cost


def _total(terms: Sequence[tuple[float, Term]], numbers: Array) -> Normal:
    curvature, slope, total = np.zeros((6, 6)), np.zeros(6), 0.0
    for weight, term in terms:
        one = term.at(numbers)
        curvature += weight * one.curvature
        slope += weight * one.slope
        total += weight * one.cost
    return Normal(curvature, slope, total)


def _ends(weights: Array, axis: int) -> tuple[int, int]:
    (hit,) = np.nonzero(weights.any(axis=1 - axis))
    return int(hit[0]), int(hit[-1]) + 1


def _mapped(matrix: Array, points: Array) -> Array:
    found: Array = matrix[:2, :2] @ points + matrix[:2, 2:]
    return found


def _sampled(layer: Array, places: Array) -> Array:
    found: Array = ndimage.map_coordinates(layer, places, order=1, mode="nearest")
    return found


def _jacobian(frame: Frame, points: Array, along_i: Array, along_j: Array) -> Array:
    i, j = (points - frame.centre[:, None]) / frame.radius
    return np.stack([along_i * i, along_i * j, along_j * i, along_j * j, along_i, along_j], 1)


def _normal(rows: Array, residuals: Array, count: float) -> Normal:
    count = max(count, 1.0)
    square = float(residuals @ residuals) / count
    return Normal(rows.T @ rows / count, rows.T @ residuals / count, square)
