"""Cases: the segmentations of any BIDS tree, and the images on their grids."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import Make

from bidsify.cases.case import Case, Cases
from bidsify.cases.find import find_cases
from bidsify.cases.values import read_image, read_labels
from bidsify.errors import SourceError, UsageError
from bidsify.readers.nifti import Place
from bidsify.readers.places import same_grid
from bidsify.validation.checks.geometry import TOLERANCE, distance

SHAPE = (4, 5, 3)


def image(
    root: Path,
    path: str,
    *,
    shape: tuple[int, ...] = SHAPE,
    origin: float = 0.0,
    value: float = 1,
    dtype: str = "int16",
) -> Path:
    """Write a constant image of 1 mm voxels."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    affine = np.eye(4)
    affine[0, 3] = origin
    nib.save(nib.Nifti1Image(np.full(shape, value, dtype), affine), target)
    return target


def only(found: Cases) -> Case:
    (case,) = found.cases
    return case


@pytest.mark.parametrize(
    ("name", "case", "contrasts", "others"),
    [
        ("brats2021", "sub-00000_space-SRI24", "FLAIR T1w T2w ce-gadolinium_T1w", ""),
        ("brats2021", "sub-00001", "FLAIR T1w T2w ce-gadolinium_T1w", ""),
        ("myops380", "sub-0001", "acq-LGE_ce-gadolinium_T1w acq-T2w_T2w acq-bSSFP_T2w", ""),
        (
            "chaos",
            "sub-MR01_acq-T1DUAL",
            "acq-T1DUAL_rec-inphase_T1w acq-T1DUAL_rec-outphase_T1w",
            "acq-T2SPIR_T2w",
        ),
        ("chaos", "sub-CT03", "acq-portal_ct", ""),
        ("prostate158", "sub-001_seg-tumorADC_desc-reader2", "ADC T2w trace", ""),
        ("vsseg", "sub-001", "ce-gadolinium_T1w", "acq-hr_T2w"),
        ("vsseg", "sub-001_acq-hr", "acq-hr_T2w", "ce-gadolinium_T1w"),
        (
            "ssmspine",
            "sub-p001_ses-aug001",
            "desc-corrected_T2w desc-equalized_T2w desc-orig_T2w",
            "",
        ),
    ],
)
def test_our_trees(tree: Make, name: str, case: str, contrasts: str, others: str) -> None:
    root = tree(name)
    found = find_cases(root)
    assert found.faults == {}
    assert [each.name for each in found.cases] == sorted({each.name for each in found.cases})
    (one,) = (each for each in found.cases if each.name == case)
    assert " ".join(one.images) == contrasts
    assert " ".join(one.others) == others
    for path in (*one.images.values(), *one.others.values()):
        assert (root / path).is_file()


