"""Studies are found by name, and their stacks lie where the headers say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest

from bidsify import demo
from bidsify.demo import cmr, native
from bidsify.errors import SourceError
from bidsify.preprocessing import study_names
from bidsify.preprocessing.stack import SEQUENCES, Stack
from bidsify.preprocessing.study import Refused, Study, find, read
from bidsify.source import open_source
from bidsify.source.reading import Reading

LGE, CINE, T2 = (f"101/{cmr.SERIES[name]}" for name in ("LGE", "bSSFP", "T2w"))
EDGE = np.diag([-1.5, -1.5, 8.0, 1.0])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for form in ("nifti", "dicom"):
        cmr.make_studies(folder / form, subjects=1, form=form)
    return folder


@pytest.fixture
def dicom(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written / "dicom", tmp_path / "source"))


def only(folder: Path) -> Study:
    (found,) = find(open_source(folder))
    assert isinstance(found, Study), found
    return found


def stacks(folder: Path) -> dict[str, Stack]:
    return read(only(folder), Reading(open_source(folder)))


def refusal(folder: Path) -> str:
    with pytest.raises(SourceError) as caught:
        stacks(folder)
    return str(caught.value)


def volume(path: Path, data: Any = None, affine: Any = EDGE) -> None:
    content = np.ones((4, 3, 2), np.int16) if data is None else data
    native.save(path, native.nifti(content, affine))


def case(folder: Path, **changed: Any) -> Path:
    """Write a small study: C0, DE and T2 of one case."""
    for name in ("C0", "DE", "T2"):
        volume(folder / f"P1_{name}.nii", **changed)
    return folder


def retag(folder: Path, change: Callable[[pydicom.Dataset, int], None]) -> None:
    for n, path in enumerate(sorted(folder.glob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        change(dataset, n)
        dataset.save_as(path)


@pytest.mark.parametrize("form", ["nifti", "dicom"])
def test_slices_lie_where_they_were_scanned(written: Path, form: str) -> None:
    truth, found = cmr.truth("101"), stacks(written / form)
    assert tuple(found) == SEQUENCES
    for name, stack in found.items():
        matrix = truth.scans[name].matrix
        image, labels = truth.image(name), cmr.mask(truth, name)
        assert len(stack.slices) == image.shape[2]
        seen = set()
        for one in stack.slices:
            k = int(np.rint((np.linalg.inv(matrix) @ [*one.centre, 1])[2]))
            seen.add(k)
            plane = matrix[:3, [0, 1, 3]] + np.outer(matrix[:3, 2], [0, 0, k])
            assert np.allclose(one.plane, plane, atol=1e-4)
            assert np.array_equal(one.pixels, image[:, :, k])
            assert one.labels is not None
            assert np.array_equal(one.labels, labels[:, :, k])
        assert len(seen) == len(stack.slices)


def test_dicom_slices_come_in_the_order_of_their_places(written: Path) -> None:
    for stack in stacks(written / "dicom").values():
        heights = [one.centre @ stack.slices[0].normal for one in stack.slices]
        steps = np.diff(heights)
        assert np.all(steps > 0) or np.all(steps < 0)


def test_names_of_files_do_not_matter(dicom: Path) -> None:
    before = stacks(dicom)["LGE"]
    for n, path in enumerate(sorted((dicom / LGE).iterdir(), reverse=True)):
        path.rename(path.with_name(f"x{n}"))
    after = stacks(dicom)["LGE"]
    for one, other in zip(before.slices, after.slices, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.plane, other.plane)


def test_slices_may_be_named_by_their_uid(dicom: Path) -> None:
    for n, path in enumerate(sorted((dicom / LGE).iterdir())):
        path.rename(path.with_name(f"1.2.840.113619.{n}"))
    (dicom / LGE / "1.2.840.113619.0").write_bytes(b"")
    (dicom / LGE / "README").write_text("no slice")
    assert "1.2.840.113619.0" in refusal(dicom)  # a damaged slice is not left out in silence
    (dicom / LGE / "1.2.840.113619.0").unlink()
    assert len(stacks(dicom)["LGE"].slices) == len(list((dicom / LGE).iterdir())) - 1


def test_a_file_without_extension_beside_an_image_is_no_series(tmp_path: Path) -> None:
    for name in ("bSSFP", "LGE", "T2w"):
        volume(tmp_path / f"p1/{name}/image.nii.gz")
        (tmp_path / f"p1/{name}/README1").write_text("no slice")
    assert {*only(tmp_path).images} == {*SEQUENCES}


def test_each_slice_keeps_its_own_tilt(dicom: Path) -> None:
    angles = {}

    def tilt(dataset: pydicom.Dataset, n: int) -> None:
        angle = np.deg2rad(2.0 * n)
        row, column = np.array(dataset.ImageOrientationPatient).reshape(2, 3)
        row = np.cos(angle) * row + np.sin(angle) * np.cross(row, column)
        dataset.ImageOrientationPatient = native.decimals([*row, *column])
        angles[dataset.InstanceNumber] = row * [-1, -1, 1]

    retag(dicom / LGE, tilt)
    (dicom / f"{LGE}_mask.nii.gz").unlink()
    found = stacks(dicom)["LGE"].slices
    assert len(found) == len(angles)
    axes = [one.plane[:, 0] / one.spacing[0] for one in found]
    for row in angles.values():
        assert min(np.abs(axis - row).max() for axis in axes) < 1e-6


def test_an_uneven_stack_is_read(dicom: Path) -> None:
    count = len(sorted((dicom / LGE).iterdir()))
    sorted((dicom / LGE).iterdir())[2].unlink()
    found = stacks(dicom)["LGE"].slices
    assert len(found) == count - 1
    assert all(one.labels is not None for one in found)


def test_the_first_frame_of_a_cine_is_taken(dicom: Path) -> None:
    def later(dataset: pydicom.Dataset, _: int) -> None:
        dataset.TriggerTime = "30"
        dataset.PixelData = bytes(len(dataset.PixelData))

    before = stacks(dicom)["bSSFP"]
    retag(dicom / CINE, lambda dataset, _: setattr(dataset, "TriggerTime", "0"))
    for path in sorted((dicom / CINE).iterdir()):
        shutil.copy(path, path.with_name(f"0{path.name}"))
    (dicom / "late").mkdir()
    copies = sorted((dicom / CINE).glob("0*"))
    for path in copies:
        shutil.move(path, dicom / "late" / path.name)
    retag(dicom / "late", later)
    for path in (dicom / "late").iterdir():
        shutil.move(path, dicom / CINE / path.name)
    after = stacks(dicom)["bSSFP"]
    for one, other in zip(before.slices, after.slices, strict=True):
        assert np.array_equal(one.pixels, other.pixels)


def test_frames_without_time_are_refused(dicom: Path) -> None:
    path = next(iter((dicom / LGE).iterdir()))
    shutil.copy(path, path.with_name("again.dcm"))
    assert "TriggerTime does not tell which frame is the first" in refusal(dicom)


@pytest.mark.parametrize("texts", [("SeriesDescription",), ("ProtocolName",)])
def test_a_folder_without_a_word_is_known_by_its_header(
    dicom: Path, texts: tuple[str, ...]
) -> None:
    def rename(dataset: pydicom.Dataset, _: int) -> None:
        text = dataset.SeriesDescription
        del dataset.SeriesDescription
        for name in texts:
            setattr(dataset, name, text)

    for n, folder in enumerate((LGE, CINE, T2)):
        retag(dicom / folder, rename)
        (dicom / folder).rename(dicom / "101" / f"series{n}")
    study = only(dicom)
    assert {name: paths[0].split("/")[1] for name, paths in study.images.items()} == {
        "LGE": "series0",
        "bSSFP": "series1",
        "T2w": "series2",
    }
    assert study.labels["LGE"] == f"{LGE}_mask.nii.gz"


def test_long_axes_maps_and_scouts_are_left_out(dicom: Path) -> None:
    for name in ("cine_trufi_4ch", "T2_map_sax", "localizer", "LGE_2ch"):
        shutil.copytree(dicom / LGE, dicom / "101" / name)
    (dicom / "101" / "notes").mkdir()
    (dicom / "101" / "notes" / "text").write_text("no DICOM file")
    assert {paths[0].rpartition("/")[0] for paths in only(dicom).images.values()} == {LGE, CINE, T2}


@pytest.mark.parametrize("turn", ["flipped", "transposed"])
def test_a_mask_may_run_another_way(dicom: Path, turn: str) -> None:
    before = stacks(dicom)["LGE"]
    path = dicom / f"{LGE}_mask.nii.gz"
    image: Any = nib.load(path)
    axes = [[1, -1], [0, 1], [2, 1]] if turn == "transposed" else [[0, 1], [1, -1], [2, -1]]
    turned = image.as_reoriented(np.array(axes, float))
    nib.save(turned, path)
    for one, other in zip(before.slices, stacks(dicom)["LGE"].slices, strict=True):
        assert one.labels is not None
        assert np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("name", ["myops2020", "converted"])
def test_common_labels_go_to_all_sequences(
    tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    if name == "myops2020":
        demo.make(name, tmp_path)
        folder = tmp_path
    else:
        folder = request.getfixturevalue("tree")("myops2020")
    source = open_source(folder)
    found = find(source)
    assert [one.subject for one in found] == ["101", "102", "103", "201"]
    for one in found:
        assert isinstance(one, Study)
        for stack in read(one, Reading(source)).values():
            labelled = [part.labels for part in stack.slices if part.labels is not None]
            assert len(labelled) == (0 if one.subject == "201" else len(stack.slices))
            assert all(2221 in np.unique(labels) or labels.max() <= 1220 for labels in labelled)


def test_common_labels_skip_a_sequence_on_another_grid(tmp_path: Path) -> None:
    moved = EDGE.copy()
    moved[0, 3] = 40.0
    volume(case(tmp_path) / "P1_T2.nii", affine=moved)
    volume(tmp_path / "P1_gd.nii")
    found = stacks(tmp_path)
    assert [name for name in found if found[name].slices[0].labels is not None] == ["bSSFP", "LGE"]


def test_a_mask_of_its_own_counts_before_that_of_all(tmp_path: Path) -> None:
    volume(case(tmp_path) / "P1_gd.nii")
    volume(tmp_path / "P1_DE_label.nii", np.full((4, 3, 2), 7, np.int16))
    tops = {name: int(np.max(stack.slices[0].labels)) for name, stack in stacks(tmp_path).items()}  # type: ignore[arg-type]
    assert tops == {"bSSFP": 1, "LGE": 7, "T2w": 1}


def test_myops380_is_refused_for_each_subject(tmp_path: Path) -> None:
    demo.make("myops380", tmp_path)
    source = open_source(tmp_path)
    found = find(source)
    assert [one.subject for one in found] == ["0001", "0002", "0006"]
    for one in found:
        assert isinstance(one, Study)
        with pytest.raises(
            SourceError, match=r"affine is the identity.*Raw_data of MyoPS380.*alre"
        ):
            read(one, Reading(source))


def test_a_missing_sequence_is_told_and_others_go_on(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "dicom" / "101", tmp_path / "101")
    shutil.copytree(written / "dicom" / "101", tmp_path / "102")
    shutil.rmtree(tmp_path / "102" / cmr.SERIES["T2w"])
    whole, lacking = find(open_source(tmp_path))
    assert isinstance(whole, Study)
    assert lacking == Refused(
        "102",
        "102: has no T2w; a study needs bSSFP, LGE and T2w: complete it, or leave it out",
    )


def test_sessions_of_a_bids_tree_are_studies(tmp_path: Path) -> None:
    for session in ("a", "b"):
        for name in SEQUENCES:
            volume(tmp_path / f"sub-1/ses-{session}/anat/sub-1_ses-{session}_acq-{name}_T2w.nii")
        volume(tmp_path / f"sub-1/ses-{session}/anat/sub-1_ses-{session}_acq-LGE_dseg.nii")
        other = f"sub-1_ses-{session}_acq-LGE_seg-common_dseg.nii"
        volume(tmp_path / f"sub-1/ses-{session}/anat/{other}", np.zeros((4, 3, 2), np.int16))
    found = find(open_source(tmp_path))
    assert [(one.subject, getattr(one, "session", "")) for one in found] == [("1", "a"), ("1", "b")]
    assert isinstance(found[1], Study)
    assert found[1].labels == {"LGE": "sub-1/ses-b/anat/sub-1_ses-b_acq-LGE_dseg.nii"}


def test_subjects_of_one_name_keep_apart(tmp_path: Path) -> None:
    for centre in ("A", "B"):
        for name in ("cine", "lge_sax", "T2"):
            volume(tmp_path / centre / "P-1" / f"{name}.nii")
    assert [one.subject for one in find(open_source(tmp_path))] == ["AP1", "BP1"]


def test_no_two_studies_are_of_one_subject(tmp_path: Path) -> None:
    """Not even where their paths differ in signs or in case alone."""
    homes = ("site1/23", "site12/3", "x/a_1", "x/a1", "y/B", "z/b")
    for home in homes:
        for name in ("cine", "lge_sax", "T2"):
            volume(tmp_path / home / f"{name}.nii")
    found = find(open_source(tmp_path))
    assert all(isinstance(one, Study) for one in found)
    assert len({one.subject.lower() for one in found}) == len(homes)
    assert found == find(open_source(tmp_path))


def test_copies_are_one_and_others_are_refused(tmp_path: Path) -> None:
    volume(case(tmp_path) / "P1_LGE.nii")
    assert only(tmp_path).images["LGE"] == ("P1_DE.nii",)
    volume(tmp_path / "P1_LGE.nii", np.zeros((4, 3, 2), np.int16))
    (found,) = find(open_source(tmp_path))
    reason = "P1_LGE.nii: a second LGE beside P1_DE.nii; keep one of them"
    assert found == Refused("P1", reason)


def test_thick_slices_are_found_whichever_axis_counts_them(tmp_path: Path) -> None:
    turned = case(tmp_path, data=np.ones((2, 4, 3), np.int16), affine=EDGE[:, [2, 0, 1, 3]])
    stack = stacks(turned)["LGE"]
    assert [one.pixels.shape for one in stack.slices] == [(4, 3), (4, 3)]
    assert np.allclose(stack.slices[1].plane[:, 2], [0, 0, 8])


def broken(name: str, folder: Path) -> None:
    path, data = case(folder) / "P1_T2.nii", np.ones((4, 3, 2), np.float32)
    if name == "fraction":
        volume(folder / "P1_T2_mask.nii", data / 2)
    elif name == "elsewhere":
        volume(folder / "P1_T2_mask.nii", affine=np.diag([2.0, 2.0, 8.0, 1.0]))
    elif name == "frames":
        volume(path, np.ones((4, 3, 2, 5), np.int16))
    elif name == "nan":
        volume(path, data * np.nan)
    elif name == "singular":
        header = nib.Nifti1Header()
        header.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), code=1)
        singular: Any = nib.Nifti1Image(data, None, header)  # type: ignore[no-untyped-call]
        native.save(path, singular.to_bytes())
    elif name == "nowhere":
        image: Any = nib.Nifti1Image(data, None)  # type: ignore[no-untyped-call]
        image.header.set_zooms((1.5, 1.5, 8.0))
        native.save(path, image.to_bytes())
    elif name == "cut":
        path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("fraction", "P1_T2_mask.nii: holds values that are no labels"),
        ("elsewhere", "P1_T2_mask.nii: does not lie on the pixels of P1_T2.nii"),
        ("frames", "P1_T2.nii: 4 axes; keep one frame"),
        ("nan", "P1_T2.nii: holds values that are no numbers"),
        ("singular", "P1_T2.nii: its affine is singular"),
        ("nowhere", "P1_T2.nii: its header states no position in the scanner"),
        ("cut", "P1_T2.nii: cut off"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, sentence: str) -> None:
    broken(name, tmp_path)
    assert sentence in refusal(tmp_path)


def test_a_broken_slice_is_named(dicom: Path) -> None:
    (dicom / T2 / "IM0000.dcm").write_bytes(b"nothing")
    assert refusal(dicom).startswith(f"{T2}/IM0000.dcm: not a readable DICOM file")


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("PSIR_TrueFISP_sax", "LGE"), ("DE_sax", "LGE"), ("Late_Gd", "LGE"), ("tfl_lge", "LGE"),
        ("T2_STIR_sax", "T2w"), ("t2w", "T2w"), ("T2_trufi_prep", "T2w"),
        ("cine_trufi_sax", "bSSFP"), ("C0", "bSSFP"), ("bSSFP", "bSSFP"),
        ("TI_scout_cine", ""), ("cine 4-ch", ""), ("T1_MOLLI", ""), ("T2_map", ""),
        ("T2_star", None), ("model", None), ("series_12", None),
    ],
)  # fmt: skip
def test_names_of_series(text: str, sequence: str | None) -> None:
    assert study_names.sequence(text) == sequence
