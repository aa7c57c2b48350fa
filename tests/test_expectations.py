"""What is there is compared with what the publisher ships: remarks that name people and files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import toy

from bidsify.dataset import Naming
from bidsify.planning.expectations import describe
from bidsify.planning.plan import make_plan


def remarks(*paths: str, **changes: Any) -> dict[str, str]:
    found = make_plan(toy(**changes), paths).remarks
    return {remark.code: remark.message for remark in found}


def case(number: int, split: str = "", *kinds: str) -> list[str]:
    prefix = f"{split}/" if split else ""
    return [f"{prefix}{number}/{number}_{kind}.nii" for kind in kinds or ("fat", "water", "seg")]


def test_a_complete_source_needs_no_remark() -> None:
    assert remarks(*case(1), *case(2), subjects={"": 2}) == {}


@pytest.mark.parametrize(
    ("expected", "is_remarked"), [(None, False), (2, False), (3, True), (1, True)]
)
def test_the_number_of_subjects_is_compared(expected: int | None, *, is_remarked: bool) -> None:
    found = remarks(*case(1), *case(2), subjects={"": expected} if expected else {})
    if is_remarked:
        assert found == {"SUBJECT_COUNT": f"2 subjects here, {expected} in the publication"}
    else:
        assert found == {}


def test_what_is_missing_is_named_with_who_lacks_it() -> None:
    found = remarks(*case(1), *case(2, "", "fat", "water"), *case(3))
    assert list(found) == ["MISSING"]
    assert found["MISSING"].startswith(
        "segmentation ([{split}/]{case}/{case}_seg.nii[.gz]) is missi"
    )
    assert found["MISSING"].endswith("for 1 of 3: sub-02")


def test_what_the_publisher_does_not_ship_is_not_missing() -> None:
    assert remarks(*case(1, "train"), *case(2, "test", "fat", "water")) == {}
    assert "MISSING" in remarks(*case(1, "train"), *case(2, "train", "fat", "water"))


def test_products_of_other_people_are_not_missing() -> None:
    """Where two cohorts are named each in its own way, nobody lacks what the others have."""
    images = toy().products[:2]
    theirs = Naming(subject="x{case}", source_id="x{case}")
    other = replace(images[1], source=("more/{case}.nii",), naming=theirs)
    assert remarks("1/1_fat.nii", "more/2.nii", products=(images[0], other)) == {}


def test_many_names_are_cut_short() -> None:
    paths = [path for number in range(1, 10) for path in case(number, "", "fat", "water")]
    assert remarks(*paths, *case(10))["MISSING"].endswith(
        "for 9 of 10: sub-01, sub-02, sub-03, sub-04, sub-05 and 4 more"
    )


def test_unknown_files_and_archives_are_named() -> None:
    found = remarks(*case(1), "more.zip", "notes.txt", "x.tar.gz")
    assert found == {
        "ARCHIVE_INSIDE": "archives inside the source are not read: more.zip, x.tar.gz",
        "UNCLAIMED": "3 files that the declaration does not know: more.zip, notes.txt, x.tar.gz",
    }


def test_the_order_of_the_files_does_not_matter() -> None:
    paths = [*case(3, "", "fat"), *case(1), *case(2, "test", "fat"), "z.zip", "a.txt"]
    assert make_plan(toy(), paths).remarks == make_plan(toy(), paths[::-1]).remarks


def test_products_are_described_by_kind_name_and_pattern() -> None:
    texts = [describe(product) for product in toy().products]
    assert texts == [
        "image fat ([{split}/]{case}/{case}_fat.nii[.gz])",
        "image water ([{split}/]{case}/{case}_water.nii[.gz])",
        "segmentation ([{split}/]{case}/{case}_seg.nii[.gz])",
    ]
