"""Recoding is exactly what the table says, for each voxel and any type; nothing is guessed."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import ENDIANS, INTEGERS, arrays

from bidsify.conversion.recode import recode
from bidsify.dataset import Suspect
from bidsify.errors import SourceError
from bidsify.label_values import firsts
from bidsify.labels import Range
from bidsify.planning.jobs import Recode

IDENTITY = Recode(ranges=(Range(0, 0, 0), Range(1, 1, 1), Range(2, 2, 2)), dtype="uint8")
CHAOS = Recode(
    ranges=(Range(0, 0, 0), Range(55, 70, 1), Range(110, 135, 2), Range(240, 255, 4)),
    dtype="uint8",
)
MYOPS = Recode(
    ranges=(Range(0, 0, 0), Range(200, 200, 200), Range(1220, 1220, 1220), Range(2221, 2221, 2221)),
    dtype="int16",
)


@st.composite
def codings(draw: st.DrawFn) -> Recode:
    """Tables whose ranges do not overlap; some values below 128 have no row."""
    edges = sorted(draw(st.sets(st.integers(0, 127), min_size=2, max_size=8)))
    ranges = [
        Range(low, draw(st.integers(low, high - 1)), draw(st.integers(0, 32000)))
        for low, high in pairwise(edges)
    ]
    return Recode(ranges=tuple(ranges), dtype="int16")


@given(
    coding=codings(),
    dtype=st.sampled_from(INTEGERS),
    endian=st.sampled_from(ENDIANS),
    data=st.data(),
)
def test_each_voxel_becomes_what_the_table_says(
    coding: Recode, dtype: str, endian: str, data: Any
) -> None:
    known = [v for row in coding.ranges for v in range(row.low, row.high + 1)]
    values = data.draw(arrays(endian + dtype, st.sampled_from(known)))
    done = recode(values, coding, "x")
    assert done.dtype == np.int16
    assert done.shape == values.shape
    for place in np.ndindex(values.shape):
        assert done[place] == slowly(int(values[place]), coding)


@given(dtype=st.sampled_from(INTEGERS), endian=st.sampled_from(ENDIANS), data=st.data())
def test_a_value_without_a_row_is_refused_whatever_it_is(
    dtype: str, endian: str, data: Any
) -> None:
    values = data.draw(arrays(endian + dtype))
    unknown = {int(v) for v in values.ravel()} - {0, 1, 2}
    if not unknown:
        np.testing.assert_array_equal(recode(values, IDENTITY, "x"), values)
        return
    with pytest.raises(SourceError, match=r"^a/b\.nii: voxel values without a row") as caught:
        recode(values, IDENTITY, "a/b.nii")
    count = sum(int(v) in unknown for v in values.ravel())
    assert f"({count} voxels); repair the file, or add the rows" in str(caught.value)
    assert str(min(unknown)) in str(caught.value)


@given(values=arrays("f8", st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.9999999997671694, 1.0009])))
def test_floats_that_are_nearly_whole_are_rounded(values: Any) -> None:
    done = recode(values, IDENTITY, "x")
    assert done.dtype == np.uint8
    assert done.shape == values.shape
    assert done.ravel().tolist() == [round(v) for v in values.ravel().tolist()]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, r"0\.5"), (1.25, r"1\.25"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")],
)
def test_other_floats_are_refused(value: float, shown: str, dtype: str) -> None:
    values = np.array([[0, 1], [value, value]], dtype)
    with pytest.raises(
        SourceError,
        match=rf"^m\.nii: label values that are no whole numbers: \[{shown}[,\]].* "
        r"\(2 voxels\); was the segmentation resampled\?$",
    ):
        recode(values, IDENTITY, "m.nii")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-1, "-1"),
        (2221, "2221"),
        (1234567, "1234567"),
        (16777217, "16777217"),
        (2**53 + 1, str(2**53 + 1)),
        (-(2**63), str(-(2**63))),
    ],
)
def test_a_value_without_a_row_is_named_in_full(value: int, shown: str) -> None:
    with pytest.raises(SourceError, match=rf"in the label table: \[{shown}\] \(1 voxels\)"):
        recode(np.array([0, value]), IDENTITY, "x")


@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
@pytest.mark.parametrize("other", [0, 2**63 + 1])
def test_the_largest_unsigned_values_are_refused_not_wrapped(value: int, other: int) -> None:
    with pytest.raises(SourceError, match="voxel values without a row"):
        recode(np.array([value, other], "u8"), IDENTITY, "x")


@pytest.mark.parametrize("value", [1e19, 1e30, -1e300, 2.0**63, 2.0**53, -(2.0**53)])
def test_floats_beyond_the_integers_are_refused_by_their_value(value: float) -> None:
    with pytest.raises(SourceError, match=rf"^x: .*{re.escape(f'{value:g}')}"):
        recode(np.array([0.0, value]), IDENTITY, "x")


@pytest.mark.parametrize("dtype", ["c8", [("R", "u1"), ("G", "u1"), ("B", "u1")]])
def test_colours_and_complex_numbers_are_no_labels(dtype: Any) -> None:
    with pytest.raises(SourceError, match=r"^x\.nii: "):
        recode(np.zeros((2, 2), dtype), IDENTITY, "x.nii")


@pytest.mark.parametrize(("dtype", "low", "high"), [("i1", -128, 127), ("i2", -32768, 32767)])
def test_all_values_of_a_small_type_are_told_apart(dtype: str, low: int, high: int) -> None:
    """Their differences do not fit into the type."""
    coding = Recode(ranges=(Range(low, low, 1), Range(0, 0, 0), Range(high, high, 2)), dtype="u1")
    assert recode(np.array([low, 0, high], dtype), coding, "x").tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("values", "is_suspect"), [([0, 3], True), ([0, 9, 3], True), ([0, 4], False)]
)
def test_one_value_betrays_a_copy(values: list[int], *, is_suspect: bool) -> None:
    suspect = Suspect(values=(3, 9), unless=(), reason="the labels were renumbered")
    coding = Recode(ranges=IDENTITY.ranges, dtype="uint8", suspects=(suspect,))
    with pytest.raises(SourceError, match="voxel values without a row") as caught:
        recode(np.array(values), coding, "x")
    assert str(caught.value).endswith("; the labels were renumbered") is is_suspect


def test_2221_never_meets_eight_bits() -> None:
    values = np.array([0, 200, 1220, 2221], "uint16")
    done = recode(values, MYOPS, "x")
    assert done.dtype == np.int16
    assert done.tolist() == [0, 200, 1220, 2221]
    assert recode(values.astype("f4"), MYOPS, "x").tolist() == [0, 200, 1220, 2221]


def test_gray_values_become_indices_within_their_bands() -> None:
    values = np.array([0, 55, 63, 70, 110, 126, 135, 240, 252, 255], "u1")
    assert recode(values, CHAOS, "x").tolist() == [0, 1, 1, 1, 2, 2, 2, 4, 4, 4]


def test_many_unknown_values_are_cut_short() -> None:
    with pytest.raises(SourceError, match=r"\[3, 4, 5, 6, 7, 8, 9, 10, \.\.\.\] \(17 voxels\)"):
        recode(np.arange(20), IDENTITY, "x")


def test_values_far_apart_are_found_too() -> None:
    coding = Recode(ranges=(Range(0, 0, 0), Range(10**9, 10**9, 7)), dtype="uint8")
    assert recode(np.array([0, 10**9, 0]), coding, "x").tolist() == [0, 7, 0]
    with pytest.raises(SourceError, match=r"\[5, 999999999\] \(2 voxels\)"):
        recode(np.array([5, 10**9, 10**9 - 1]), coding, "x")


def test_yes_and_no_are_one_and_zero() -> None:
    assert recode(np.array([True, False]), IDENTITY, "x").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "is_refused"),
    [([0, 0], True), ([0, 1], False), ([10, 10], True), ([10, 0], True), ([1, 1], False)],
)
def test_an_empty_segmentation_is_refused_where_the_declaration_says_so(
    values: list[int], *, is_refused: bool
) -> None:
    ranges = (*IDENTITY.ranges, Range(10, 10, 0))
    assert recode(np.array(values), Recode(ranges=ranges, dtype="uint8"), "x").size == len(values)
    strict = Recode(ranges=ranges, dtype="uint8", may_be_empty=False)
    if is_refused:
        with pytest.raises(SourceError, match=r"^m: the segmentation is empty, .*the right file"):
            recode(np.array(values), strict, "m")
    else:
        recode(np.array(values), strict, "m")


def test_the_file_of_the_first_wrong_voxel_is_named() -> None:
    values = np.zeros((2, 3, 4), "u1")
    values[1, 2, 3] = 9
    values[0, 1, 2] = 9
    places: list[tuple[int, ...]] = []

    def name(place: tuple[int, ...]) -> str:
        places.append(place)
        return f"slice {place[2]}"

    with pytest.raises(SourceError, match=r"^slice 2: "):
        recode(values, IDENTITY, name)
    assert places == [(0, 1, 2)]


def test_the_source_is_left_alone() -> None:
    values = np.array([0, 1, 2], "u1")
    values.flags.writeable = False
    done = recode(values, IDENTITY, "x")
    assert not np.shares_memory(done, values) or done.flags.writeable is False
    assert values.tolist() == [0, 1, 2]


def test_what_fits_is_not_copied() -> None:
    values = np.asfortranarray(np.zeros((3, 4, 5), "u1"))
    assert recode(values, IDENTITY, "x") is values


@given(
    values=st.sampled_from(["u1", "i1", ">i2", "u4", "i8", "f4"]).flatmap(
        lambda dtype: hnp.arrays(
            dtype, hnp.array_shapes(max_dims=3, max_side=5), elements=st.integers(0, 3)
        )
    ),
    turned=st.booleans(),
)
def test_firsts_hold_each_value(values: Any, *, turned: bool) -> None:
    found = firsts(values.T if turned else values)
    assert set(found.tolist()) == set(values.ravel().tolist())
    assert len(found) <= values.size
    assert (found[1:] != found[:-1]).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_does_not_matter(order: Any) -> None:
    values = np.asarray(np.random.default_rng(0).choice([0, 63, 126, 252], (3, 4, 5)), order=order)
    done = recode(values[::-1, :, ::2], CHAOS, "x")
    for place in np.ndindex(done.shape):
        assert done[place] == slowly(int(values[::-1, :, ::2][place]), CHAOS)


def slowly(value: int, coding: Recode) -> int:
    """What a reader of the table would say."""
    (index,) = [row.index for row in coding.ranges if row.low <= value <= row.high]
    return index
