"""Prostate158, CHAOS, MyoPS, the Whole Brain Atlas, IVDM3Seg: the source that springs each trap."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from conftest import RECORD, Make, run, save_volume, snapshot, volume
from PIL import Image
from test_traps import (
    changed,
    convert,
    participants,
    planned,
    record,
    rows,
    sidecar,
    translated,
)

import bidsify
from bidsify import datasets
from bidsify.demo import harvard, native

TRAIN = "prostate158_train"
CT, MR = "Train_Sets/CT/1", "Train_Sets/MR/1"
MYOPS = "train25/train25/myops_training_{}_{}.nii.gz"
GD = "train25_myops_gd/myops_training_{}_gd.nii.gz"
ORGANS = {63: 1, 126: 2, 189: 3, 252: 4}
WRAPPED = {500: 244, 600: 88, 1220: 196, 2221: 173}


# Prostate158


def nested(source: Path) -> None:
    """Give the folders that some archives unpack to."""
    for part in ("train", "test"):
        place = source / f"prostate158_{part}"
        shutil.move(place, source / "aside")
        shutil.move(source / "aside", place / place.name)


def older(source: Path) -> None:
    """Give the layout of an older copy: validation cases apart, and measures of agreement."""
    shutil.move(source / TRAIN / "train/020", source / TRAIN / "valid/020")
    native.save(source / TRAIN / "interrater.csv", "ID,dice\n24,0.8\n")
    for table in (source / TRAIN).glob("*.csv"):
        table.write_text(table.read_text().replace("train/020", "valid/020"))


@pytest.mark.parametrize("layout", [nested, older])
def test_prostate158_comes_in_several_layouts(
    layout: Callable[[Path], None], own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source("prostate158")
    layout(source)
    ran = convert(source, tmp_path / "out")
    assert ran.buckets["unclaimed"] == 0
    assert not [text for text in ran.warnings if "missing" in text]
    found, expected = snapshot(tmp_path / "out"), snapshot(tree("prostate158"))
    assert list(found) == list(expected)
    same = [path for path in found if path.endswith((".nii.gz", "participants.tsv"))]
    assert [path for path in same if found[path] != expected[path]] == []


def test_prostate158_cases_are_sorted_into_the_published_sets(tree: Make) -> None:
    found = participants(tree("prostate158"))
    assert {label: row["split"] for label, row in found.items()} == {
        "001": "test",
        "020": "valid",
        "024": "train",
        "025": "train",
    }


def test_prostate158_tables_write_case_024_as_24(own_source: Make, tmp_path: Path) -> None:
    source = own_source("prostate158")
    ran = convert(source, tmp_path / "one")
    assert not [text for text in ran.warnings if "have no files" in text or "left out" in text]
    table = source / TRAIN / "valid.csv"
    table.write_text(table.read_text() + "24,,,\n")
    ran = convert(source, tmp_path / "other")
    (said,) = [text for text in ran.warnings if "left out" in text]
    assert said == (
        "prostate158_train/valid.csv: other values of split are left out: "
        "sub-024 ('valid', elsewhere 'train')"
    )


@pytest.mark.parametrize(("case", "native_value"), [("024", 3), ("025", 1)])
def test_prostate158_lesions_are_3_or_1_and_become_1(
    case: str, native_value: int, source: Make, tree: Make
) -> None:
    folder = source("prostate158") / TRAIN / "train" / case
    for file, place, value in (
        ("t2_tumor_reader1", f"anat/sub-{case}_seg-tumorT2w_desc-reader1", native_value),
        ("adc_tumor_reader1", f"dwi/sub-{case}_seg-tumorADC_desc-reader1", 1),
    ):
        stored, _ = volume(folder / f"{file}.nii.gz")
        written, _ = volume(tree("prostate158") / f"sub-{case}/{place}_dseg.nii.gz")
        assert set(np.unique(stored)) == {0, value}
        assert np.array_equal(written, stored == value)
    for name in ("tumorT2w", "tumorADC"):
        table = rows(tree("prostate158") / f"seg-{name}_dseg.tsv")
        assert [(row["index"], row["source_value"]) for row in table] == [("0", "0"), ("1", "1,3")]


def test_prostate158_readers_and_images_are_never_merged(source: Make, tree: Make) -> None:
    made = planned(source("prostate158"), "prostate158")
    masks = {k: v[0] for k, v in made.items() if k.startswith("sub-001") and "dseg" in k}
    folder = "prostate158_test/test/001"
    assert masks == {
        "sub-001/anat/sub-001_seg-zones_desc-reader1_dseg.nii.gz": (
            f"{folder}/t2_anatomy_reader1.nii.gz"
        ),
        "sub-001/anat/sub-001_seg-zones_desc-reader2_dseg.nii.gz": (
            f"{folder}/t2_anatomy_reader2.nii.gz"
        ),
        "sub-001/anat/sub-001_seg-tumorT2w_desc-reader1_dseg.nii.gz": (
            f"{folder}/t2_tumor_reader1.nii.gz"
        ),
        "sub-001/dwi/sub-001_seg-tumorADC_desc-reader1_dseg.nii.gz": (
            f"{folder}/adc_tumor_reader1.nii.gz"
        ),
        "sub-001/dwi/sub-001_seg-tumorADC_desc-reader2_dseg.nii.gz": (
            f"{folder}/adc_tumor_reader2.nii.gz"
        ),
    }
    for target, path in masks.items():
        stored, image = volume(source("prostate158") / path)
        written, made_image = volume(tree("prostate158") / target)
        assert np.array_equal(written, stored != 0 if "tumor" in target else stored)
        assert made_image.get_data_dtype() == np.uint8
        assert ("reader2" in target and "ADC" in target) == (image.get_data_dtype() == np.float64)


def test_prostate158_an_empty_mask_is_a_negative(source: Make, tmp_path: Path) -> None:
    ran = convert(source("prostate158"), tmp_path / "out")
    assert not [text for text in ran.warnings if "missing" in text]
    found = participants(tmp_path / "out")
    assert {k: row["lesion"] for k, row in found.items()} == {
        "001": "present",
        "020": "none",
        "024": "present",
        "025": "present",
    }
    assert not list((tmp_path / "out/sub-020").rglob("*tumor*"))
    entry = record(tmp_path / "out")[f"{TRAIN}/train/020/empty.nii.gz"]
    assert (entry["bucket"], entry["targets"]) == ("ignored", [])
    assert "the case has no lesion" in entry["reason"]


def test_prostate158_files_that_contradict_say_nothing(own_source: Make, tmp_path: Path) -> None:
    """An empty mask beside masks of lesions: which reader is right is not ours to say."""
    source = own_source("prostate158") / TRAIN / "train"
    shutil.copyfile(source / "020/empty.nii.gz", source / "024/empty.nii.gz")
    convert(source.parent.parent, tmp_path / "out")
    assert participants(tmp_path / "out")["024"]["lesion"] == "n/a"


def test_prostate158_a_mask_that_is_not_empty_is_no_negative(
    own_source: Make, tmp_path: Path
) -> None:
    source = own_source("prostate158")
    path = source / TRAIN / "train/020/empty.nii.gz"
    changed(path, lambda values: np.where(np.arange(values.size).reshape(values.shape), values, 1))
    ran = convert(source, tmp_path / "out", code=1)
    (failure,) = ran.failures
    path = f"{TRAIN}/train/020/empty.nii.gz"
    assert failure.startswith(f"{path}: 1 voxels are marked in a mask that should be empty; ")
    assert participants(tmp_path / "out")["020"]["lesion"] == "n/a"
    assert record(tmp_path / "out")[f"{TRAIN}/train/020/empty.nii.gz"]["bucket"] == "failed"
    assert run("verify", source, tmp_path / "out").code == 1


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_prostate158_half_a_label_is_refused(kind: str, own_source: Make, tmp_path: Path) -> None:
    source = own_source("prostate158")
    path = source / TRAIN / "train/024/adc_tumor_reader1.nii.gz"
    changed(path, lambda values: np.where(values == 1, 0.5, values).astype(kind))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "train/024/adc_tumor_reader1.nii.gz: label values that are no whole numbers: [0.5]" in (
        failure
    )
    missing = set(planned(source, "prostate158")) - set(snapshot(tmp_path / "out"))
    assert missing == {"sub-024/dwi/sub-024_seg-tumorADC_desc-reader1_dseg.nii.gz"}


# CHAOS


def written(tree: Path, name: str) -> Any:
    """Return the values of an image of CHAOS by its place below the tree."""
    return volume(tree / f"{name}.nii.gz")[0]


def test_chaos_ct_and_mr_of_one_number_are_two_people(source: Make, tree: Make) -> None:
    made = planned(source("chaos"), "chaos")
    for subject, folder in (("CT01", "/CT/"), ("MR01", "/MR/")):
        paths = [p for k, v in made.items() if k.startswith(f"sub-{subject}/") for p in v]
        assert paths
        assert all(f"{folder}1/" in path for path in paths)
    found = participants(tree("chaos"))
    assert found["CT01"]["source_id"] == "Train_Sets/CT/1"
    assert found["MR01"]["source_id"] == "Train_Sets/MR/1"


def test_chaos_one_mask_serves_both_echoes(tree: Make) -> None:
    anat = tree("chaos") / "sub-MR01/anat"
    assert [path.name for path in sorted(anat.glob("*T1DUAL*.nii.gz"))] == [
        "sub-MR01_acq-T1DUAL_dseg.nii.gz",
        "sub-MR01_acq-T1DUAL_rec-inphase_T1w.nii.gz",
        "sub-MR01_acq-T1DUAL_rec-outphase_T1w.nii.gz",
    ]
    assert sidecar(anat / "sub-MR01_acq-T1DUAL_dseg.nii.gz")["Sources"] == [
        "bids::sub-MR01/anat/sub-MR01_acq-T1DUAL_rec-inphase_T1w.nii.gz"
    ]
    times = [
        sidecar(anat / f"sub-MR01_acq-T1DUAL_rec-{echo}_T1w.nii.gz")["EchoTime"]
        for echo in ("inphase", "outphase")
    ]
    assert times == [0.0046, 0.0023]


def shuffled(folder: Path) -> None:
    """Write the files of a folder again in another order, as a copy does."""
    contents = {path: path.read_bytes() for path in sorted(folder.iterdir(), reverse=True)}
    for path, content in contents.items():
        path.unlink()
        path.write_bytes(content)


def renumbered(folder: Path, start: str, kind: str, number: Callable[[int], str]) -> None:
    """Give the files of a folder other numbers; the order of their numbers stays."""
    for place, path in enumerate(sorted(folder.glob(f"{start}*{kind}"))):
        path.rename(path.with_name(f"{start}{number(place)}{kind}.new"))
    for path in folder.glob("*.new"):
        path.rename(path.with_suffix(""))


@pytest.mark.parametrize("digits", [1, 2, 5])
def test_chaos_masks_find_their_slices_by_name(
    digits: int, own_source: Make, tree: Make, tmp_path: Path
) -> None:
    """Neither the order in which files were made nor the number of their digits counts."""
    source = own_source("chaos")
    for echo in ("InPhase", "OutPhase"):
        shuffled(source / MR / "T1DUAL/DICOM_anon" / echo)
    inphase, ground = source / MR / "T1DUAL/DICOM_anon/InPhase", source / MR / "T1DUAL/Ground"
    for folder, kind in ((inphase, ".dcm"), (ground, ".png")):
        renumbered(folder, "IMG-0004-", kind, lambda place: f"{7 + place:0{digits}}")
        shuffled(folder)
    renumbered(source / CT / "Ground", "liver_GT_", ".png", lambda place: f"{place:0{digits}}")
    shuffled(source / CT / "Ground")
    convert(source, tmp_path / "out")
    for name in ("MR01/anat/sub-MR01_acq-T1DUAL", "CT01/ct/sub-CT01_acq-portal"):
        path = f"sub-{name}_dseg"
        assert np.array_equal(written(tmp_path / "out", path), written(tree("chaos"), path))


def test_chaos_ct_masks_follow_the_files_and_not_the_positions(source: Make, tree: Make) -> None:
    """The first file lies on top, and so does the first mask."""
    files = sorted((source("chaos") / CT / "DICOM_anon").iterdir())
    heights = [float(pydicom.dcmread(path).ImagePositionPatient[2]) for path in files]
    assert heights == sorted(heights, reverse=True)
    labels = written(tree("chaos"), "sub-CT01/ct/sub-CT01_acq-portal_dseg")
    affine = volume(tree("chaos") / "sub-CT01/ct/sub-CT01_acq-portal_dseg.nii.gz")[1].affine
    steps = np.diff(heights)
    assert affine[2, 2] == pytest.approx(-steps[0])  # positions, not SliceThickness
    for place, path in enumerate(sorted((source("chaos") / CT / "Ground").iterdir())):
        with Image.open(path) as picture:
            assert picture.mode == "1"
            shown = np.asarray(picture)
        assert np.array_equal(labels[:, :, labels.shape[2] - 1 - place], shown.T)


@pytest.mark.parametrize("order", [1, -1])
def test_chaos_mr_masks_lie_on_the_slices_of_their_names(
    order: int, own_source: Make, tmp_path: Path
) -> None:
    """Whatever the order of the names, upwards as in the release or downwards."""
    source = own_source("chaos")
    slices, ground = source / MR / "T2SPIR/DICOM_anon", source / MR / "T2SPIR/Ground"
    for folder, kind in ((slices, ".dcm"), (ground, ".png")):
        renumbered(folder, "IMG-0002-", kind, lambda place: str(50 + order * place))
    convert(source, tmp_path / "out", "--participant-label", "MR01")
    labels = written(tmp_path / "out", "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg")
    shown = written(tmp_path / "out", "sub-MR01/anat/sub-MR01_acq-T2SPIR_T2w")
    heights = {
        path.stem: float(pydicom.dcmread(path).ImagePositionPatient[2]) for path in slices.iterdir()
    }
    for level, stem in enumerate(sorted(heights, key=heights.__getitem__)):
        with Image.open(ground / f"{stem}.png") as picture:
            greys = np.asarray(picture)
        assert np.array_equal(labels[:, :, level], translated(ORGANS)(greys).T)
        pixels = pydicom.dcmread(slices / f"{stem}.dcm").pixel_array
        assert np.array_equal(shown[:, :, level], pixels.T)


def test_chaos_masks_of_another_name_than_any_slice_are_refused(
    own_source: Make, tmp_path: Path
) -> None:
    source = own_source("chaos")
    first = min((source / MR / "T2SPIR/Ground").iterdir())
    first.rename(first.with_name("IMG-0002-00099.png"))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "IMG-0002-00099.png: no slice of the same name in " in failure


@pytest.mark.parametrize(
    ("grey", "label"),
    [
        *((63, 1), (126, 2), (189, 3), (252, 4)),
        *((55, 1), (70, 1), (110, 2), (135, 2), (175, 3), (200, 3), (240, 4), (255, 4)),
    ],
)
def test_chaos_greys_stand_for_organs_within_bands(grey: int, label: int) -> None:
    assert mr_label(grey) == label


@pytest.mark.parametrize("grey", [1, 54, 71, 109, 136, 174, 201, 239])
def test_chaos_greys_outside_of_the_bands_stand_for_nothing(grey: int) -> None:
    assert mr_label(grey) is None


def mr_label(grey: int) -> int | None:
    """Return what a grey of the MR masks becomes."""
    (masks,) = [
        p
        for p in datasets.load("chaos").products
        if p.entities == {"acquisition": "T2SPIR"} and hasattr(p, "labels")
    ]
    found = [row.index for row in masks.labels.ranges(masks.coding) if row.low <= grey <= row.high]
    return found[0] if found else None


def repainted(folder: Path, table: dict[int, int]) -> None:
    """Change the greys of the masks in a folder."""
    for path in folder.iterdir():
        with Image.open(path) as picture:
            native.save(path, native.png(translated(table)(np.asarray(picture))))


@pytest.mark.parametrize("table", [{63: 55}, {63: 70}, {252: 255}, {252: 240}])
def test_chaos_greys_at_the_ends_of_a_band_are_taken(
    table: dict[int, int], own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source("chaos")
    repainted(source / MR / "T1DUAL/Ground", table)
    convert(source, tmp_path / "out", "--participant-label", "MR01")
    path = "sub-MR01/anat/sub-MR01_acq-T1DUAL_dseg"
    assert np.array_equal(written(tmp_path / "out", path), written(tree("chaos"), path))


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        ({63: 54}, "[54]", ""),
        ({63: 71}, "[71]", ""),
        ({63: 80, 126: 160, 189: 240, 252: 255}, "[80, 160]", "get the release of Zenodo"),
    ],
)
def test_chaos_greys_of_no_band_are_refused(
    table: dict[int, int], values: str, reason: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("chaos")
    repainted(source / MR / "T1DUAL/Ground", table)
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert f"voxel values without a row in the label table: {values}" in failure
    assert ("80, 160, 240, 255 is the coding of an early copy" in failure) == bool(reason)
    assert failure.endswith(reason)
    missing = set(planned(source, "chaos")) - set(snapshot(tmp_path / "out"))
    assert missing == {"sub-MR01/anat/sub-MR01_acq-T1DUAL_dseg.nii.gz"}


@pytest.mark.parametrize("value", [1, 255])
def test_chaos_ct_masks_may_be_grey(
    value: int, own_source: Make, tree: Make, tmp_path: Path
) -> None:
    """What is one bit in the release is 255 or 1 where others saved it again."""
    source = own_source("chaos")
    for path in (source / CT / "Ground").iterdir():
        with Image.open(path) as picture:
            native.save(path, native.png(np.asarray(picture).astype(np.uint8) * np.uint8(value)))
    convert(source, tmp_path / "out", "--participant-label", "CT01")
    path = "sub-CT01/ct/sub-CT01_acq-portal_dseg"
    assert np.array_equal(written(tmp_path / "out", path), written(tree("chaos"), path))
    assert written(tmp_path / "out", path).max() == 1


def test_chaos_an_empty_ct_mask_is_an_error(own_source: Make, tmp_path: Path) -> None:
    source = own_source("chaos")
    for path in (source / CT / "Ground").iterdir():
        with Image.open(path) as picture:
            native.save(path, native.png_mask(np.zeros_like(np.asarray(picture))))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "the segmentation is empty" in failure


def test_chaos_bogus_corners_are_told_and_kept(
    own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source("chaos")
    for path in (source / CT / "DICOM_anon").iterdir():
        slice_ = pydicom.dcmread(path)
        pixels = slice_.pixel_array.copy()
        pixels[0, :2] = 49944 - int(slice_.RescaleIntercept)
        slice_.PixelData = pixels.tobytes()
        slice_.save_as(path)
    ran = convert(source, tmp_path / "out")
    path = "sub-CT01/ct/sub-CT01_acq-portal_ct"
    values = written(tmp_path / "out", path)
    (said,) = [text for text in ran.warnings if "kept as they are" in text]
    count = 2 * values.shape[2]
    assert said == (
        f"{path}.nii.gz: {count} voxels outside of -2048 to 4095, such as 49944 at [0, 0, 0]; "
        "kept as they are"
    )
    assert (values[:2, 0] == 49944).all()
    values[:2, 0] = written(tree("chaos"), path)[:2, 0]
    assert np.array_equal(values, written(tree("chaos"), path))
    assert run("verify", source, tmp_path / "out").code == 0


def test_chaos_test_sets_have_no_masks(own_source: Make, tmp_path: Path) -> None:
    source = own_source("chaos")
    shutil.rmtree(source / "Train_Sets")
    ran = convert(source, tmp_path / "out")
    assert ran.warnings == ["1 subjects of the part 'Test' here, 40 in the publication"]
    assert not list((tmp_path / "out").rglob("*_dseg.nii.gz"))


def test_chaos_a_training_case_without_masks_is_a_remark(own_source: Make) -> None:
    source = own_source("chaos")
    shutil.rmtree(source / MR / "T2SPIR/Ground")
    remarks = [r.message for r in bidsify.plan(source).remarks if r.code == "MISSING"]
    assert len(remarks) == 1
    assert remarks[0].endswith("is missing for 1 of 2: sub-MR01")


# MyoPS 2020 and MyoPS++


def test_myops_a_copy_under_another_name_is_a_duplicate(own_source: Make, tmp_path: Path) -> None:
    source = own_source("myops2020")
    convert(source, tmp_path / "out")
    found = {k: v for k, v in record(tmp_path / "out").items() if v["bucket"] == "duplicate"}
    copy, original = MYOPS.format(103, "LGE"), MYOPS.format(103, "DE")
    assert {k: v["reason"] for k, v in found.items()} == {copy: f"same content as {original}"}
    changed(source / copy, lambda values: values[::-1])
    (failure,) = convert(source, tmp_path / "other", code=1).failures
    assert failure.startswith(f"{copy}: differs from {original}")
    missing = set(planned(source, "myops2020")) - set(snapshot(tmp_path / "other"))
    assert missing == {"sub-103/anat/sub-103_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz"}


def test_myops_lge_alone_is_taken(own_source: Make) -> None:
    source = own_source("myops2020")
    (source / MYOPS.format(101, "DE")).rename(source / MYOPS.format(101, "LGE"))
    plan = bidsify.plan(source)
    assert {remark.code for remark in plan.remarks} == {"SUBJECT_COUNT"}
    made = planned(source, "myops2020")
    target = "sub-101/anat/sub-101_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz"
    assert made[target] == (MYOPS.format(101, "LGE"),)


@pytest.mark.parametrize(("case", "kind"), [(101, "int16"), (102, "float32")])
def test_myops_values_up_to_2221_are_kept_in_16_bits(
    case: int, kind: str, source: Make, tree: Make
) -> None:
    stored, image = volume(source("myops2020") / GD.format(case))
    assert image.get_data_dtype() == np.dtype(kind)
    labels, made = volume(tree("myops2020") / f"sub-{case}/anat/sub-{case}_dseg.nii.gz")
    assert made.get_data_dtype() == np.int16
    assert set(np.unique(labels)) == {0, 200, 500, 600, 1220, 2221}
    assert np.array_equal(labels, stored)


@pytest.mark.parametrize("name", ["myops2020", "myopspp"])
def test_myops_a_copy_of_8_bits_is_refused_as_a_whole(
    name: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source(name)
    for path in source.rglob("*_gd.nii.gz"):
        changed(path, lambda values: translated(WRAPPED)(values).astype(np.uint8))
    ran = run("convert", source, tmp_path / "out")
    assert ran.code == 2
    assert "they are 500, 600, 1220 and 2221 wrapped around in 8 bits" in ran.error
    assert not (tmp_path / "out").exists()


def test_myops_one_mask_of_8_bits_fails_alone(own_source: Make, tmp_path: Path) -> None:
    source = own_source("myops2020")
    changed(source / GD.format(101), lambda values: translated(WRAPPED)(values).astype(np.uint8))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "[88, 173, 196, 244]" in failure
    assert "wrapped around in 8 bits" in failure
    missing = set(planned(source, "myops2020")) - set(snapshot(tmp_path / "out"))
    assert missing == {"sub-101/anat/sub-101_dseg.nii.gz"}


def test_myops_encrypted_labels_are_never_converted(source: Make, tmp_path: Path) -> None:
    ran = convert(source("myops2020"), tmp_path / "out")
    assert not [text for text in ran.warnings if "missing" in text]
    found = {k: v for k, v in record(tmp_path / "out").items() if "gdencrypt" in k}
    assert len(found) == 1
    for entry in found.values():
        assert (entry["bucket"], entry["targets"]) == ("ignored", [])
        assert "encrypted" in entry["reason"]
    assert not list((tmp_path / "out/sub-201").rglob("*_dseg*"))


def test_myopspp_centres_without_a_sequence_lack_nothing(source: Make) -> None:
    plan = bidsify.plan(source("myopspp"))
    assert {remark.code for remark in plan.remarks} == {"SUBJECT_COUNT"}
    made = planned(source("myopspp"), "myopspp")
    subjects = [target.split("/")[0] for target in made]
    assert {subject: subjects.count(subject) for subject in subjects} == {
        "sub-1001": 2,
        "sub-2001": 4,
        "sub-2002": 4,
        "sub-5001": 3,
    }


@pytest.mark.parametrize(
    ("center", "case", "sequence"),
    [
        *(("B", 2001, "T2"), ("B", 2001, "C0"), ("B", 2001, "LGE"), ("B", 2001, "gd")),
        *(("E", 5001, "C0"), ("A", 1001, "LGE")),
    ],
)
def test_myopspp_a_sequence_that_its_centre_has_is_missed(
    center: str, case: int, sequence: str, own_source: Make
) -> None:
    source = own_source("myopspp")
    (path,) = source.rglob(f"Center{center}/Case{case}/Case{case}_{sequence}.nii.gz")
    path.unlink()
    (remark,) = [r.message for r in bidsify.plan(source).remarks if r.code == "MISSING"]
    assert f"_{sequence}.nii" in remark
    assert remark.endswith(f": sub-{case}")


# The Whole Brain Atlas of Harvard


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return cases as on the site."""
    folder = tmp_path_factory.mktemp("site")
    harvard.cases(folder)
    return folder


