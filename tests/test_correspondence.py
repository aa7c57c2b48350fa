"""Slice correspondence: global one-to-one matches by place, and what is refused."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import rotation
from hypothesis import given
from hypothesis import strategies as st

from bidsify.errors import SourceError, UsageError
from bidsify.preprocessing.correspondence import BOUND_MM, COLUMNS, Matches, match, to_tsv
from bidsify.preprocessing.stack import SEQUENCES, Slice, Stack

FLAT = np.eye(3)
TILTED = rotation(0.5, -0.4, 1.1)
ORIGIN = (10.0, -20.0, 30.0)


def stack(
    name: str,
    heights: Sequence[float],
    turn: Any = FLAT,
    shift: tuple[float, float] = (0.0, 0.0),
    edge: int = 40,
) -> Stack:
    """Slices of 1 mm pixels at heights along the third column of ``turn``, centred on a line."""
    slices = []
    for height in heights:
        corner = turn @ (shift[0] - (edge - 1) / 2, shift[1] - (edge - 1) / 2, height)
        plane = np.column_stack([turn[:, 0], turn[:, 1], np.add(corner, ORIGIN)])
        slices.append(Slice(np.zeros((edge, edge)), plane))
    return Stack(name, slices)


def study(b: Sequence[float], le: Sequence[float], t: Sequence[float], **how: Any) -> Any:
    return {
        name: stack(name, heights, **how)
        for name, heights in zip(SEQUENCES, (b, le, t), strict=True)
    }


def indices(matches: Matches) -> list[tuple[int, ...]]:
    return [tuple(row[name].index for name in SEQUENCES) for row in matches.rows]


def dropped(matches: Matches) -> set[tuple[str, int]]:
    return {(drop.name, drop.index) for drop in matches.drops}


TEN = (0, 10, 20, 30)
CASES: dict[str, tuple[Any, str, list[tuple[int, ...]]]] = {
    "equal": ((TEN, TEN, TEN), "bSSFP", [(k, k, k) for k in range(4)]),
    "one slice each": (((3,), (4,), (0,)), "bSSFP", [(0, 0, 0)]),
    "one slice of the reference": ((TEN, TEN, (21,)), "T2w", [(2, 2, 0)]),
    "the fewest is the reference": ((TEN, TEN[:2], TEN[1:]), "LGE", [(1, 1, 0)]),
    "base to apex, apex to base": (
        (TEN, TEN[::-1], TEN),
        "bSSFP",
        [(k, 3 - k, k) for k in range(4)],
    ),
    "the reference from its own end": (
        (TEN[::-1], TEN, TEN),
        "bSSFP",
        [(k, 3 - k, 3 - k) for k in range(4)],
    ),
    "shuffled": (
        ((20, 0, 30, 10), TEN, (10, 0, 30, 20)),
        "bSSFP",
        [(1, 0, 1), (3, 1, 0), (0, 2, 3), (2, 3, 2)],
    ),
    "thick and thin": (
        ((0, 12, 24), range(0, 30, 6), range(0, 30, 3)),
        "bSSFP",
        [(0, 0, 0), (1, 2, 4), (2, 4, 8)],
    ),
    "breathing": (
        ((0, 10, 20), (2, 12, 22, 32), (-4, 6, 16, 26)),
        "bSSFP",
        [(0, 0, 0), (1, 1, 1), (2, 2, 2)],
    ),
    "a gap": (((0, 10, 20), (0, 20, 40), (0, 10, 20)), "bSSFP", [(0, 0, 0), (2, 1, 2)]),
    "at the bound": (((0, 30), (5, 35.5), (0, 30)), "bSSFP", [(0, 0, 0)]),
    "greedy would cross": (((0, 3), (2, 5), (0, 3)), "bSSFP", [(0, 0, 0), (1, 1, 1)]),
    "greedy would drop one": (((0, 3), (2, 5.5), (0, 3)), "bSSFP", [(0, 0, 0), (1, 1, 1)]),
    "sums alone might cross": (((0, 1), (4, 5), (0, 1)), "bSSFP", [(0, 0, 0), (1, 1, 1)]),
}


@pytest.mark.parametrize("turn", [FLAT, TILTED], ids=["flat", "tilted"])
@pytest.mark.parametrize("name", CASES)
def test_slices_of_one_place_are_matched(name: str, turn: Any) -> None:
    heights, reference, expected = CASES[name]
    found = match(study(*heights, turn=turn))
    assert found.reference == reference
    assert indices(found) == expected
    for row in found.rows:
        own = heights[SEQUENCES.index(reference)][row[reference].index]
        for other, partner in row.items():
            away = abs(heights[SEQUENCES.index(other)][partner.index] - own)
            assert partner.distance_mm == pytest.approx(away, abs=1e-9)
            assert partner.centre_mm == pytest.approx(away, abs=1e-9)


def test_fields_of_view_that_are_shifted_within_the_plane_do_not_count() -> None:
    stacks = study(TEN, TEN, TEN, turn=TILTED)
    stacks["LGE"] = stack("LGE", (1, 11, 21, 31), TILTED, shift=(12, -16))
    found = match(stacks)
    assert indices(found) == [(k, k, k) for k in range(4)]
    partner = found.rows[0]["LGE"]
    assert partner.distance_mm == pytest.approx(1)
    assert partner.centre_mm == pytest.approx(np.sqrt(12**2 + 16**2 + 1))


def test_planes_tilted_a_little_meet_the_axis_of_the_reference() -> None:
    """The field of view of the other lies 30 mm aside, where the tilt would add 3 mm."""
    stacks = study(TEN, TEN, TEN)
    stacks["LGE"] = stack("LGE", TEN, rotation(0.0, 0.1, 0.0), shift=(30, 0))
    found = match(stacks)
    assert indices(found) == [(k, k, k) for k in range(4)]
    assert found.rows[1]["LGE"].distance_mm == pytest.approx(10 / np.cos(0.1) - 10, abs=1e-6)


def test_a_turn_within_the_plane_and_a_flipped_normal_do_not_count() -> None:
    stacks = study(TEN, TEN, TEN)
    flipped = np.array([[0, 1.0, 0], [1, 0, 0], [0, 0, 1]])  # its normal points down
    stacks["LGE"] = stack("LGE", TEN, flipped @ rotation(0, 0, 0.7))
    assert indices(match(stacks)) == [(k, k, k) for k in range(4)]


def test_each_slice_is_in_the_table_once_and_drops_have_reasons() -> None:
    found = match(study((0, 10, 20), (0, 21, 22, 40), (1, 11, 21, 31)))
    assert to_tsv(found).decode().splitlines() == [
        "\t".join(COLUMNS),
        "bSSFP\t0\t0\t0.000\t0.000\tn/a",
        "bSSFP\t1\tn/a\tn/a\tn/a\tno slice of LGE within 5 mm, the nearest is 10.0 mm away",
        "bSSFP\t2\t1\t0.000\t0.000\tn/a",
        "LGE\t0\t0\t0.000\t0.000\tn/a",
        "LGE\t1\t1\t1.000\t1.000\tn/a",
        "LGE\t2\tn/a\tn/a\tn/a\teach slice of bSSFP within 5 mm has another partner",
        "LGE\t3\tn/a\tn/a\tn/a\tno slice of bSSFP within 5 mm, the nearest is 20.0 mm away",
        "T2w\t0\t0\t1.000\t1.000\tn/a",
        "T2w\t1\tn/a\tn/a\tn/a\tits slice of bSSFP, 1, was dropped",
        "T2w\t2\t1\t1.000\t1.000\tn/a",
        "T2w\t3\tn/a\tn/a\tn/a\tno slice of bSSFP within 5 mm, the nearest is 11.0 mm away",
    ]


def test_of_a_place_scanned_twice_one_slice_is_kept() -> None:
    found = match(study((0, 0, 10), (0, 10, 20), (0, 1, 10)))
    assert [row["LGE"].index for row in found.rows] == [0, 1]
    assert [d.reason for d in found.drops if d.name == "bSSFP"] == [
        "each slice of LGE within 5 mm has another partner"
    ]


def test_a_slice_lacking_two_partners_says_both() -> None:
    found = match(study((0, 50), (0, 80), (0, 90)))
    [reason] = [drop.reason for drop in found.drops if drop.name == "bSSFP"]
    assert reason == (
        "no slice of LGE within 5 mm, the nearest is 30.0 mm away; "
        "no slice of T2w within 5 mm, the nearest is 40.0 mm away"
    )


def test_the_bound_is_a_parameter() -> None:
    stacks = study((0, 10), (7, 17), (0, 10))
    with pytest.raises(SourceError, match="within 5 mm"):
        match(study((0,), (7,), (0,)) | {"LGE": stack("LGE", (7, -8))})
    assert indices(match(stacks, bound_mm=8)) == [(1, 0, 1)]  # the nearest, 3 mm away
    assert indices(match(stacks, bound_mm=15)) == [(0, 0, 0), (1, 1, 1)]


@pytest.mark.parametrize("bound", [0, -1.0, float("nan"), float("inf")])
def test_a_bound_that_is_none_is_refused(bound: float) -> None:
    with pytest.raises(UsageError, match="must be positive"):
        match(study(TEN, TEN, TEN), bound)


def _without(*names: str) -> Any:
    return {k: v for k, v in study(TEN, TEN, TEN).items() if k not in names}


def _with(name: str, other: Stack) -> Any:
    return study(TEN, TEN, TEN) | {name: other}


def _bent(plane: Any) -> Any:
    slices = [*stack("T2w", TEN).slices, Slice(np.zeros((4, 4)), np.array(plane, float))]
    return _with("T2w", Stack("T2w", slices))


REFUSED: dict[str, tuple[Any, str]] = {
    "one missing": (_without("LGE"), "the study has no LGE; all of bSSFP, LGE and T2w are needed"),
    "two missing": (
        _without("LGE", "T2w"),
        "the study has no LGE and T2w; all of bSSFP, LGE and T2w are needed",
    ),
    "an empty stack": (
        _with("T2w", Stack("T2w", [])),
        "the study has no T2w; all of bSSFP, LGE and T2w are needed",
    ),
    "above": (
        _with("T2w", stack("T2w", (200, 210, 220, 230))),
        (
            "T2w and bSSFP do not overlap in space: along their normal they are 170.0 mm apart; "
            "are they of the same study?"
        ),
    ),
    "aside": (
        _with("LGE", stack("LGE", TEN, shift=(0, 52))),
        (
            "LGE and bSSFP do not overlap in space: within their plane they are 12.0 mm apart; "
            "are they of the same study?"
        ),
    ),
    "aside, seen along the edges of the other": (
        # Turned by 45 degrees: the boxes of both along the edges of the reference overlap.
        _with("LGE", stack("LGE", TEN, rotation(0, 0, np.pi / 4), shift=(50, 0))),
        (
            "LGE and bSSFP do not overlap in space: within their plane they are 1.7 mm apart; "
            "are they of the same study?"
        ),
    ),
    "another view": (
        _with("LGE", stack("LGE", TEN, rotation(np.pi / 2, 0, 0))),
        (
            "LGE and bSSFP do not share an orientation: their slices are tilted by 90.0 degrees "
            "(at most 10 are allowed); give stacks of the same view"
        ),
    ),
    "a little too oblique": (
        _with("LGE", stack("LGE", TEN, rotation(np.radians(10.5), 0, 0))),
        (
            "LGE and bSSFP do not share an orientation: their slices are tilted by 10.5 degrees "
            "(at most 10 are allowed); give stacks of the same view"
        ),
    ),
    "two views in one stack": (
        study(TEN, TEN, TEN)
        | {
            "bSSFP": Stack(
                "bSSFP", [stack("", (0,)).slices[0], stack("", (0,), rotation(1, 0, 0)).slices[0]]
            )
        },
        (
            "the slices of bSSFP are tilted against each other (by 28.6 degrees from their mean, "
            "at most 10 are allowed); give one stack only"
        ),
    ),
    "interleaved": (
        study((0, 20), (10, 30), (0, 20)),
        (
            "no slice of bSSFP has a slice within 5 mm in each of LGE and T2w; "
            "give a larger bound if they show the same heart"
        ),
    ),
    "a place that is not a number": (
        _bent([[1, 0, 0], [0, 1, np.nan], [0, 0, 0]]),
        (
            "slice 4 of T2w has no place in space, its geometry is "
            "[[1.0, 0.0, 0.0], [0.0, 1.0, nan], [0.0, 0.0, 0.0]]; "
            "convert it anew from its DICOM series"
        ),
    ),
    "a plane without an area": (
        _bent([[1, 1, 0], [0, 0, 0], [0, 0, 0]]),
        (
            "slice 4 of T2w has no place in space, its geometry is "
            "[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]; "
            "convert it anew from its DICOM series"
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_study_that_cannot_be_matched_is_refused_in_one_sentence(name: str) -> None:
    stacks, sentence = REFUSED[name]
    with pytest.raises(SourceError) as caught:
        match(stacks)
    assert str(caught.value) == sentence


# --- laws ---------------------------------------------------------------------------------------

some_heights = st.lists(st.floats(-40, 40), min_size=1, max_size=5)
turns = st.tuples(*[st.floats(-3, 3)] * 3).map(lambda angles: rotation(*angles))


def matched(heights: Any, turn: Any = FLAT, bound: float = BOUND_MM) -> Matches | None:
    try:
        return match(study(*heights, turn=turn), bound)
    except SourceError:
        return None


@given(st.tuples(some_heights, some_heights, some_heights), turns)
def test_no_slice_is_used_twice_and_none_is_lost(heights: Any, turn: Any) -> None:
    found = matched(heights, turn)
    if found is None:
        return
    used = [(name, partner.index) for row in found.rows for name, partner in row.items()]
    everything = {(n, k) for n, h in zip(SEQUENCES, heights, strict=True) for k in range(len(h))}
    assert len({*used}) == len(used)
    assert {*used} | dropped(found) == everything
    assert len(used) + len(found.drops) == len(everything)
    assert all(p.distance_mm <= BOUND_MM for row in found.rows for p in row.values())
    assert len(to_tsv(found).splitlines()) == len(everything) + 1
    assert pickle.loads(pickle.dumps(found)) == found
    own = [heights[SEQUENCES.index(found.reference)][r[found.reference].index] for r in found.rows]
    steps = np.diff(own)
    assert (steps >= -1e-9).all() or (steps <= 1e-9).all()


def outcome(stacks: Any) -> Matches | str:
    try:
        return match(stacks)
    except SourceError as error:
        return str(error)


@given(st.tuples(some_heights, some_heights, some_heights), st.permutations(SEQUENCES))
def test_the_order_of_the_stacks_does_not_matter(heights: Any, order: list[str]) -> None:
    stacks = study(*heights)
    assert outcome({name: stacks[name] for name in order}) == outcome(stacks)


@given(some_heights, some_heights, st.sampled_from([2.0, 5.0, 30.0]))
def test_the_sum_of_distances_is_the_least(one: Any, other: Any, bound: float) -> None:
    few, many = sorted((one, other), key=len)
    found = matched((few, many, few), bound=bound)
    costs = np.minimum(np.abs(np.subtract.outer(few, many)), bound)
    orders = itertools.permutations(range(len(many)), len(few))
    least = min(costs[range(len(few)), order].sum() for order in orders)
    partners = [row["LGE"].distance_mm for row in found.rows] if found else []
    # A slice dropped for lack of a partner counts as the bound.
    assert sum(partners) + bound * (len(few) - len(partners)) == pytest.approx(least, abs=1e-2)


@given(
    st.tuples(*[st.lists(st.integers(-9, 9), min_size=1, max_size=5, unique=True)] * 3), st.data()
)
def test_the_order_of_slices_does_not_matter(heights: Any, data: Any) -> None:
    """Heights without ties, which may fall otherwise."""
    heights = tuple([h + 0.1 * np.sin(k + h * h) for h in row] for k, row in enumerate(heights))
    orders = [data.draw(st.permutations(range(len(row)))) for row in heights]
    shuffled = tuple([row[n] for n in order] for row, order in zip(heights, orders, strict=True))
    found, other = matched(heights), matched(shuffled)
    if found is None or other is None:
        assert found is other
        return
    back = {tuple(orders[n][k] for n, k in enumerate(row)) for row in indices(other)}
    assert back == {*indices(found)}
