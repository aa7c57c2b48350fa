"""Affine maps of slices: known ones are found, by masks and by images; bad masks are told."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import strategies  # noqa: F401 - the profile of hypothesis
from heart_pairs import CENTRE, STILL, grid, matrix, moved, pair, sampled, waves
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from bidsify.errors import SourceError
from bidsify.preprocessing import affine
from bidsify.preprocessing.affine import Using, register
from bidsify.preprocessing.distance import box, outlines, signed_distance
from bidsify.preprocessing.fitting import Frame, Images, Outlines, Term, cost
from bidsify.preprocessing.metrics import dice, tre
from bidsify.preprocessing.stack import Pair

every_way = pytest.mark.parametrize("using", get_args(Using))
MAPS = {
    "shift": matrix(shift=(6, -4)),
    "scale": matrix(scale=(1.08, 0.93), shift=(-3, 2)),
    "small turn": matrix(degrees=4, shift=(2, 2)),
    "all": matrix(degrees=-6, scale=(0.95, 1.05), shift=(-4, 5)),
}


def error(found: Any, truth: Any, one: Pair) -> float:
    assert one.fixed_masks is not None
    return tre(moved(found, grid()), moved(truth, grid()), one.fixed_masks[1])


def overlap(found: Any, one: Pair) -> float:
    assert one.fixed_masks is not None
    assert one.moving_masks is not None
    return dice(one.fixed_masks[0], sampled(one.moving_masks[0], moved(found, grid())) > 0.5)


@every_way
@pytest.mark.parametrize("name", MAPS)
def test_a_known_map_is_found(using: Using, name: str) -> None:
    one = pair(MAPS[name])
    found = register(one, using)
    assert not found.degenerate
    # Outlines of a ring say little about turns, images from afar little about the heart.
    bound = {"masks": 2.0, "masks+images": 0.5, "images": 0.6}[using]
    assert error(found.matrix, MAPS[name], one) < bound
    assert overlap(found.matrix, one) > {"images": 0.93}.get(using, 0.96)


@every_way
def test_a_warped_heart_lies_better_than_before(using: Using) -> None:
    one = pair(MAPS["all"], waves(1.5))
    assert overlap(register(one, using).matrix, one) > max(0.85, overlap(STILL, one) + 0.2)


def test_images_tell_how_far_a_ring_is_turned() -> None:
    truth = matrix(degrees=12)
    one = pair(truth)
    alone, helped = (register(one, using).matrix for using in ("masks", "masks+images"))
    assert error(helped, truth, one) < 0.5 < error(alone, truth, one)


@pytest.mark.parametrize(("using", "exact"), [("masks", 1e-9), ("masks+images", 0.02)])
def test_the_same_slice_stays(using: Using, exact: float) -> None:
    found = register(pair(same_contrast=True), using).matrix
    assert np.abs(moved(found, grid()) - grid()).max() < 10 * exact


def test_the_same_image_stays() -> None:
    found = register(pair(same_contrast=True), "images").matrix
    assert np.abs(moved(found, grid()) - grid()).max() < 0.2


@every_way
def test_twice_is_the_same(using: Using) -> None:
    one = pair(MAPS["all"], waves(1))
    assert np.array_equal(register(one, using).matrix, register(one, using).matrix)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_images_alone_are_never_less_alike_than_before(seed: int) -> None:
    chance = np.random.default_rng(seed)
    noise = [ndimage.gaussian_filter(chance.random((48, 48)), 2) for _ in range(2)]
    one = Pair(noise[0], noise[1])
    found = register(one, "images")
    frame = Frame((np.array([48, 48]) - 1) / 2, 12.0)
    images = affine._images(one, frame, affine._middle((48, 48)), affine.ALONE[-1])
    terms: list[tuple[float, Term]] = [(1.0, images)]
    assert cost(terms, frame.numbers(found.matrix)) <= cost(terms, np.zeros(6)) + 1e-12


def test_images_with_nothing_in_them_say_nothing() -> None:
    flat = np.full((96, 96), 0.5)
    assert np.array_equal(register(Pair(flat, flat), "images").matrix, STILL)
    one = pair(MAPS["shift"])
    bare = Pair(flat, flat, one.fixed_masks, one.moving_masks)
    assert overlap(register(bare, "masks+images").matrix, one) > 0.96


def test_images_need_no_masks() -> None:
    one = pair(MAPS["shift"])
    bare = Pair(one.fixed, one.moving)
    assert np.array_equal(register(bare, "images").matrix, register(one, "images").matrix)


@pytest.mark.parametrize("using", ["masks", "masks+images"])
@pytest.mark.parametrize("which", ["fixed", "moving"])
@pytest.mark.parametrize("masks", [None, np.zeros((2, 96, 96), bool)], ids=["none", "empty"])
def test_an_empty_mask_is_refused(using: Using, which: str, masks: Any) -> None:
    one = pair()
    given_masks = {"fixed": one.fixed_masks, "moving": one.moving_masks} | {which: masks}
    bad = Pair(one.fixed, one.moving, given_masks["fixed"], given_masks["moving"])
    with pytest.raises(SourceError) as caught:
        register(bad, using, "c0/T2w slice 3")
    assert str(caught.value) == (
        f"c0/T2w slice 3: no myocardium in the mask of the {which} slice; "
        "give a mask, or register by the images alone"
    )
    with pytest.raises(SourceError, match=r"^slice: no myocardium"):
        register(bad, using)


def test_a_map_that_is_none_gives_way_to_a_shift() -> None:
    one = pair()
    speck = np.zeros_like(one.fixed_masks)
    speck[:, 20:23, 30:33] = True
    found = register(Pair(one.fixed, one.moving, one.fixed_masks, speck))
    assert found.degenerate
    assert np.array_equal(found.matrix[:2, :2], np.eye(2))
    middle = ndimage.center_of_mass(one.fixed_masks[1])
    assert found.matrix @ [*middle, 1] == pytest.approx([21, 31, 1])


def test_a_ring_that_is_open_is_compared_by_the_myocardium() -> None:
    one = pair(MAPS["shift"])
    masks = [
        np.repeat(found[:1].copy(), 2, axis=0) for found in (one.fixed_masks, one.moving_masks)
    ]
    masks[0][:, :, :44] = False
    masks[1][:, :, : 44 - 4] = False
    cut = Pair(one.fixed, one.moving, masks[0], masks[1])
    assert len(outlines(cut, 8)[0]) == 1
    assert error(register(cut).matrix, MAPS["shift"], one) < 0.5
    mixed = Pair(one.fixed, one.moving, masks[0], one.moving_masks)
    assert len(outlines(mixed, 8)[0]) == 1


@pytest.mark.parametrize("term", ["outlines", "images"])
def test_the_slope_of_a_term_is_that_of_its_cost(term: str) -> None:
    one = pair(same_contrast=True)
    frame = Frame(CENTRE, 18.0)
    found: Any = Outlines(frame, *outlines(one, 30.0), 1)
    if term == "images":
        smooth = [ndimage.gaussian_filter(image, 3) for image in (one.fixed, one.moving)]
        found = Images(frame, (smooth[0], smooth[1]), np.ones((96, 96)), (1, 10.0))
    numbers = np.array([0.3, -0.2, 0.4, 0.1, 1.0, -0.8])
    for axis in range(6):
        little = np.eye(6)[axis] * 0.05
        change = found.at(numbers + little).cost - found.at(numbers - little).cost
        slope = 2 * found.at(numbers).slope[axis]
        assert change / 0.1 == pytest.approx(slope, rel=0.3, abs=0.1 * np.abs(slope))


@given(hnp.arrays(np.float64, 6, elements=st.floats(-9, 9)))
def test_numbers_and_maps_are_two_words_for_one_thing(numbers: Any) -> None:
    frame = Frame(CENTRE, 20.0)
    assert frame.numbers(frame.matrix(numbers)) == pytest.approx(numbers, abs=1e-9)


@given(hnp.arrays(bool, (9, 11)), st.integers(1, 9))
def test_a_signed_distance_tells_in_from_out(mask: Any, reach: int) -> None:
    found = signed_distance(mask, reach)
    assert np.abs(found).max() <= reach
    assert ((found > 0) == mask).all()
    if mask.any():
        rows, columns = box(mask, 0)
        assert mask[rows, columns].sum() == mask.sum()
        assert mask[rows, columns].any(axis=1)[[0, -1]].all()
        assert mask[rows, columns].any(axis=0)[[0, -1]].all()


def test_a_signed_distance_counts_from_between_pixels() -> None:
    mask = np.zeros((20, 20), bool)
    mask[:, 10:] = True
    assert signed_distance(mask, 4)[5, 5:15].tolist() == [
        -4,
        -3.5,
        -2.5,
        -1.5,
        -0.5,
        0.5,
        1.5,
        2.5,
        3.5,
        4,
    ]
    assert (signed_distance(np.ones((5, 5)), 3) == 3).all()
