"""DICOM folders named by identifiers: the headers say what each series is."""

from __future__ import annotations

from typing import Any, cast

import pytest
from builders import Files, dicom, ramp, toy
from test_structures import SQUARE, placed, rtstruct

from bidsify.dataset import Series
from bidsify.recognition.series import named

SERIES = tuple(
    Series(source="{case}/*/*.dcm", modality=kind, description=text, name=name)
    for kind, text, name in (
        ("MR", "^t1", "{case}/t1/*"),
        ("MR", "^t2", "{case}/t2/*"),
        ("RTSTRUCT", "", "structures.dcm"),
    )
)
PLANE = ramp((4, 5))


def image(text: str, uid: str = "") -> bytes:
    tags = {"SeriesInstanceUID": uid} if uid else {}
    return dicom(PLANE, Modality="MR", SeriesDescription=text, **tags)


def drawing(*, without: tuple[str, ...] = ()) -> bytes:
    """Structures on the series 2.25.4."""
    return rtstruct([("TV", [placed(SQUARE)])], SeriesDescription="x", without=without)


def names(files: dict[str, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    found = named(toy(series=SERIES), cast("Any", Files(files)))
    return found.names, found.faults


def test_a_structure_set_goes_to_its_series_whatever_the_order() -> None:
    files = {
        "1/a/s.dcm": drawing(),
        "1/b/1.dcm": image("t1 axial", "2.25.3"),
        "1/c/1.dcm": image("t2 axial", "2.25.4"),
        "1/c/2.dcm": b"not opened",
        "1/d/1.dcm": image("scout", "2.25.2"),
    }
    assert names(files) == (
        {
            "1/a/s.dcm": "1/t2/structures.dcm",
            "1/b/1.dcm": "1/t1/1.dcm",
            "1/c/1.dcm": "1/t2/1.dcm",
            "1/c/2.dcm": "1/t2/2.dcm",
        },
        {},
    )


@pytest.mark.parametrize("uid", ["", "2.25.9"])
@pytest.mark.parametrize("without", [(), ("ReferencedFrameOfReferenceSequence",)])
def test_structures_of_no_series_that_is_there_are_refused(
    uid: str, without: tuple[str, ...]
) -> None:
    """A series without a number is not the one of structures that name none."""
    files = {"1/a/s.dcm": drawing(without=without), "1/b/1.dcm": image("t1", uid)}
    assert names(files) == (
        {"1/b/1.dcm": "1/t1/1.dcm"},
        {
            "1/a/s.dcm": "1/a/s.dcm: drawn on a series that is not in the source; complete the "
            "download"
        },
    )


def test_a_second_series_of_a_name_is_refused_and_the_first_kept() -> None:
    files = {"1/a/1.dcm": image("t1", "2.25.3"), "1/b/1.dcm": image("t1", "2.25.4")}
    assert names(files) == (
        {"1/a/1.dcm": "1/t1/1.dcm"},
        {"1/b/1.dcm": "1/b/1.dcm: a second series that would be 1/t1; keep one of them"},
    )
