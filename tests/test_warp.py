"""Warping: one composed transform from the grid to the slice, each pixel sampled once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from bidsify.preprocessing.warp import coordinates, displaced, sample, undisplaced

N = 48
SAME = np.eye(3)


def affine(angle: float = 0.2, scale: float = 1.05, shear: float = 0.04, shift: float = 3.0) -> Any:
    """About the middle of the grid."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[scale, shear], [0, 1 / scale]])
    middle = np.full(2, (N - 1) / 2)
    found = np.eye(3)
    found[:2, :2] = linear
    found[:2, 2] = middle - linear @ middle + (shift, -shift / 2)
    return found


def smooth(seed: int, largest: float = 3.5, width: float = 6.0, edge: int = N) -> Any:
    """A displacement of that many pixels at most."""
    noise = np.random.default_rng(seed).standard_normal((2, edge, edge))
    found = np.stack([gaussian_filter(one, width) for one in noise])
    return found * largest / np.abs(found).max()


def least_jacobian(u: Any) -> float:
    (ii, ij), (ji, jj) = (np.gradient(one) for one in u)
    return float(((1 + ii) * (1 + jj) - ij * ji).min())


FRAME = np.array([[0, 1.2, 4.0], [-0.9, 0, 70.5], [0, 0, 1]])  # swapped, one axis flipped


def test_the_chain_is_displacement_then_affine_then_frame() -> None:
    u, moving = smooth(1), affine()
    found = coordinates(N, u, moving, FRAME)
    for i, j in [(0, 0), (5, 40), (47, 3)]:
        shifted = np.array([i + u[0, i, j], j + u[1, i, j], 1])
        np.testing.assert_allclose(found[:, i, j], (FRAME @ (moving @ shifted))[:2], atol=1e-9)


@pytest.mark.parametrize("with_u", [True, False])
def test_a_window_is_a_part_of_the_whole(with_u: Any) -> None:
    u = smooth(2) if with_u else None
    whole = coordinates(N, u, affine(), FRAME)
    crop = coordinates(20, u, affine(), FRAME, (7, 28))
    np.testing.assert_array_equal(crop, whole[:, 7:27, 28:48])


@pytest.mark.parametrize("offset", [(-1, 0), (0, 29), (29, 0)])
def test_a_window_beyond_the_displacement_is_refused(offset: Any) -> None:
    with pytest.raises(
        ValueError, match=r"a window of 20 pixels at .* leaves a grid of \(48, 48\)"
    ):
        coordinates(20, smooth(2), SAME, SAME, offset)


def test_nothing_to_do_changes_nothing() -> None:
    pixels = np.random.default_rng(3).random((N, N)).astype("f4")
    at = coordinates(N, np.zeros((2, N, N)), SAME, SAME)
    for order in (0, 1):
        np.testing.assert_array_equal(sample(pixels, at, order), pixels)


def test_an_image_is_linear_between_its_pixels() -> None:
    ramp = np.add.outer(3 * np.arange(30.0), np.arange(20.0))
    at = np.array([[2.25, 28.9], [7.5, 0.1]])
    np.testing.assert_allclose(sample(ramp, at, 1), 3 * at[0] + at[1], rtol=1e-6)
    assert sample(ramp, at, 1).dtype == np.float32


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "i8"])
def test_labels_keep_their_type_and_their_values(dtype: str) -> None:
    top = 2**62 + 1 if dtype == "i8" else 100
    labels = np.random.default_rng(4).choice([top, 20, 1], (N, N)).astype(dtype)
    found = sample(labels, coordinates(N, smooth(5), affine(), SAME), 0)
    assert found.dtype == labels.dtype
    assert {*np.unique(found).tolist()} == {0, 1, 20, int(np.array(top, dtype))}


OUTSIDE = [(-0.5001, 5), (9.5001, 5), (5, -0.5001), (5, 9.5001), (1e9, 5), (np.nan, 5), (5, np.inf)]
INSIDE = [(-0.5, 5), (9.5, 5), (5, -0.49), (5, 9.49), (-1e-13, 0)]


@pytest.mark.parametrize("order", [0, 1])
def test_a_pixel_reaches_half_its_size_and_beyond_is_0(order: int) -> None:
    ones = np.ones((10, 10), np.uint8)
    assert sample(ones, np.array(OUTSIDE).T, order).tolist() == [0] * len(OUTSIDE)
    assert sample(ones, np.array(INSIDE).T, order).tolist() == [1] * len(INSIDE)


