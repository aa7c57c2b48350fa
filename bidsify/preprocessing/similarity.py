"""How alike two images of different contrast are, pixel by pixel.

Around each pixel the fixed image is taken for a straight line of the moving one, of whatever slope:
blood may be bright in one sequence and dark in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..volume import Array

#: Variance of what is noise in images from 0 to 1: flat surroundings count little.
NOISE = 4e-4
#: Variance of what has nothing in it at all.
FLAT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LocalFit:
    """What a moving image says of a fixed one around each pixel, arrays of their shape.

    ``residual`` is what it leaves unsaid, in local standard deviations; ``slope`` how fast that
    falls as the moving image grows; ``likeness`` the squared local correlation, from 0 to 1.
    """

    residual: Array
    slope: Array
    likeness: Array


class Surroundings:
    """A fixed image, and what is around each of its pixels; moving ones are compared with it."""

    def __init__(self, fixed: Array, window: float) -> None:
        """Take Gaussian surroundings of ``window`` pixels (standard deviation)."""
        self.window = window
        self.apart = fixed - self._mean(fixed)
        self.variance = self._mean(self.apart**2) + NOISE
        self.scale = 1 / np.sqrt(self.variance)

    def fit(self, moving: Array) -> LocalFit:
        """Compare a moving image of the same shape."""
        apart_moving = moving - self._mean(moving)
        covariance = self._mean(self.apart * apart_moving)
        of_moving = self._mean(apart_moving**2)
        # No noise added here: the same image twice must leave nothing unsaid.
        line = covariance / np.maximum(of_moving, FLAT)
        return LocalFit(
            residual=(self.apart - line * apart_moving) * self.scale,
            slope=line * self.scale,
            likeness=covariance**2 / (self.variance * (of_moving + NOISE)),
        )

    def _mean(self, values: Array) -> Array:
        found: Array = ndimage.gaussian_filter(values, self.window, mode="nearest", truncate=2.5)
        return found
