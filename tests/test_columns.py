"""Columns of tables: presence, order, values, and what a sidecar may say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bids_trees import BOLD, Content, codes_at, raw, write

import bidsify

TABLE, SIDECAR = "participants.tsv", "participants.json"


def said(tmp_path: Path, table: str, sidecar: Content | None = None) -> set[str]:
    files = raw() | {TABLE: table} | ({SIDECAR: sidecar} if sidecar is not None else {})
    return codes_at(write(tmp_path / "ds", files), TABLE)


def one(values: str, name: str = "age") -> str:
    return f"participant_id\t{name}\nsub-01\t{values}\n"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (one("20"), set()),
        (one("20.5"), set()),
        (one("n/a"), set()),
        (one("twenty"), {"TSV_VALUE_INCORRECT_TYPE"}),
        (one("N/A"), {"TSV_VALUE_INCORRECT_TYPE"}),
        (one(""), {"TSV_VALUE_INCORRECT_TYPE"}),
        (one("90"), {"AGE_89", "TSV_VALUE_INCORRECT_TYPE"}),
        (one("89+"), {"TSV_PSEUDO_AGE_DEPRECATED"}),
        (one("89+") + "sub-01\tx\n", {
            "TSV_VALUE_INCORRECT_TYPE", "TSV_PSEUDO_AGE_DEPRECATED", "TSV_INDEX_VALUE_NOT_UNIQUE",
            "PARTICIPANT_ID_MISMATCH",
        }),
        (one("x") + "sub-01\t89+\n", {
            "TSV_VALUE_INCORRECT_TYPE", "TSV_INDEX_VALUE_NOT_UNIQUE", "PARTICIPANT_ID_MISMATCH",
        }),
        (one("male", "sex"), set()),
        (one("x", "sex"), {"TSV_VALUE_INCORRECT_TYPE"}),
        (one("x", "mine"), {"TSV_ADDITIONAL_COLUMNS_UNDEFINED"}),
        ("age\tparticipant_id\n20\tsub-01\n", {"TSV_COLUMN_ORDER_INCORRECT"}),
        ("age\n20\n", {"TSV_COLUMN_MISSING", "PARTICIPANT_ID_MISMATCH"}),
        ("participant_id\nsub-01\nsub-01\n", {
            "TSV_INDEX_VALUE_NOT_UNIQUE", "PARTICIPANT_ID_MISMATCH",
        }),
        ("participant_id\nsub-02\n", {"PARTICIPANT_ID_MISMATCH"}),
        ("participant_id\n01\n", {"TSV_VALUE_INCORRECT_TYPE", "PARTICIPANT_ID_MISMATCH"}),
    ],
)  # fmt: skip
def test_values_and_order(tmp_path: Path, table: str, expected: set[str]) -> None:
    assert said(tmp_path, table) == expected


def test_a_first_column_that_is_missing_is_told_once(tmp_path: Path) -> None:
    files = raw() | {TABLE: "age\n20\n"}
    report = bidsify.validate(write(tmp_path, files))
    (found,) = [each for each in report.issues() if each.code == "TSV_COLUMN_MISSING"]
    assert (found.path, found.where) == (TABLE, "participant_id")
    assert found.message.endswith("should be column 1")


@pytest.mark.parametrize(
    ("definition", "value", "expected"),
    [
        ({"Description": "mine"}, "x", set()),
        ({"Levels": {"a": "A"}}, "a", set()),
        ({"Levels": {"a": "A"}}, "b", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({"Levels": {"a": "A"}}, "n/a", set()),
        ({"Units": "mm"}, "5", set()),
        ({"Units": "mm"}, "five", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({"Format": "integer"}, "5.5", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({"Format": "integer"}, "5", set()),
        ({"Units": "mm", "Maximum": 4}, "5", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({"Units": "mm", "Minimum": 4}, "5", set()),
        ({"Units": "mm", "Maximum": "4"}, "5", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({"Maximum": None}, "5", {"TSV_VALUE_INCORRECT_TYPE"}),
        ({}, "x", set()),
        ([], "x", set()),
        ("", "x", {"TSV_ADDITIONAL_COLUMNS_UNDEFINED"}),
        (None, "x", {"TSV_ADDITIONAL_COLUMNS_UNDEFINED"}),
        (0, "x", {"TSV_ADDITIONAL_COLUMNS_UNDEFINED"}),
    ],
)
def test_a_sidecar_describes_a_column(
    tmp_path: Path, definition: Any, value: str, expected: set[str]
) -> None:
    assert said(tmp_path, one(value, "mine"), {"mine": definition}) == expected


@pytest.mark.parametrize(
    ("definition", "is_redefined"),
    [
        ({"Description": "how long", "Units": "s"}, False),
        ({"Units": "ms"}, True),
        ({"Format": "string"}, True),
        ({"Format": "integer"}, False),
        ({"Format": "number", "Minimum": 1}, False),
        ({"Format": "number", "Minimum": -1}, True),
        ({"Format": "number", "Minimum": "x"}, False),
    ],
)
def test_a_sidecar_may_only_narrow_what_bids_says(
    tmp_path: Path, definition: Any, *, is_redefined: bool
) -> None:
    events = BOLD.replace("bold.nii.gz", "events.tsv"), BOLD.replace("bold.nii.gz", "events.json")
    table = "onset\tduration\n1\t2\n"
    files = raw() | {events[0]: table, events[1]: {"duration": definition}}
    found = codes_at(write(tmp_path / "ds", files), events[1])
    assert ("TSV_COLUMN_TYPE_REDEFINED" in found) is is_redefined


ODD = [1, -1.5, "x", "", True, None, [], ["a"], [1], {}, {"a": 1}, {"20": {}}, 1e300, 10**30]


@pytest.mark.parametrize("key", ["Levels", "Units", "Maximum", "Minimum", "Format", "Delimiter"])
def test_odd_definitions_break_nothing(tmp_path: Path, key: str) -> None:
    names = [f"c{i}" for i in range(len(ODD))]
    table = "\t".join(["participant_id", *names]) + "\n" + "\t".join(["sub-01", *["20"] * len(ODD)])
    sidecar = {name: {key: value} for name, value in zip(names, ODD, strict=True)}
    assert said(tmp_path, table, sidecar) <= {"TSV_VALUE_INCORRECT_TYPE"}
    for value in ODD:
        found = said(tmp_path, one("20"), {"age": {key: value}})
        assert found <= {"TSV_VALUE_INCORRECT_TYPE", "AGE_UNITS"}