def test_half_way_between_labels_noise_does_not_decide() -> None:
    labels = np.arange(10, dtype="i2")[None].repeat(3, 0)
    for noise in (-1e-9, 0, 1e-9):
        at = np.array([np.ones(4), np.arange(4) + 0.5 + noise])
        assert sample(labels, at, 0).tolist() == [1, 2, 3, 4]


def test_image_and_label_stay_together() -> None:
    """The rim of what is sampled linearly runs along that of its labels."""
    distances = np.hypot(*(np.mgrid[:N, :N] - (N - 1) / 2))
    at = coordinates(N, smooth(6), affine(), SAME)
    image, label = sample(15 - distances, at, 1), sample((distances < 15).astype("u1"), at, 0)
    inside = sample(np.ones((N, N)), at, 0) > 0
    assert (label[inside & (image > 1)] == 1).all()
    assert (label[image < -1] == 0).all()
    assert label.any()


# --- points -------------------------------------------------------------------------------------

seeds = st.integers(0, 10**6)
places = st.tuples(st.floats(0, N - 1), st.floats(0, N - 1))
some_points = st.lists(places, min_size=1, max_size=20).map(np.array)


@given(seeds)
def test_points_at_pixels_go_where_their_pixels_are_sampled(seed: int) -> None:
    u = smooth(seed)
    grid = np.indices((N, N)).reshape(2, -1).T
    expected = coordinates(N, u, SAME, SAME).reshape(2, -1).T
    np.testing.assert_allclose(displaced(grid, u), expected, atol=1e-9)


@given(some_points, seeds, st.floats(0, 6))
def test_points_go_there_and_back(points: Any, seed: int, largest: float) -> None:
    u = smooth(seed, largest)
    if least_jacobian(u) < 0.05:
        return
    np.testing.assert_allclose(undisplaced(displaced(points, u), u), points, atol=1e-3)


@given(some_points, seeds)
def test_points_go_back_and_there(points: Any, seed: int) -> None:
    u = smooth(seed)
    np.testing.assert_allclose(displaced(undisplaced(points, u), u), points, atol=1e-3)


@pytest.mark.parametrize("at", [(-30.0, 20.0), (80.0, 90.0), (20.0, -1.0), (47.3, 10.0)])
def test_points_beyond_the_grid_move_with_its_edge(at: Any) -> None:
    u = smooth(7)
    there = displaced(np.array([at]), u)
    np.testing.assert_allclose(undisplaced(there, u), [at], atol=1e-3)
    edge = np.clip(at, 0, N - 1)
    np.testing.assert_allclose(there - at, displaced(edge[None], u) - edge, atol=1e-9)


def test_a_steep_displacement_is_inverted_too() -> None:
    """It stretches fivefold, where the usual iteration of fixed points runs away."""
    steep = np.zeros((2, N, N))
    steep[0] = np.interp(np.arange(N), [0, 20, 27, 47], [0, -14, 14, 0])[:, None]
    points = np.random.default_rng(8).uniform(0, N - 1, (300, 2))
    np.testing.assert_allclose(undisplaced(displaced(points, steep), steep), points, atol=1e-3)


def test_a_fold_gives_one_of_the_points_or_none() -> None:
    folded = smooth(9, largest=12, width=3)
    assert least_jacobian(folded) < 0
    points = np.random.default_rng(9).uniform(5, N - 5, (300, 2))
    there = displaced(points, folded)
    back = undisplaced(there, folded)
    known = np.isfinite(back).all(1)
    assert known.mean() > 0.9
    np.testing.assert_allclose(displaced(back[known], folded), there[known], atol=1e-3)


def test_rows_that_fall_together_come_back_as_one_of_them() -> None:
    """Between rows 10 and 20 all go to row 10: the derivative has no inverse there."""
    flat = np.zeros((2, N, N))
    flat[0] = np.interp(np.arange(N), [0, 10, 20, 47], [0, 0, -10, -10])[:, None]
    points = np.array([[10.0, 5.0], [14.5, 7.25], [20.0, 30.0], [25.0, 30.0]])
    there = displaced(points, flat)
    np.testing.assert_allclose(displaced(undisplaced(there, flat), flat), there, atol=1e-3)


def test_no_points_are_no_points() -> None:
    nothing = np.zeros((0, 2))
    assert displaced(nothing, smooth(1)).shape == (0, 2)
    assert undisplaced(nothing, smooth(1)).shape == (0, 2)