def picture(path: Path) -> Any:
    """Return what a viewer shows: (row, column) or (row, column, colour)."""
    with Image.open(path) as shown:
        return np.asarray(shown)


def test_harvard_colours_stay_colours(source: Make, tree: Make) -> None:
    folder = source("harvard")
    for target, path in (
        ("sub-21/spect/sub-21_desc-stack_spect", "SPECT-MRI/SPECT/21007.png"),
        ("sub-PETMRI/pet/sub-PETMRI_trc-FDG_rec-axi_desc-stack_pet", "PET-MRI/PET/41003.png"),
    ):
        values, image = volume(tree("harvard") / f"{target}.nii.gz")
        assert values.ndim == 5
        assert values.shape[3:] == (1, 3)
        assert image.get_data_dtype() == np.uint8
        assert np.array_equal(values[:, :, 0, 0], picture(folder / path).transpose(1, 0, 2))
        assert (values[..., 0] != values[..., 1]).any()
    grey, _ = volume(tree("harvard") / "sub-21/anat/sub-21_acq-SPECT_desc-stack_mr.nii.gz")
    assert grey.ndim == 3


def test_harvard_a_black_picture_among_colours_is_a_colour(tmp_path: Path) -> None:
    colours = np.random.default_rng(4).integers(1, 255, (3, 6, 5, 3)).astype(np.uint8)
    colours[2] = 0  # nothing is taken up in the last slice
    for number, shown in enumerate(colours, start=1):
        native.save(tmp_path / f"in/cases/caseSLU/dg1/{number:03}.png", native.png_rgb(shown))
    convert(tmp_path / "in", tmp_path / "out")
    values, _ = volume(tmp_path / "out/sub-SLU/pet/sub-SLU_trc-FDG_rec-1_desc-stack_pet.nii.gz")
    assert np.array_equal(values[:, :, :, 0], colours.transpose(2, 1, 0, 3))


