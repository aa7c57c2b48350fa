"""Whether two volumes lie on one grid."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..volume import Array
from .nifti import Place

#: Two grids are one where no corner is further apart than this part of a voxel edge: the share
#: that validation allows too. Programs keep affines in different numbers of digits.
GRID_TOLERANCE = 0.1


def same_grid(one: Place, other: Place) -> bool:
    """Say whether two volumes lie on one grid: three axes of one size, corners at one place."""
    if one.shape[:3] != other.shape[:3]:
        return False
    corners = np.array([(*ends, 1.0) for ends in product(*((0, n - 1) for n in one.shape[:3]))])
    apart = np.linalg.norm((corners @ (one.affine - other.affine).T)[:, :3], axis=1).max()
    return bool(apart <= GRID_TOLERANCE * min(_edge(one.affine), _edge(other.affine)))


def _edge(affine: Array) -> float:
    """Return the smallest voxel edge."""
    return float(np.linalg.norm(affine[:3, :3], axis=0).min())
