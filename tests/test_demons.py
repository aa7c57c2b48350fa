"""Smooth displacements of slices: better overlap, no folds, nothing where nothing is to do."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import strategies  # noqa: F401 - the profile of hypothesis
from heart_pairs import CENTRE, STILL, grid, matrix, moved, pair, resampled, sampled, waves
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bidsify.errors import SourceError
from bidsify.preprocessing import demons
from bidsify.preprocessing.affine import register as affine
from bidsify.preprocessing.demons import Using, exponential, register
from bidsify.preprocessing.distance import box
from bidsify.preprocessing.metrics import dice, folding, tre
from bidsify.preprocessing.stack import Pair

every_way = pytest.mark.parametrize("using", get_args(Using))


def overlap(field: Any, one: Pair) -> float:
    assert one.fixed_masks is not None
    assert one.moving_masks is not None
    return dice(one.fixed_masks[0], sampled(one.moving_masks[0], grid() + field) > 0.5)


@every_way
def test_a_warped_heart_lies_better_and_nothing_folds(using: Using) -> None:
    one = pair(STILL, waves(2))
    field = register(one, using)
    assert field.shape == (2, 96, 96)
    before, after = overlap(0 * field, one), overlap(field, one)
    assert after > {"images": before + 0.02}.get(using, 0.97)
    assert folding(field, STILL) == 0


@pytest.mark.parametrize("using", ["masks", "masks+images"])
def test_after_an_affine_map(using: Using) -> None:
    one = pair(matrix(degrees=5, scale=(0.95, 1.04), shift=(3, -4)), waves(1.5))
    near = resampled(one, affine(one, using).matrix)
    field = register(near, using)
    assert overlap(field, near) > max(0.97, overlap(0 * field, near))
    assert folding(field, STILL) == 0


def test_images_find_what_slides_along_the_ring() -> None:
    truth = matrix(degrees=7)
    one = pair(truth)
    alone, helped = (register(one, using) for using in ("masks", "masks+images"))

    def error(field: Any) -> float:
        return tre(grid() + field, moved(truth, grid()), one.fixed_masks[0])  # type: ignore[index]

    # Outlines alone leave all of it.
    assert error(helped) < 0.9 * error(alone)


@every_way
def test_the_same_slice_stays(using: Using) -> None:
    field = register(pair(same_contrast=True), using)
    assert not field.any()


@every_way
def test_twice_is_the_same(using: Using) -> None:
    one = pair(STILL, waves(2))
    assert np.array_equal(register(one, using), register(one, using))


def test_nothing_moves_far_from_the_heart() -> None:
    one = pair(STILL, waves(1.5))
    field = register(one)
    rows, columns = box(one.fixed_masks[1] | one.moving_masks[1], 22)  # type: ignore[index]
    inside = field[:, rows, columns].copy()
    field[:, rows, columns] = 0
    assert inside.any()
    assert not field.any()
    field[:, rows, columns] = inside
    assert np.abs(np.diff(field, axis=1)).max() < 1
    assert np.abs(np.diff(field, axis=2)).max() < 1


def test_a_heart_at_the_edge() -> None:
    one = pair(STILL, waves(2))
    cut = [
        layer[..., 30:, :] for layer in (one.fixed, one.moving, one.fixed_masks, one.moving_masks)
    ]  # type: ignore[index]
    field = register(Pair(cut[0], cut[1], cut[2], cut[3]))
    assert field.shape == (2, 66, 96)
    assert folding(field, STILL) == 0


def test_a_wild_pair_does_not_fold() -> None:
    one, chance = pair(), np.random.default_rng(3)
    masks = ndimage.gaussian_filter(chance.standard_normal((96, 96)), 3) > 0.02
    wild = Pair(one.fixed, chance.random((96, 96)), one.fixed_masks, np.stack([masks, masks]))
    for using in get_args(Using):
        assert folding(register(wild, using), STILL) < 1e-3


@pytest.mark.parametrize("using", ["masks", "masks+images"])
def test_an_empty_mask_is_refused(using: Using) -> None:
    one = pair()
    with pytest.raises(SourceError, match=r"^c0 slice 3: no myocardium in the mask of the fixed"):
        register(Pair(one.fixed, one.moving), using, "c0 slice 3")


def test_images_with_nothing_in_them_move_nothing() -> None:
    flat = np.full((96, 96), 0.5)
    assert not register(Pair(flat, flat), "images").any()
    one = pair(STILL, waves(1))
    bare = Pair(flat, flat, one.fixed_masks, one.moving_masks)
    assert np.array_equal(register(bare, "masks+images"), register(one, "masks"))


def test_images_need_no_masks() -> None:
    one = pair(STILL, waves(2))
    assert np.array_equal(register(Pair(one.fixed, one.moving), "images"), register(one, "images"))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 8))
@settings(max_examples=15)
def test_an_exponential_is_undone_by_its_opposite(seed: int, size: float) -> None:
    noise = np.random.default_rng(seed).standard_normal((2, 40, 40))
    smooth = np.stack([ndimage.gaussian_filter(one, 6) for one in noise])
    edge = np.minimum(np.arange(40), np.arange(40)[::-1]).clip(0, 12) / 12
    velocity = (size * smooth / np.abs(smooth).max() * np.outer(edge, edge)).astype(np.float32)
    there, back = exponential(velocity), exponential(-velocity)
    points = np.mgrid[:40, :40] + there
    returned = points + np.stack([sampled(one, points) for one in back]) - np.mgrid[:40, :40]
    # Linear sampling of a field that bends: at most 0.064 of its size in 2,400 drawn ones.
    assert np.abs(returned).max() < 0.1 * size + 0.02
    assert folding(there, STILL) == 0


def test_a_constant_velocity_is_its_own_exponential() -> None:
    velocity = np.full((2, 8, 8), 3.25, np.float32)
    assert exponential(velocity) == pytest.approx(velocity)
    assert not exponential(0 * velocity).any()


def test_a_scar_is_not_drawn_to_the_edema_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pair(STILL, same_contrast=True)
    assert one.fixed_masks is not None
    muscle = one.fixed_masks[0]
    i, j = grid() - CENTRE[:, None, None]
    around = np.rad2deg(np.arctan2(j, i))
    scar, edema = (muscle & (np.abs(around - at) < wide) for at, wide in ((0, 25), (15, 50)))
    sick = Pair(
        np.where(scar, 0.9, one.fixed), np.where(edema, 0.7, one.moving), *[one.fixed_masks] * 2
    )

    def gone() -> float:
        return tre(register(sick, "masks+images"), np.zeros((2, *muscle.shape)), muscle)

    held = gone()
    monkeypatch.setattr(demons, "WITHIN", 1.0)
    assert held < 0.7 * gone()
    assert held < 0.25