def test_harvard_prefixes_of_pet_mri_are_planes_of_one_person(source: Make) -> None:
    made = planned(source("harvard"), "harvard")
    whose = {k: v for k, v in made.items() if any(p.startswith("PET-MRI") for p in v)}
    assert {target.split("/")[0] for target in whose} == {"sub-PETMRI"}
    for prefix, plane in (("25", "cor"), ("30", "sag"), ("41", "axi")):
        for modality, target in (
            ("PET", f"pet/sub-PETMRI_trc-FDG_rec-{plane}_desc-stack_pet.nii.gz"),
            ("MRI", f"anat/sub-PETMRI_acq-{plane}_desc-stack_mr.nii.gz"),
        ):
            paths = whose.pop(f"sub-PETMRI/{target}")
            assert all(path.startswith(f"PET-MRI/{modality}/{prefix}") for path in paths)
    assert whose == {}


@pytest.mark.parametrize(("case", "task"), [("41", "CT-MRI"), ("25", "SPECT-MRI")])
def test_harvard_a_number_of_another_task_is_another_person(
    case: str, task: str, source: Make
) -> None:
    made = planned(source("harvard"), "harvard")
    paths = [path for k, v in made.items() if k.startswith(f"sub-{case}/") for path in v]
    assert paths
    assert all(path.startswith(f"{task}/") for path in paths)
    assert not [
        k for k, v in made.items() if "PETMRI" in k and any(p.startswith(f"{task}/") for p in v)
    ]


