"""How well the slices of synthetic studies can lie on each other at all.

For each pair of slices of studies that ``bidsify.demo.cmr`` makes: Dice under the true map of the
tissue; under the affine map that is nearest to it (least squares over the myocardium and the blood
in it); and under the affine map that is best for the myocardium, as far as a simplex finds it from
two starts.

    python benchmarks/study_bounds.py [--studies 12]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from heart_slices import GRID, moved
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import expit

from bidsify.demo.cmr import VALUES, make_studies, truth
from bidsify.preprocessing import affine, registration, study
from bidsify.preprocessing.fitting import Frame
from bidsify.preprocessing.labels import coding_of
from bidsify.preprocessing.metrics import dice
from bidsify.preprocessing.options import Options
from bidsify.preprocessing.registered import Moved, Registered
from bidsify.preprocessing.study import Study
from bidsify.preprocessing.warp import sample
from bidsify.source import open_source
from bidsify.source.reading import Reading
from bidsify.volume import Array

STEPS = Options(steps=("slices", "normalise"))


@dataclass(frozen=True, slots=True)
class Case:
    """Two slices that match: the reference, the other, and where its tissue is in truth.

    ``true`` (2, N, N) are pixels of the moving grid for those of the fixed one.
    """

    fixed: Moved
    moving: Moved
    muscle: frozenset[int]
    scar: frozenset[int]
    true: Array

    def dice(self, values: frozenset[int], points: Array) -> float:
        """Return the overlap of the labels of both slices under a map, (2, N, N)."""
        return dice(drawn(self.fixed, values, GRID), drawn(self.moving, values, points))


def drawn(one: Moved, values: frozenset[int], points: Array) -> Array:
    """Return where a slice has one of these labels at points of its grid."""
    return np.asarray(sample(native(one, values), moved(one.frame, points), 1) > 0.5)


def native(one: Moved, values: frozenset[int]) -> Array:
    """Return where a slice has one of these labels on its own pixels, as 0 and 1."""
    return np.isin(np.asarray(one.slice.labels), [*values]).astype(np.float32)


def cases(found: Registered, subject: str) -> Iterator[Case]:
    """Yield the pairs of slices of a study."""
    reference, coding = found.matches.reference, coding_of(VALUES.values(), subject)
    known = truth(subject)
    for name, slices in found.slices.items():
        for fixed, moving in zip(found.slices[reference], slices, strict=True):
            if name == reference:
                continue
            places = np.moveaxis(planar(GRID, fixed), 0, -1)
            shown = known.moved(places, reference, name, moving.slice.centre)
            solid = np.column_stack([moving.slice.plane[:, :2], moving.slice.normal])
            apart = (shown - moving.slice.plane[:, 2]).reshape(-1, 3).T
            pixels = np.linalg.solve(solid, apart)[:2].reshape(GRID.shape)
            true = moved(np.linalg.inv(moving.frame), pixels)
            yield Case(fixed, moving, coding.muscle, coding.scar, true)


def planar(points: Array, one: Moved) -> Array:
    """Return where points of the grid of a slice lie in the scanner, (3, N, N), RAS mm."""
    matrix = one.slice.plane @ one.frame
    found: Array = np.tensordot(matrix[:, :2], points, 1) + matrix[:, 2, None, None]
    return found


def nearest(case: Case) -> Array:
    """Return the affine map nearest to the true one."""
    heart = ndimage.binary_fill_holes(drawn(case.fixed, case.muscle, GRID))
    points = np.column_stack([GRID[:, heart].T, np.ones(int(heart.sum()))])
    rows = np.linalg.lstsq(points, case.true[:, heart].T, rcond=None)[0].T
    return np.vstack([rows, [0, 0, 1]])


def best(case: Case, start: Array) -> Array:
    """Return the affine map with the largest overlap of the myocardium, from a start."""
    fixed = drawn(case.fixed, case.muscle, GRID)
    near = ndimage.binary_dilation(fixed, iterations=8)
    source = native(case.moving, case.muscle)
    points, wanted = GRID[:, near][:, None], fixed[near]
    frame = Frame(np.array(ndimage.center_of_mass(fixed)), 25.0)

    def lost(numbers: Array, steepness: float) -> float:
        chain = case.moving.frame @ frame.matrix(numbers)
        values = ndimage.map_coordinates(source, moved(chain, points)[:, 0], order=1)
        inside = expit(steepness * (values - 0.5))
        return float(-2 * (inside @ wanted) / (inside.sum() + wanted.sum()))

    found = frame.numbers(start)
    for steepness, step, calls in ((8.0, 1.5, 350), (200.0, 0.3, 200)):
        simplex = np.vstack([found, found + step * np.eye(6)])
        options = {"initial_simplex": simplex, "maxfev": calls, "xatol": 5e-3, "fatol": 1e-6}
        found = minimize(lost, found, (steepness,), method="Nelder-Mead", options=options).x
    return frame.matrix(found)


def bounds(one: Study, reading: Reading) -> Iterator[tuple[float, ...]]:
    """Yield Dice of muscle and scar by the true map, the one nearest to it, and the best."""
    found = registration.register(study.read(one, reading), STEPS, one.subject)
    names = [name for name in found.slices if name != found.matches.reference]
    pairs = [pair for name in names for pair in registration.pairs(found, name)]
    for case, pair in zip(cases(found, one.subject), pairs, strict=True):
        starts = [affine.register(pair, using).matrix for using in ("masks", "masks+images")]
        sought = [moved(best(case, start), GRID) for start in starts]
        most = max(sought, key=partial(case.dice, case.muscle))
        maps = (case.true, moved(nearest(case), GRID), most)
        yield tuple(
            case.dice(labels, points) for points in maps for labels in (case.muscle, case.scar)
        )


def main() -> None:
    """Print the means."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=12, help="studies to make")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_studies(Path(folder), subjects=given.studies)
        source = open_source(Path(folder))
        studies = [one for one in study.find(source) if isinstance(one, Study)]
        table = [row for one in studies for row in bounds(one, Reading(source))]
    means = [statistics.mean(column) for column in zip(*table, strict=True)]
    print(f"{len(table)} pairs of slices; Dice of the myocardium, of the scar")
    print(f"true map: {means[0]:.3f}, {means[1]:.3f}")
    print(f"affine map nearest to it: {means[2]:.3f}, {means[3]:.3f}")
    print(f"best affine map found for the myocardium: {means[4]:.3f}, {means[5]:.3f}")


if __name__ == "__main__":
    main()
