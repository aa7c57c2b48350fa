"""Markups of 3D Slicer: points in RAS+ mm, or a sentence that says what is wrong where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import markup
from hypothesis import given
from hypothesis import strategies as st

from bidsify.errors import SourceError
from bidsify.readers.markups import read

finite = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)


@given(st.lists(st.tuples(finite, finite, finite), max_size=5))
def test_points_come_in_order_in_ras(points: list[tuple[float, float, float]]) -> None:
    assert read(markup(points, coordinateSystem="RAS"), "x") == points
    assert read(markup(points, coordinateSystem="LPS"), "x") == [(-x, -y, z) for x, y, z in points]


@pytest.mark.parametrize(
    ("system", "wanted"),
    [
        *(("LPS", (-1, -2, 3)), (1, (-1, -2, 3)), ("1", (-1, -2, 3))),
        *(("RAS", (1, 2, 3)), (0, (1, 2, 3)), ("0", (1, 2, 3))),
    ],
)
def test_systems_of_coordinates(system: object, wanted: tuple[float, ...]) -> None:
    assert read(markup([(1, 2, 3)], coordinateSystem=system), "x") == [wanted]


def test_without_a_statement_it_is_lps_in_mm() -> None:
    assert read(markup([(1, 2, 3)]), "x") == [(-1, -2, 3)]
    assert read(markup([(1, 2, 3)], coordinateUnits="mm"), "x") == [(-1, -2, 3)]


def test_no_zero_is_negative() -> None:
    assert str(read(markup([(0, 0.0, 0)]), "x")) == "[(0.0, 0.0, 0.0)]"


@pytest.mark.parametrize(
    "fields",
    [
        {"coordinateSystem": "LAS"},
        {"coordinateSystem": "2"},
        {"coordinateSystem": None},
        {"coordinateSystem": ["LPS"]},
        {"coordinateSystem": True},
        {"coordinateUnits": "um"},
        {"coordinateUnits": None},
        {"coordinateUnits": ["mm"]},
    ],
)
def test_other_systems_and_units_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(
        SourceError, match=r"^a/x: coordinates are stated as .*; expected LPS or RAS in mm$"
    ):
        read(markup([(1, 2, 3)], **fields), "a/x")


@pytest.mark.parametrize(
    "position",
    [
        *("[1, 2]", "[1, 2, 3, 4]", '["1", 2, 3]', "[null, 2, 3]", "[NaN, 2, 3]"),
        *("[Infinity, 2, 3]", "[1e999, 2, 3]", "[true, 2, 3]", '"1 2 3"', "{}", "null"),
        *("[[1], 2, 3]", "[" + "9" * 400 + ", 2, 3]"),
    ],
)
def test_a_point_without_three_numbers_is_named(position: str) -> None:
    points = f'[{{"position": [1, 2, 3]}}, {{"position": {position}}}]'
    content = f'{{"markups": [{{"controlPoints": {points}}}]}}'
    with pytest.raises(
        SourceError, match=r"^a/x: control point 1 has no defined position of three numbers$"
    ):
        read(content.encode(), "a/x")


@pytest.mark.parametrize("entry", [None, 7, "x", [1, 2, 3], {}, {"positionStatus": "defined"}])
def test_a_point_that_is_none_is_named(entry: object) -> None:
    content = json.dumps({"markups": [{"controlPoints": [entry]}]}).encode()
    with pytest.raises(SourceError, match=r"^a/x: control point 0 has no defined position"):
        read(content, "a/x")


@pytest.mark.parametrize("status", ["undefined", "preview", "missing", None])
def test_a_point_that_is_not_set_is_refused(status: str | None) -> None:
    points = [{"position": [1, 2, 3], "positionStatus": status}]
    content = json.dumps({"markups": [{"controlPoints": points}]}).encode()
    with pytest.raises(SourceError, match=r"^a/x: control point 0 has no defined position"):
        read(content, "a/x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\xfa",
        b"{'markups': []}",
        b"not json",
        b'{"markups": [' + b"[" * 200_000,
    ],
)
def test_broken_json_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a/x: not readable JSON \(.*\); download it again$"):
        read(content, "a/x")


@pytest.mark.parametrize(
    "document",
    [7, [], None, {}, {"markups": []}, {"markups": {}}, {"markups": [7]}, {"markups": [{}, {}]}],
)
def test_other_documents_are_refused(document: object) -> None:
    with pytest.raises(SourceError, match=r"^a/x: not a 3D Slicer markups file with one list"):
        read(json.dumps(document).encode(), "a/x")


@pytest.mark.parametrize("points", [None, 7, {}, "x"])
def test_a_markup_without_a_list_is_refused(points: object) -> None:
    content = json.dumps({"markups": [{"controlPoints": points}]}).encode()
    with pytest.raises(SourceError, match=r"^a/x: has no list of control points$"):
        read(content, "a/x")


def test_an_empty_list_holds_no_points() -> None:
    assert read(markup([]), "x") == []