def test_harvard_case_21_is_one_person_in_two_tasks(source: Make, tree: Make) -> None:
    made = planned(source("harvard"), "harvard")
    assert {k: len(v) for k, v in made.items() if k.startswith("sub-21/")} == {
        "sub-21/ct/sub-21_desc-stack_ct.nii.gz": 3,
        "sub-21/anat/sub-21_desc-stack_mr.nii.gz": 3,
        "sub-21/spect/sub-21_desc-stack_spect.nii.gz": 6,
        "sub-21/anat/sub-21_acq-SPECT_desc-stack_mr.nii.gz": 6,
    }
    assert list(participants(tree("harvard"))).count("21") == 1


def test_harvard_no_size_is_invented_and_gaps_are_told(tree: Make) -> None:
    path = tree("harvard") / "sub-2/ct/sub-2_desc-stack_ct.nii.gz"
    values, image = volume(path)
    assert image.header.get_xyzt_units()[0] == "unknown"
    assert np.array_equal(np.abs(image.affine[:3, :3]).sum(axis=0), [1, 1, 1])
    assert sidecar(path)["SourceSliceNumbers"] == [4, 5, 6, 9]
    assert values.shape[2] == 4
    assert "not stated" in sidecar(path)["Description"]
    for each in tree("harvard").rglob("*.nii.gz"):
        assert volume(each)[1].header.get_xyzt_units()[0] == "unknown"
        assert len(sidecar(each)["SourceSliceNumbers"]) == volume(each)[0].shape[2]


