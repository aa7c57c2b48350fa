"""The tables of numbers: their columns, their cells and their means."""

from __future__ import annotations

import json
import math

import pytest

from bidsify import text_files
from bidsify.preprocessing.summary import (
    COLUMNS,
    MEAN_COLUMNS,
    Row,
    Stages,
    definitions,
    mean,
    mean_definitions,
    means_to_tsv,
    to_tsv,
    written,
)


def row(
    subject: str = "1", sequence: str = "LGE", number: int = 0, dice: float | None = 0.9
) -> Row:
    return Row(
        subject,
        "n/a",
        sequence,
        number,
        number + 2,
        distance_mm=1.234,
        dice=Stages(0.5, 0.95, dice),
        hausdorff_mm=Stages(9.0, 3.0, math.inf),
        scar_dice=Stages(nonrigid=0.8),
        folds=0.0,
        method="masks, demons",
        masks="labels",
        dice_labels=0.91,
    )


def cells(content: bytes) -> list[dict[str, str]]:
    head, *lines = [line.split("\t") for line in content.decode().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_a_row_has_its_numbers() -> None:
    assert cells(to_tsv([row()])) == [
        {
            "participant_id": "1",
            "session_id": "n/a",
            "sequence": "LGE",
            "slice": "0",
            "source_slice": "2",
            "distance_mm": "1.23",
            "dice_before": "0.5000",
            "dice_affine": "0.9500",
            "dice_nonrigid": "0.9000",
            "hausdorff_mm_before": "9.00",
            "hausdorff_mm_affine": "3.00",
            "hausdorff_mm_nonrigid": "n/a",
            "scar_dice_before": "n/a",
            "scar_dice_affine": "n/a",
            "scar_dice_nonrigid": "0.8000",
            "dice_labels": "0.9100",
            "scar_dice_labels": "n/a",
            "folds": "0.000000",
            "method": "masks, demons",
            "masks": "labels",
        }
    ]


def test_rows_come_in_order_whatever_order_they_are_made_in() -> None:
    rows = [row(s, q, n) for s in ("2", "1") for q in ("T2w", "LGE") for n in (10, 2)]
    assert to_tsv(rows) == to_tsv(reversed(rows))
    found = [
        (each["participant_id"], each["sequence"], each["slice"]) for each in cells(to_tsv(rows))
    ]
    assert found[:3] == [("1", "LGE", "2"), ("1", "LGE", "10"), ("1", "T2w", "2")]


def test_means_leave_out_what_was_not_measured() -> None:
    rows = [row(dice=0.8), row("2", number=1, dice=None), row("2", "T2w", dice=0.9)]
    lge, t2w, both = cells(means_to_tsv(rows))
    assert [each["sequence"] for each in (lge, t2w, both)] == ["LGE", "T2w", "all"]
    assert [each["dice_nonrigid"] for each in (lge, t2w, both)] == ["0.8000", "0.9000", "0.8500"]
    assert [each["slices"] for each in (lge, t2w, both)] == ["2", "1", "3"]
    assert [each["subject_count"] for each in (lge, t2w, both)] == ["2", "1", "2"]
    assert both["hausdorff_mm_nonrigid"] == "n/a"


def test_nothing_registered_has_no_means() -> None:
    assert cells(to_tsv([])) == []
    (both,) = cells(means_to_tsv([]))
    assert both["slices"] == "0"
    assert both["dice_before"] == "n/a"


def test_each_column_is_explained() -> None:
    assert tuple(definitions()) == COLUMNS
    assert tuple(mean_definitions()) == MEAN_COLUMNS
    for each in (definitions(), mean_definitions()):
        assert all(entry["Description"].endswith(".") for entry in each.values())
        assert {name for name, entry in each.items() if entry.get("Units") == "mm"} == {
            name for name in each if "_mm" in name
        }
        assert json.loads(text_files.to_json(each)) == each


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\nb"])
def test_no_text_breaks_the_table(text: str) -> None:
    strange = Row(text, text, text, 0, 0, method=text, masks=text)
    assert len(cells(to_tsv([strange]))) == 1
    assert len(cells(means_to_tsv([strange]))) == 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([None], None), ([math.nan, 2.0, 4.0], 3.0), ([0.1] * 10, 0.1)],
)
def test_mean(values: list[float | None], expected: float | None) -> None:
    assert mean(values) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "n/a"), (math.nan, "n/a"), (-0.0, "0.00"), (2, "2.00")]
)
def test_written(value: float | None, expected: str) -> None:
    assert written(value, 2) == expected
