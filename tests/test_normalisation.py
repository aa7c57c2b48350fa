"""Spatial and intensity normalisation: the grid of 1 mm, its orientation, values from 0 to 255."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from builders import rotation
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bidsify.preprocessing.normalisation import SIZE, SPACING, frame, limits, rescaled
from bidsify.preprocessing.stack import Slice
from bidsify.preprocessing.warp import coordinates, sample

ORIENTATIONS = [
    np.array(axes) * flips
    for axes in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])
    for flips in itertools.product((1, -1), repeat=2)
]
TURNS = {"flat": np.eye(3), "tilted": rotation(0.7, -0.5, 1.3), "below": np.diag([1.0, -1, -1])}


def plane_of(shape: Any, spacing: Any, turn: Any = TURNS["flat"], pixels: Any = None) -> Slice:
    """An image about the origin of space."""
    edges = turn[:, :2] * np.array(spacing)
    corner = -edges @ ((np.array(shape) - 1) / 2)
    return Slice(np.zeros(shape) if pixels is None else pixels, np.column_stack([edges, corner]))


def turned(one: Slice, turn: Any) -> Slice:
    """The same image in space, stored with its axes swapped and flipped: columns of ``turn``."""
    swapped = bool(turn[0, 0] == 0)
    pixels = one.pixels.T if swapped else one.pixels
    flips = turn.sum(0)  # of the axes of the turned image
    pixels = pixels[:: int(flips[0]), :: int(flips[1])]
    edges = one.plane[:, :2] @ turn
    corner = one.centre - edges @ ((np.array(pixels.shape) - 1) / 2)
    return Slice(pixels, np.column_stack([edges, corner]))


def on_grid(one: Slice, size: int, like: Slice | None = None, order: int = 1) -> Any:
    found = frame(one, like, size)
    return sample(one.pixels, coordinates(size, None, np.eye(3), found), order)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("spacing", [(1.172, 1.172), (0.8929, 0.8929), (0.7, 1.9), (1.0, 1.0)])
@pytest.mark.parametrize("shape", [(256, 256), (101, 230), (224, 224), (1, 7)])
def test_the_grid_lies_about_the_middle_in_pixels_of_1_mm(
    shape: Any, spacing: Any, turn: str
) -> None:
    one = plane_of(shape, spacing, TURNS[turn])
    place = one.plane @ frame(one)  # from the grid to space
    middle = (SIZE - 1) / 2
    np.testing.assert_allclose(place @ [middle, middle, 1], one.centre, atol=1e-9)
    np.testing.assert_allclose(place[:, :2], TURNS[turn][:, :2] * SPACING, atol=1e-12)


@pytest.mark.parametrize(("size", "spacing"), [(128, 1.0), (7, 2.5)])
def test_size_and_spacing_are_parameters(size: int, spacing: float) -> None:
    one = plane_of((50, 60), (0.5, 1.5))
    place = one.plane @ frame(one, None, size, spacing)
    np.testing.assert_allclose(place @ [(size - 1) / 2, (size - 1) / 2, 1], one.centre, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(place[:, :2], axis=0), spacing)


def test_a_larger_image_is_cropped_and_a_smaller_one_padded_with_0() -> None:
    pixels = np.random.default_rng(1).integers(1, 200, (12, 6)).astype("f4")
    found = on_grid(plane_of((12, 6), (1, 1), pixels=pixels), 8)
    expected = np.zeros((8, 8))
    expected[:, 1:7] = pixels[2:10]
    np.testing.assert_array_equal(found, expected)


def test_pixels_of_half_a_millimetre_are_resampled() -> None:
    ramp = np.add.outer(np.arange(20.0), 10 * np.arange(20.0))
    found = on_grid(plane_of((20, 20), (0.5, 0.5), pixels=ramp), 10)
    at = np.arange(10) * 2 + 0.5
    np.testing.assert_allclose(found, np.add.outer(at, 10 * at), rtol=1e-6)


@pytest.mark.parametrize("tilt", TURNS)
@pytest.mark.parametrize("turn", ORIENTATIONS, ids=range(8))
def test_slices_stored_in_another_orientation_lie_like_the_other(turn: Any, tilt: str) -> None:
    pixels = np.random.default_rng(2).random((9, 14))
    like = plane_of((9, 14), (1, 1), TURNS[tilt], pixels)
    one = turned(like, turn)
    # A little turned besides, as between two breath-holds.
    leaned = Slice(one.pixels, rotation(0.1, -0.05, 0.1) @ one.plane)
    expected = on_grid(like, 16)
    for other in (one, leaned):
        np.testing.assert_allclose(on_grid(other, 16, like), expected, atol=1e-6)
    assert expected.any()


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.tuples(*[st.floats(-3, 3)] * 3))
def test_no_other_orientation_is_nearer(first: Any, second: Any) -> None:
    one, like = (plane_of((8, 9), (0.8, 1.3), rotation(*angles)) for angles in (first, second))
    axes = (one.plane @ frame(one, like))[:, :2]
    wanted = like.plane[:, :2] / like.spacing
    own = one.plane[:, :2] / one.spacing
    best = max(float((wanted * (own @ turn)).sum()) for turn in ORIENTATIONS)
    assert float((wanted * axes).sum()) == pytest.approx(best, abs=1e-5)


def test_equally_near_orientations_are_decided_the_same_way_each_time() -> None:
    like = plane_of((8, 8), (1, 1))
    for noise in (-1e-9, 0.0, 1e-9):
        one = plane_of((8, 8), (1, 1), rotation(0, 0, np.pi / 4 + noise))
        np.testing.assert_array_equal(frame(one, like), frame(one))


# --- intensities --------------------------------------------------------------------------------

VALUES: dict[str, tuple[Any, list[float]]] = {
    "a ramp": ([0.0, 1, 2, 4], [0, 63.75, 127.5, 255]),
    "below 0": (np.array([-100, 0, 100], "i2"), [0, 127.5, 255]),
    "all of a type": (np.array([-128, 127], "i1"), [0, 255]),
    "large whole numbers": (np.array([0, 2**63], "u8"), [0, 255]),
    "one value": ([7.0, 7, 7], [0, 0, 0]),
    "not a number": ([np.nan, 2, 4, 3], [0, 0, 255, 127.5]),
    "infinite": ([np.inf, -np.inf, 1, 3], [255, 0, 0, 255]),
    "nothing finite": ([np.nan, np.inf], [0, 0]),
    "nothing": ([], []),
    "the widest": ([-1.7e308, 0.0, 1.7e308], [0, 127.5, 255]),
    "booleans": (np.array([True, False]), [255, 0]),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_run_from_0_to_255(name: str) -> None:
    values, expected = VALUES[name]
    found = rescaled(np.array(values))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_slices_of_a_stack_keep_their_relation() -> None:
    dark, bright = np.array([[0, 10]]), np.array([[20, 40]])
    within = limits([dark, bright])
    assert within == (0, 40)
    np.testing.assert_allclose(rescaled(dark, within), [[0, 63.75]])
    np.testing.assert_allclose(rescaled(bright, within), [[127.5, 255]])
    np.testing.assert_allclose(rescaled(np.array([-5.0, 50]), within), [0, 255])
    assert limits([]) == limits([np.array([np.nan])]) == (0, 0)


@given(hnp.arrays("f8", st.integers(2, 9), elements=st.floats(-1e6, 1e6, width=32)))
def test_the_map_is_linear_and_keeps_the_order(values: Any) -> None:
    found = rescaled(values).astype("f8")
    assert found.min() >= 0
    assert found.max() <= 255
    if values.min() == values.max():
        assert not found.any()
        return
    low, high = limits([values])
    np.testing.assert_allclose(found / 255 * (high - low) + low, values, atol=(high - low) * 1e-6)
    assert (np.diff(found[np.argsort(values, kind="stable")]) >= 0).all()