def test_harvard_cases_as_on_the_site(site: Path, tmp_path: Path) -> None:
    ran = convert(site, tmp_path / "out")
    assert ran.buckets["unclaimed"] == 0
    made = planned(site, "harvard")
    assert {k: len(v) for k, v in made.items()} == {
        "sub-16/anat/sub-16_acq-1_desc-stack_mr.nii.gz": 4,
        "sub-16/ct/sub-16_acq-1_desc-stack_ct.nii.gz": 4,
        "sub-21/anat/sub-21_acq-1_desc-stack_mr.nii.gz": 4,
        "sub-21/spect/sub-21_acq-1_desc-stack_spect.nii.gz": 4,
        "sub-SLU/anat/sub-SLU_acq-1_desc-stack_mr.nii.gz": 3,
        "sub-SLU/pet/sub-SLU_trc-FDG_rec-1_desc-stack_pet.nii.gz": 3,
    }
    assert made["sub-16/anat/sub-16_acq-1_desc-stack_mr.nii.gz"][0] == "cases/case16/mr1/003.png"
    assert run("verify", site, tmp_path / "out").code == 0


def test_harvard_a_palette_of_greys_is_grey(site: Path, tmp_path: Path) -> None:
    convert(site, tmp_path / "out")
    values, _ = volume(tmp_path / "out/sub-21/anat/sub-21_acq-1_desc-stack_mr.nii.gz")
    assert values.ndim == 3
    for place, path in enumerate(sorted((site / "cases/case21/mr1").iterdir())):
        with Image.open(path) as shown:
            assert path.suffix == ".gif"
            assert np.array_equal(values[:, :, place], np.asarray(shown.convert("L")).T)


