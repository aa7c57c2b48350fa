"""Overlap, distance, folds and error of registration: known values, and laws that always hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import strategies  # noqa: F401 - the profile of hypothesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from bidsify.preprocessing.metrics import dice, folding, hausdorff, tre

masks = hnp.arrays(bool, (7, 9))
spacings = st.tuples(st.floats(0.1, 5), st.floats(0.1, 5))
fields = hnp.arrays(np.float64, (2, 7, 9), elements=st.floats(-20, 20))


def square(*corner: int, size: int = 3) -> Any:
    found = np.zeros((12, 12), bool)
    found[corner[0] : corner[0] + size, corner[1] : corner[1] + size] = True
    return found


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (square(1, 1), square(1, 1), 1),
        (square(1, 1), square(1, 2), 2 / 3),
        (square(1, 1), square(6, 6), 0),
        (square(1, 1), square(1, 1, size=0), 0),
        (square(0, 0, size=0), square(0, 0, size=0), 1),
    ],
)
def test_dice(first: Any, second: Any, expected: float) -> None:
    assert dice(first, second) == pytest.approx(expected)
    assert dice(first * 200.0, second.astype(np.uint8)) == pytest.approx(expected)


@given(masks, masks)
def test_dice_is_symmetric_and_1_for_equal_masks_alone(first: Any, second: Any) -> None:
    assert dice(first, second) == dice(second, first)
    assert 0 <= dice(first, second) <= 1
    assert (dice(first, second) == 1) == bool((first == second).all())


@pytest.mark.parametrize(
    ("first", "second", "spacing", "expected"),
    [
        (square(1, 1), square(1, 1), (1, 1), 0),
        (square(1, 1), square(1, 4), (1, 1), 3),
        (square(1, 1), square(1, 4), (1, 0.5), 1.5),
        (square(1, 1), square(4, 1), (2, 0.5), 6),
        (square(0, 0, size=12), square(3, 3, size=6), (1, 1), 3 * 2**0.5),
        (square(1, 1), square(1, 1, size=0), (1, 1), np.inf),
        (square(0, 0, size=0), square(0, 0, size=0), (1, 1), 0),
    ],
)
def test_hausdorff(first: Any, second: Any, spacing: Any, expected: float) -> None:
    assert hausdorff(first, second, spacing) == pytest.approx(expected)


@given(masks, masks, spacings)
def test_hausdorff_is_symmetric_and_0_for_itself(first: Any, second: Any, spacing: Any) -> None:
    there, back = hausdorff(first, second, spacing), hausdorff(second, first, spacing)
    assert there == back
    assert there >= 0
    assert hausdorff(first, first, spacing) == 0


@given(masks, masks)
def test_hausdorff_grows_with_the_pixels(first: Any, second: Any) -> None:
    one, two = hausdorff(first, second), hausdorff(first, second, (2, 2))
    assert two == pytest.approx(2 * one)


@given(masks, masks)
def test_hausdorff_is_that_of_all_pairs_of_pixels(first: Any, second: Any) -> None:
    if first.any() and second.any():
        edges = [
            np.argwhere(mask & ~ndimage.binary_erosion(mask))[:, None] for mask in (first, second)
        ]
        apart = np.linalg.norm(edges[0] - edges[1].swapaxes(0, 1), axis=2)
        most = max(apart.min(axis=0).max(), apart.min(axis=1).max())
        assert hausdorff(first, second) == pytest.approx(most)


def test_no_map_folds_by_itself() -> None:
    still = np.zeros((2, 20, 20))
    assert folding(still, np.eye(3)) == 0
    assert folding(still, np.diag([-1, 1, 1])) == 1
    assert folding(still, np.diag([0, 1, 1])) == 1
    assert folding(still, np.diag([-2, -1, 1])) == 0


@pytest.mark.parametrize("axis", [0, 1])
def test_folds_are_counted_where_they_are(axis: int) -> None:
    field = np.zeros((2, 20, 20))
    field[axis] = -2 * np.arange(20).clip(9.5, 14.5).reshape((20, 1) if axis == 0 else (1, 20))
    # Steps of -2 from pixel 9.5 to 14.5: central differences see at least -1 at 10, 11, 12, 13, 14.
    assert folding(field, np.eye(3)) == pytest.approx(5 / 20)


def test_a_pixel_that_loses_its_area_folds() -> None:
    field = np.zeros((2, 20, 20))
    field[0, :, :] = -np.arange(20)[:, None]
    assert folding(field, np.eye(3)) == 1
    assert folding(0.99 * field, np.eye(3)) == 0


@given(fields, st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_shifts_do_not_fold(field: Any, shift: Any) -> None:
    matrix = np.eye(3)
    matrix[:2, 2] = shift
    moved = field + np.array(shift)[:, None, None]
    assert folding(np.zeros_like(field) + moved[:, :1, :1], matrix) == 0
    assert folding(field, matrix) == folding(field, np.eye(3))


@pytest.mark.parametrize(("spacing", "expected"), [((1, 1), 5), ((2, 1), 52**0.5), ((0, 1), 4)])
def test_tre(spacing: Any, expected: float) -> None:
    field = np.zeros((2, 12, 12))
    other = field.copy()
    inside = square(2, 2)
    other[0][inside], other[1][inside] = 3, -4
    assert tre(field, other, inside, spacing) == pytest.approx(expected)
    assert tre(field, other, square(6, 6)) == 0
    assert tre(field, other, square(0, 0, size=0)) == 0


@given(fields, fields, fields, masks)
def test_tre_is_a_distance(first: Any, second: Any, third: Any, mask: Any) -> None:
    assert tre(first, second, mask) == tre(second, first, mask)
    assert tre(first, first, mask) == 0
    way = tre(first, third, mask) + tre(third, second, mask)
    assert tre(first, second, mask) <= way + 1e-9
