"""Which picture belongs to which slice: a missing file must never shift all that follow."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from conftest import Make, run

from bidsify.dataset import Image, Segmentation
from bidsify.labels import LabelTable
from bidsify.naming import Person
from bidsify.planning.jobs import Failure
from bidsify.planning.pairing import pair
from bidsify.planning.view import Found, View

IMAGE = Image(name="ct", source=("*.dcm",), suffix="ct", reader="dicom")
MASKS = Segmentation(
    source=("*.png",), of=("ct",), reader="png", pairing="rank", labels=LabelTable((), ())
)
CHAOS_CT = "Train_Sets/CT/1"


def paired(slices: list[str], pictures: list[str]) -> object:
    """Return the pairs as a dictionary, or the message of the failure."""
    view = View(Person("1", None, "1", None, "sub-1", "sub-1"))
    view.found.append(Found(IMAGE, "ct.nii.gz", tuple(slices), ()))
    made = pair(Found(MASKS, "dseg.nii.gz", tuple(pictures), ()), MASKS, view)
    if isinstance(made, Failure):
        assert made.sources == tuple(pictures)
        return made.message
    pictures_of, slices_of, _ = made
    return dict(zip(pictures_of, slices_of, strict=True))


def names(pattern: str, numbers: range) -> list[str]:
    return [pattern % number for number in numbers]


@pytest.mark.parametrize(
    ("slices", "pictures"),
    [
        (names("i%04d,0000b.dcm", range(78)), names("liver_GT_%03d.png", range(78))),
        (names("IMG-0004-%05d.dcm", range(1, 9)), names("liver_GT_%03d.png", range(8))),
        (names("IMG-0004-%05d.dcm", range(1, 9)), names("liver_GT_%03d.png", range(1, 9))),
        (["one.dcm"], ["mask.png"]),
    ],
)
def test_numbers_without_gaps_are_paired_by_rank(slices: list[str], pictures: list[str]) -> None:
    assert paired(slices, pictures) == dict(zip(pictures, slices, strict=True))


@pytest.mark.parametrize("missing", [1, 5, 7])
def test_a_gap_in_both_is_no_pairing(missing: int) -> None:
    """As many slices as pictures, but another one of each is missing."""
    slices = [n for n in names("i%04d.dcm", range(9)) if n != f"i{missing:04}.dcm"]
    pictures = [n for n in names("GT_%03d.png", range(9)) if n != "GT_003.png"]
    assert "the number before it is missing; complete the download" in str(paired(slices, pictures))


def test_another_start_is_no_pairing() -> None:
    message = paired(names("i%d.dcm", range(8)), names("GT_%d.png", range(1, 9)))
    assert message == "GT_1.png: pictures count from 1, slices from 0; is one missing?"


def test_the_first_slice_and_the_last_picture_missing_shift_nothing(
    own_source: Make, tmp_path: Path
) -> None:
    """Names alone cannot tell; the instance numbers of the slices do."""
    source = own_source("chaos")
    first = min((source / CHAOS_CT / "DICOM_anon").iterdir())
    first.unlink()
    max((source / CHAOS_CT / "Ground").iterdir()).unlink()
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 1
    assert "instance 2 where 1 is expected; one is missing" in ran.err
    assert not list((tmp_path / "out/sub-CT01").rglob("*_dseg.nii.gz"))
    assert list((tmp_path / "out/sub-CT02").rglob("*_dseg.nii.gz"))


def test_masks_of_shuffled_slices_are_not_placed(own_source: Make, tmp_path: Path) -> None:
    source = own_source("chaos")
    one, other, *_ = sorted((source / CHAOS_CT / "DICOM_anon").iterdir())
    one.rename(one.with_suffix(".x"))
    other.rename(one)
    one.with_suffix(".x").rename(other)
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 1
    assert "the file names are not in the order of the positions" in ran.err
    images = list((tmp_path / "out/sub-CT01/ct").glob("*_ct.nii.gz"))
    assert len(images) == 1  # the image itself lies where its tags say


def test_a_picture_without_series_names_the_remedy() -> None:
    view = View(Person("1", None, "1", None, "sub-1", "sub-1"))
    made = pair(Found(MASKS, "dseg.nii.gz", ("a/1.png",), ()), MASKS, view)
    assert isinstance(made, Failure)
    assert made.message == "a: masks without the DICOM series that gives their geometry; add it"


def test_without_instance_numbers_another_start_is_no_pairing(
    own_source: Make, tmp_path: Path
) -> None:
    """Nothing is left that could tell whether the first slice is missing."""
    source = own_source("chaos")
    slices = sorted((source / CHAOS_CT / "DICOM_anon").iterdir())
    for path in slices:
        dataset = pydicom.dcmread(path)
        del dataset.InstanceNumber
        dataset.save_as(path)
    whole = run("convert", source, tmp_path / "whole")
    assert whole.code == 0, whole.err
    slices[0].unlink()
    max((source / CHAOS_CT / "Ground").iterdir()).unlink()
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 1
    assert "instance None where 1 is expected; one is missing" in ran.err
    assert list((tmp_path / "out/sub-CT01/ct").glob("*_ct.nii.gz"))


def test_an_odd_instance_number_costs_no_image(own_source: Make, tmp_path: Path) -> None:
    source = own_source("chaos")
    path = min((source / CHAOS_CT / "DICOM_anon").iterdir())
    dataset = pydicom.dcmread(path)
    dataset.InstanceNumber = [1, 2]
    dataset.save_as(path)
    ran = run("convert", source, tmp_path / "out")
    assert "defect" not in ran.err
    assert list((tmp_path / "out/sub-CT01/ct").glob("*_ct.nii.gz"))
