"""The window around the heart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from bidsify.preprocessing.roi import SIZE, window

N = 224
DARK = np.zeros((N, N), np.float32)


def box(top: int, bottom: int, left: int, right: int) -> Any:
    """A mask of these rows and columns, the last included."""
    mask = np.zeros((N, N), bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def ring(middle: Any, radius: float = 28.0, width: float = 10.0) -> Any:
    distance = np.hypot(*(np.mgrid[:N, :N] - np.array(middle)[:, None, None]))
    return np.abs(distance - radius) < width / 2


CASES: dict[str, tuple[Any, tuple[int, int], int]] = {
    "in the middle": ([box(80, 143, 90, 133)], (48, 48), 0),
    "of even and odd extent": ([box(80, 144, 90, 133)], (49, 48), 0),
    "two slices, one window": ([box(80, 100, 80, 100), box(120, 140, 90, 120)], (47, 37), 0),
    "an empty slice among others": ([box(0, -1, 0, -1), box(80, 100, 80, 100)], (27, 27), 0),
    "at the corner": ([box(0, 9, 0, 9)], (0, 0), 0),
    "at the other corner": ([box(214, 223, 214, 223)], (96, 96), 0),
    "one pixel": ([box(100, 100, 100, 100)], (37, 37), 0),
    "as large as the window": ([box(40, 167, 30, 157)], (40, 30), 0),
    "two pixels too high": ([box(40, 169, 80, 89)], (41, 21), 20),
}


@pytest.mark.parametrize("name", CASES)
def test_the_window_lies_about_the_masks(name: str) -> None:
    masks, offset, cut = CASES[name]
    found = window(masks, [DARK])
    assert (found.offset, found.size, found.by, found.cut) == (offset, SIZE, "masks", cut)


rows = st.integers(0, N - SIZE)


@given(rows, rows, st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_a_mask_that_fits_is_kept_whole(top: int, left: int, height: int, width: int) -> None:
    mask = box(top, top + height, left, left + width)
    found = window([mask], [DARK])
    i, j = found.offset
    assert found.cut == 0
    assert 0 <= i <= N - SIZE
    assert 0 <= j <= N - SIZE
    assert mask[i : i + SIZE, j : j + SIZE].sum() == mask.sum()


@given(st.permutations(range(4)))
def test_the_order_of_slices_does_not_matter(order: list[int]) -> None:
    masks = [ring((100 + 5 * k, 120 - 3 * k)) for k in range(4)]
    images = [gaussian_filter(mask.astype("f4"), 2) for mask in masks]
    for given_masks in (masks, []):
        found = window([given_masks[k] for k in order if given_masks], [images[k] for k in order])
        assert found == window(given_masks, images)


@pytest.mark.parametrize("masks", [[], [box(0, -1, 0, -1)]], ids=["none", "empty"])
@pytest.mark.parametrize("middle", [(111, 111), (85, 120), (130, 135), (115, 80)])
def test_without_masks_the_window_is_found_in_the_images(middle: Any, masks: Any) -> None:
    noise = gaussian_filter(np.random.default_rng(1).standard_normal((N, N)), 3)
    body = (np.hypot(*((np.mgrid[:N, :N] - 111.5) / np.array([85, 100])[:, None, None])) < 1) * 60.0
    images = [body + 150 * ring(middle, radius) + 20 * noise for radius in (28, 24, 18)]
    found = window(masks, images)
    assert found.by == "images"
    assert np.abs(np.array(found.offset) + (SIZE - 1) / 2 - middle).max() < 15


def test_images_of_one_value_give_the_middle() -> None:
    assert window([], [DARK + 7]).offset == (48, 48)


def test_the_size_is_a_parameter_and_has_to_fit() -> None:
    assert window([box(100, 101, 100, 101)], [DARK], 64).offset == (69, 69)
    assert window([], [DARK], N).offset == (0, 0)
    with pytest.raises(ValueError, match="a window of 300 pixels does not fit"):
        window([], [DARK], 300)