def test_tables_and_regions(tree: Make) -> None:
    found = find_cases(tree("brats2021"))
    assert found.regions == {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
    tables = {each.table for each in found.cases if each.segmentation}
    assert tables == {"dseg.tsv"} == set(found.tables)
    kinds = {each.table for each in find_cases(tree("prostate158")).cases}
    assert kinds == {f"seg-{each}_dseg.tsv" for each in ("tumorADC", "tumorT2w", "zones")}


def test_processes_find_the_same(tree: Make) -> None:
    assert find_cases(tree("chaos"), workers=2) == find_cases(tree("chaos"))


def test_foreign_tree_without_tables(tmp_path: Path) -> None:
    image(tmp_path, "sub-a/ses-1/anat/sub-a_ses-1_T1w.nii")
    image(tmp_path, "sub-a/ses-1/anat/sub-a_ses-1_label-x_dseg.nii")
    image(tmp_path, "sub-a/ses-2/anat/sub-a_ses-2_T1w.nii.gz")
    image(tmp_path, "derivatives/x/sub-b/anat/sub-b_dseg.nii.gz")
    image(tmp_path, "tpl-MNI_dseg.nii.gz")
    found = find_cases(tmp_path)
    assert (found.faults, found.tables, found.regions) == ({}, {}, {})
    first, second = found.cases
    assert (first.name, first.session, first.table) == ("sub-a_ses-1_label-x", "1", None)
    assert first.images == {"T1w": "sub-a/ses-1/anat/sub-a_ses-1_T1w.nii"}
    assert (second.name, second.segmentation) == ("sub-a_ses-2", None)


def test_grids_decide(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_dseg.nii.gz")
    image(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz", origin=0.09)
    image(tmp_path, "sub-1/anat/sub-1_T2w.nii.gz", origin=0.11)
    image(tmp_path, "sub-1/anat/sub-1_PDw.nii.gz", shape=(4, 5, 4))
    image(tmp_path, "sub-1/func/sub-1_bold.nii.gz", shape=(*SHAPE, 2))
    image(tmp_path, "sub-1/anat/sub-1_FLAIR.nii.gz", shape=(*SHAPE, 1))
    image(tmp_path, "sub-1/anat/sub-1_mask.nii.gz")
    case = only(find_cases(tmp_path))
    assert [*case.images] == ["FLAIR", "T1w"]
    assert [*case.others] == ["PDw", "T2w"]
    assert (case.series, case.volumes) == ({"bold": "sub-1/func/sub-1_bold.nii.gz"}, {"bold": 2})


@pytest.mark.parametrize(
    ("origin", "turn", "shape"),
    [(0.09, 0, SHAPE), (0.11, 0, SHAPE), (0, 0.02, SHAPE), (0, 0.04, SHAPE), (0, 0, (*SHAPE, 2))],
)
def test_one_grid_is_what_validation_calls_one(
    origin: float, turn: float, shape: tuple[int, ...]
) -> None:
    affine = np.eye(4)
    affine[0, 3], affine[1, 0] = origin, turn
    rows = tuple(tuple(map(float, row)) for row in affine[:3]), tuple(map(tuple, np.eye(4)[:3]))
    valid = distance(SHAPE, *rows) <= TOLERANCE
    assert same_grid(Place(SHAPE, np.eye(4)), Place(shape, affine)) == valid


def test_a_film_beside_a_still_segmentation_alone(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz")
    image(tmp_path, "sub-1/anat/sub-1_T2w.nii.gz")
    image(tmp_path, "sub-1/func/sub-1_bold.nii.gz", shape=(*SHAPE, 2))
    case = only(find_cases(tmp_path))
    assert ([*case.images], [*case.series], case.others) == (["T1w", "T2w"], ["bold"], {})


def test_runs_keep_to_their_own(tmp_path: Path) -> None:
    for run in (1, 2):
        for suffix in ("T1w", "dseg"):
            image(tmp_path, f"sub-1/anat/sub-1_run-{run}_{suffix}.nii.gz")
    first, second = find_cases(tmp_path).cases
    assert first.images == {"T1w": "sub-1/anat/sub-1_run-1_T1w.nii.gz"}
    assert second.images == {"T1w": "sub-1/anat/sub-1_run-2_T1w.nii.gz"}


def test_images_of_another_run_are_nowhere(tmp_path: Path) -> None:
    """They lie on the same grid, so "another grid" would be wrong; and they are of other cases."""
    for stem in (f"ses-{ses}/anat/sub-1_ses-{ses}_run-{run}" for ses in "ab" for run in "12"):
        for suffix in ("T2w", "dseg"):
            image(tmp_path, f"sub-1/{stem}_{suffix}.nii.gz")
    image(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_run-2_PDw.nii.gz", origin=50)
    image(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_space-x_FLAIR.nii.gz")
    cut(image(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_run-2_T1w.nii.gz"))
    found = {case.name: case for case in find_cases(tmp_path).cases}
    assert [*found] == [f"sub-1_ses-{ses}_run-{run}" for ses in "ab" for run in "12"]
    for name, case in found.items():
        folder = f"sub-1/ses-{case.session}/anat"
        assert case.images["T2w"] == f"{folder}/{name}_T2w.nii.gz"
        listed = {**case.others, **case.series, **case.broken}
        assert [*listed] == (["PDw", "T1w"] if name == "sub-1_ses-a_run-2" else [])
        assert "FLAIR" in case.images or case.session == "b"


def test_planes_and_what_is_not_grey(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_dseg.nii.gz", shape=(4, 5))
    image(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz", shape=(4, 5, 1))
    image(tmp_path, "sub-1/anat/sub-1_T2w.nii.gz", shape=(4, 5, 1), dtype="complex64")
    colours = np.zeros((4, 5, 1), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "sub-1/anat/sub-1_FLAIR.nii.gz")
    found = find_cases(tmp_path)
    assert [*only(found).images] == ["FLAIR", "T1w", "T2w"]
    assert found.flat == {"sub-1/anat/sub-1_dseg.nii.gz"}
    assert found.not_grey == {
        "sub-1/anat/sub-1_FLAIR.nii.gz": "colours",
        "sub-1/anat/sub-1_T2w.nii.gz": "complex64 numbers",
    }


def test_contrasts_of_one_name_are_told_apart(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_dseg.nii.gz")
    for name in ("run-1_T1w.nii", "run-2_T1w.nii", "run-2_T1w.nii.gz"):
        image(tmp_path, f"sub-1/anat/sub-1_{name}")
    assert [*only(find_cases(tmp_path)).images] == ["T1w", "run-2_T1w", "run-2_T1w_2"]


def test_names_are_unique(tmp_path: Path) -> None:
    for path in ("anat/sub-1_dseg.nii", "anat/sub-1_dseg.nii.gz", "dwi/sub-1_dseg.nii.gz"):
        image(tmp_path, f"sub-1/{path}")
    found = {each.name: each.segmentation for each in find_cases(tmp_path).cases}
    assert [*found] == ["sub-1", "sub-1_2", "sub-1_3"]
    assert len({*found.values()}) == 3


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("no image")


def packed_text(path: Path) -> None:
    path.write_bytes(gzip.compress(b"x" * 999))


def garbled(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b\x08\0" + b"\xff" * 600)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def placeless(path: Path) -> None:
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[280:284] = np.float32(np.nan).tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))


def gridless(path: Path) -> None:
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[42:44] = np.int16(-3).tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (cut, "damaged|not a NIfTI"),
        (empty, "not a NIfTI"),
        (text, "not a NIfTI"),
        (packed_text, "not a NIfTI"),
        (garbled, "damaged"),
        (dangling, "leads nowhere"),
        (placeless, "without a place"),
        (gridless, "broken NIfTI header"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("suffix", ["dseg", "T1w"])
def test_broken_files_are_left_out(tmp_path: Path, harm: object, reason: str, suffix: str) -> None:
    for subject in "12":
        for each in ("dseg", "T1w"):
            image(tmp_path, f"sub-{subject}/anat/sub-{subject}_{each}.nii.gz")
    broken = f"sub-1/anat/sub-1_{suffix}.nii.gz"
    assert callable(harm)
    harm(tmp_path / broken)
    found = find_cases(tmp_path)
    assert [*found.faults] == [broken]
    assert re.search(reason, found.faults[broken])
    assert str(tmp_path) not in found.faults[broken]
    is_image = suffix == "T1w"
    assert [case.name for case in found.cases] == (["sub-1", "sub-2"] if is_image else ["sub-2"])
    assert [case.segmentation for case in found.lost] == ([] if is_image else [broken])
    first = (*found.lost, *found.cases)[0]
    assert first.broken == ({"T1w": broken} if is_image else {})
    assert [*first.images] == ([] if is_image else ["T1w"])


def test_broken_tables_are_faults(own_tree: Make) -> None:
    root = own_tree("brats2021")
    (root / "regions.tsv").write_text("name\tindices\nWT\tall\n")
    (root / "dseg.tsv").write_text("index\tname\none\tWT\n")
    found = find_cases(root)
    assert found.regions == {}
    assert [*found.faults] == ["regions.tsv"]
    assert "no whole number" in found.tables["dseg.tsv"].fault


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_dseg.nii.gz")
    (tmp_path / "sub-1/anat").chmod(0)
    try:
        assert [*find_cases(tmp_path).faults] == ["sub-1/anat"]
    finally:
        (tmp_path / "sub-1/anat").chmod(0o755)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    image(tmp_path, "sub-1/anat/sub-1_dseg.nii.gz")
    try:
        image(tmp_path, "sub-1/anat/sub-1_acq-\udcff_T1w.nii.gz")
    except OSError:
        pytest.skip("this file system takes no such name")
    found = find_cases(tmp_path)
    assert found.faults == {
        "sub-1/anat/sub-1_acq-\\udcff_T1w.nii.gz": "its name is no UTF-8; rename it"
    }
    assert only(found).images == {}


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        find_cases(tmp_path / "none")


def test_values(tmp_path: Path) -> None:
    image(tmp_path, "a.nii.gz", shape=(*SHAPE, 1), origin=7, value=2.0000001, dtype="float32")
    labels, affine = read_labels(tmp_path, "a.nii.gz")
    assert (labels.shape, labels.dtype.kind, labels.max()) == (SHAPE, "i", 2)
    assert affine[0, 3] == 7
    image(tmp_path, "b.nii", shape=(4, 5), value=9)
    grey, _ = read_image(tmp_path, "b.nii")
    assert (grey.shape, grey.dtype, grey.max()) == ((4, 5, 1), np.int16, 9)


@pytest.mark.parametrize(
    ("path", "limit", "reason"),
    [
        ("half.nii.gz", 1 << 20, "no whole numbers"),
        ("half.nii.gz", 59, "60 voxels, more than the 59"),
        ("huge.nii.gz", 1 << 40, "announces"),
        ("none.nii.gz", 1 << 20, "No such file"),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, path: str, limit: int, reason: str) -> None:
    image(tmp_path, "half.nii.gz", value=0.5, dtype="float32")
    header = nib.Nifti1Image(np.zeros(SHAPE, "uint8"), np.eye(4)).header
    header.set_data_shape((3000, 3000, 3000))
    header["magic"], header["vox_offset"] = b"n+1", 352
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(64)))
    with pytest.raises(SourceError, match=reason):
        read_labels(tmp_path, path, limit)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("vox_offset", 2.0**33, "announces 8891924480 bytes"),
        ("vox_offset", np.nan, "broken NIfTI header"),
        ("scl_slope", 2.0, "announces 2415919104 bytes"),
    ],
)
def test_bytes_are_bounded(tmp_path: Path, field: str, value: float, reason: str) -> None:
    """Few voxels may take many bytes: behind an offset, or once they are scaled."""
    header = nib.Nifti1Image(np.zeros(SHAPE, "uint8"), np.eye(4)).header
    header.set_data_shape((1024, 1024, 288))
    header["magic"], header["vox_offset"], header["scl_inter"] = b"n+1", 352, 0
    header[field] = value
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(64)))
    with pytest.raises(SourceError, match=reason):
        read_labels(tmp_path, "a.nii.gz")


def test_colours_cannot_be_scaled(tmp_path: Path) -> None:
    data = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "rgb.nii")
    content = bytearray((tmp_path / "rgb.nii").read_bytes())
    content[112:116] = np.float32(2).tobytes()  # scl_slope
    (tmp_path / "rgb.nii").write_bytes(content)
    for read in (read_image, read_labels):
        with pytest.raises(SourceError, match=r"a scaling of values of the type .*, not numbers"):
            read(tmp_path, "rgb.nii")


@pytest.mark.parametrize("index", ["-1", "-007", "-" + "9" * 5000])
def test_a_negative_index(tmp_path: Path, index: str) -> None:
    (tmp_path / "dseg.tsv").write_text(f"index\tname\n{index}\tx\n")
    fault = find_cases(tmp_path).tables["dseg.tsv"].fault
    assert fault.endswith("is negative, which labels must not be")
    assert len(fault) < 80


@pytest.mark.parametrize("index", ["-", "--1", "-1.5", "-\u0661", "- 1"])
def test_a_sign_makes_no_number(tmp_path: Path, index: str) -> None:
    (tmp_path / "dseg.tsv").write_text(f"index\tname\n{index}\tx\n", encoding="utf-8")
    assert find_cases(tmp_path).tables["dseg.tsv"].fault.endswith("is no whole number")


@pytest.mark.parametrize("index", ["9" * 5000, "0" * 5000 + "1", "1" + "0" * 400, "1" + "0" * 30])
def test_an_index_that_no_voxel_can_have(tmp_path: Path, index: str) -> None:
    (tmp_path / "dseg.tsv").write_text(f"index\tname\n{index}\tx\n")
    fault = find_cases(tmp_path).tables["dseg.tsv"].fault
    assert fault.endswith("is no label value")
    assert len(fault) < 80


def test_colours_are_no_grey_values(tmp_path: Path) -> None:
    data = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "rgb.nii.gz")
    with pytest.raises(SourceError, match="no grey values"):
        read_image(tmp_path, "rgb.nii.gz")
    with pytest.raises(SourceError, match="not numbers"):
        read_labels(tmp_path, "rgb.nii.gz")