def test_harvard_a_palette_of_colours_gives_its_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(3).choice([0, 90, 255], (6, 5, 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colours).quantize(27).save(stream, "GIF")
    native.save(tmp_path / "in/cases/caseSLU/dg1/004.gif", stream.getvalue())
    shown = np.asarray(Image.open(io.BytesIO(stream.getvalue())).convert("RGB"))
    convert(tmp_path / "in", tmp_path / "out")
    values, _ = volume(tmp_path / "out/sub-SLU/pet/sub-SLU_trc-FDG_rec-1_desc-stack_pet.nii.gz")
    assert np.array_equal(values[:, :, 0, 0], shown.transpose(1, 0, 2))


@pytest.mark.parametrize("case", ["16", "case16"])
@pytest.mark.parametrize(
    ("folder", "target"),
    [
        ("CT", "ct/sub-16_desc-stack_ct.nii.gz"),
        ("MRI", "anat/sub-16_desc-stack_mr.nii.gz"),
        ("MR", "anat/sub-16_desc-stack_mr.nii.gz"),
        ("SPECT", "spect/sub-16_desc-stack_spect.nii.gz"),
        ("PET", "pet/sub-16_trc-FDG_desc-stack_pet.nii.gz"),
    ],
)
def test_harvard_folders_of_cases_with_plain_names(
    case: str, folder: str, target: str, source: Make, tmp_path: Path
) -> None:
    for number in ("003", "010"):
        content = (source("harvard") / "CT-MRI/CT/16003.png").read_bytes()
        native.save(tmp_path / f"{case}/{folder}/{number}.png", content)
    assert planned(tmp_path, "harvard") == {
        f"sub-16/{target}": tuple(f"{case}/{folder}/{n}.png" for n in ("003", "010"))
    }
    assert bidsify.detect(tmp_path).name == "harvard"


def split_again(source: Path) -> None:
    """Copy the pairs as MyDatasets has them: the last picture of each case is for testing."""
    for path in sorted(source.rglob("*.png")):
        task, modality = path.parts[-3:-1]
        part = "test" if path.stem.endswith(("5", "0")) else "train"
        copy = source / "MyDatasets" / task / part / modality / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def test_harvard_pairs_that_were_split_again_are_duplicates(
    own_source: Make, tree: Make, tmp_path: Path
) -> None:
    source = own_source("harvard")
    pictures = len(list(source.rglob("*.png")))
    split_again(source)
    native.save(source / "MyDatasets/PET-MRI/test/41101.jpg", b"stray")
    ran = convert(source, tmp_path / "out")
    assert ran.buckets["duplicate"] == pictures
    assert ran.buckets["ignored"] == 1
    copies = {k: v for k, v in record(tmp_path / "out").items() if v["bucket"] == "duplicate"}
    assert all(path.startswith("MyDatasets/") for path in copies)
    found, expected = snapshot(tmp_path / "out"), snapshot(tree("harvard"))
    assert {k for k in found if found[k] != expected.get(k)} <= {RECORD}


def test_harvard_a_copy_that_differs_is_an_error(own_source: Make, tmp_path: Path) -> None:
    source = own_source("harvard")
    split_again(source)
    copy = next((source / "MyDatasets/CT-MRI").rglob("CT/41010.png"))
    native.save(copy, native.png(255 - picture(copy)))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "CT/41010.png: differs from CT-MRI/CT/41010.png" in failure
    missing = set(planned(source, "harvard")) - set(snapshot(tmp_path / "out"))
    assert missing == {"sub-41/ct/sub-41_desc-stack_ct.nii.gz"}


def test_harvard_two_pictures_of_one_number_are_refused(own_source: Make, tmp_path: Path) -> None:
    source = own_source("harvard")
    (source / "CT-MRI/train").mkdir()
    shutil.copytree(source / "CT-MRI/CT", source / "CT-MRI/train/CT")
    ran = convert(source, tmp_path / "out", code=1)
    assert all("the same number as " in text for text in ran.failures)
    assert not list((tmp_path / "out").rglob("*_ct.nii.gz"))


@pytest.mark.parametrize("kind", ["animated", "transparent", "deep"])
def test_harvard_a_picture_that_would_lose_something_is_refused(
    kind: str, own_source: Make, tmp_path: Path
) -> None:
    source = own_source("harvard")
    path = min((source / "SPECT-MRI/SPECT").glob("*.png"))
    with Image.open(path) as picture:
        colours = picture.convert("RGB")
    if kind == "animated":
        colours.save(path, save_all=True, append_images=[colours.rotate(180)])
    elif kind == "transparent":
        colours.putalpha(128)
        colours.save(path)
    else:
        content = bytearray(path.read_bytes())
        content[24] = 16  # bit depth; the reader must refuse before it decodes
        path.write_bytes(content)
    ran = convert(source, tmp_path / "out", code=1)
    name = path.relative_to(source).as_posix()
    assert any(text.startswith(f"{name}: ") for text in ran.failures), ran.failures


def test_a_stated_table_cannot_ask_for_other_values(own_source: Make, tmp_path: Path) -> None:
    table = tmp_path / "labels.tsv"
    lines = ("index\tname\tsource_value", "0\tbackground\t0", "1\ta\t2", "2\tb\t1", "3\tc\t3")
    table.write_text("\n".join(lines))
    ran = run("convert", own_source("crossmoda2023"), tmp_path / "out", "--label-table", table)
    assert ran.code == 2
    assert "states other native values (source_value)" in ran.error


@pytest.mark.parametrize("kind", ["colours", "offset"])
def test_prostate158_an_empty_mask_must_be_numbers_and_zero(
    kind: str, own_source: Make, tmp_path: Path
) -> None:
    import nibabel as nib

    source = own_source("prostate158")
    path = source / TRAIN / "train/020/empty.nii.gz"
    image = nib.load(path)
    if kind == "colours":
        data = np.zeros(image.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
        path.write_bytes(native.gzipped(nib.Nifti1Image(data, image.affine).to_bytes()))
    else:
        made = nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine)
        made.header.set_slope_inter(1, 1)
        path.write_bytes(native.gzipped(made.to_bytes()))
    (failure,) = convert(source, tmp_path / "out", code=1).failures
    assert "empty.nii.gz: " in failure


# IVDM3Seg


def test_ivdm3seg_label_on_another_grid_is_kept_as_stored(own_source: Make, tmp_path: Path) -> None:
    """That of case 16 lies so; here that of case 01 does too."""
    source, out = own_source("ivdm3seg"), tmp_path / "out"
    for path in (source / "Training/01/01_Labels.nii", source / "label/01_Labels.nii"):
        data, image = volume(path)
        affine = image.affine.copy()
        affine[:3, 3] += 3
        save_volume(path, data, image, affine)
    ran = convert(source, out)
    for case, differs in (("01", True), ("02", False), ("16", True)):
        made = out / f"sub-{case}/anat/sub-{case}_acq-dixon_dseg.nii.gz"
        said = [text for text in ran.warnings if f"sub-{case}_acq-dixon_dseg" in text]
        assert any("grid differs" in text for text in said) == differs
        assert sidecar(made).get("GridDiffersFromSources", False) == differs
        data, image = volume(made)
        expected, before = volume(source / f"Training/{case}/{case}_Labels.nii")
        assert np.array_equal(data, expected)
        assert np.array_equal(image.affine, before.affine)
