"""Sources of the preprocessing that are not as they should be: one sentence each, others go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import Make, assert_same, preprocess, run
from small_studies import QUICK, affine_of, edit, file, values

from bidsify.demo import cmr, native
from bidsify.preprocessing.stack import SEQUENCES
from bidsify.volume import Array

Spoil = Callable[[Path], None]


def without_sequence(root: Path) -> None:
    for what in ("", "_mask"):
        file(root, "101", "T2w", what).unlink()


def elsewhere(root: Path) -> None:
    for what in ("", "_mask"):
        path = file(root, "101", "T2w", what)
        moved = affine_of(path)
        moved[:3, 3] += 500
        edit(path, lambda data: data, moved)


def tilted(root: Path) -> None:
    angle = np.radians(60)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    for what in ("", "_mask"):
        path = file(root, "101", "T2w", what)
        edit(path, lambda data: data, turn @ affine_of(path))


def masked_by_nothing(root: Path) -> None:
    edit(file(root, "101", "T2w", "_mask"), lambda data: data * 0)


def without_muscle(root: Path) -> None:
    edit(file(root, "101", "LGE", "_mask"), lambda data: np.where(data == 600, data, 0))


def of_unknown_labels(root: Path) -> None:
    edit(file(root, "101", "LGE", "_mask"), lambda data: np.where(data == 500, 77, data))


def of_fractions(root: Path) -> None:
    path = file(root, "101", "LGE", "_mask")
    image = native.nifti((values(path) / 2000).astype(np.float32), affine_of(path))
    native.save(path, native.gzipped(image))


def masked_on_other_pixels(root: Path) -> None:
    edit(file(root, "101", "LGE", "_mask"), lambda data: data[:-1])


def cut_off(root: Path) -> None:
    path = file(root, "101", "bSSFP")
    path.write_bytes(path.read_bytes()[:-1000])


def of_noise(root: Path) -> None:
    file(root, "101", "bSSFP").write_bytes(b"nothing of the kind" * 50)


def emptied(root: Path) -> None:
    file(root, "101", "bSSFP").write_bytes(b"")


def without_place(root: Path) -> None:
    path = file(root, "101", "bSSFP")
    image = nib.Nifti1Image.from_filename(path)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    path.write_bytes(native.gzipped(image.to_bytes()))


def identical(root: Path) -> None:
    edit(file(root, "101", "bSSFP"), lambda data: data, np.eye(4))


def of_four_axes(root: Path) -> None:
    edit(file(root, "101", "bSSFP"), lambda data: np.stack([data, data], -1))


def doubled(root: Path) -> None:
    path = file(root, "101", "LGE")
    shutil.copyfile(path, path.with_name("myops_training_101_LGE.nii.gz"))
    edit(path, lambda data: data + 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_sequence, "has no T2w; a study needs bSSFP, LGE and T2w"),
        (elsewhere, "T2w and LGE do not overlap in space"),
        (tilted, "their slices are tilted by 59.7 degrees (at most 10 are allowed)"),
        (masked_by_nothing, "the masks of T2w show no myocardium; draw it, or take them away"),
        (without_muscle, "the masks of LGE show no myocardium; draw it, or take them away"),
        (of_unknown_labels, "the label values 77, 200, 500, 600, 1220, 2221 are of no coding"),
        (of_fractions, "holds values that are no labels"),
        (masked_on_other_pixels, "does not lie on the pixels of"),
        (cut_off, "myops_training_101_C0.nii.gz: "),
        (of_noise, "myops_training_101_C0.nii.gz: "),
        (emptied, "myops_training_101_C0.nii.gz: "),
        (without_place, "myops_training_101_C0.nii.gz: "),
        (identical, "its affine is the identity"),
        (of_four_axes, "4 axes; keep one frame of it"),
        (doubled, "keep one of them"),
    ],
)
def test_a_study_that_cannot_be_processed(
    spoil: Spoil, said: str, own_studies: Path, tmp_path: Path
) -> None:
    spoil(own_studies)
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert ran.code == 1
    assert len(ran.failures) == 1
    assert said in ran.failures[0]
    assert "101" in ran.failures[0]
    assert ran.out.splitlines()[:2] == ["processed 1", "failed 1"]
    assert [path.name for path in (tmp_path / "out").glob("sub-*")] == ["sub-102"]
    table = (tmp_path / "out/participants.tsv").read_text()
    assert table == "participant_id\nsub-102\n"
    record = json.loads((tmp_path / "out/code/bidsify/preprocessing.json").read_bytes())
    assert record["failures"] == ran.failures


def test_what_was_mended_is_processed(studies: Path, own_studies: Path, tmp_path: Path) -> None:
    cut_off(own_studies)
    assert preprocess(own_studies, tmp_path / "out", "--steps", QUICK).code == 1
    shutil.copyfile(file(studies, "101", "bSSFP"), file(own_studies, "101", "bSSFP"))
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert (ran.code, ran.out.splitlines()[:2]) == (0, ["processed 2", "failed 0"])


def test_what_was_spoilt_later_is_said(own_studies: Path, tmp_path: Path) -> None:
    assert preprocess(own_studies, tmp_path / "out", "--steps", QUICK).code == 0
    cut_off(own_studies)
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert (ran.code, len(ran.failures)) == (1, 1)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_single_slice_is_enough(sequence: str, own_studies: Path, tmp_path: Path) -> None:
    """Whichever sequence has it becomes the reference of a volume of one slice."""
    for what in ("", "_mask"):
        path = file(own_studies, "101", sequence, what)
        one = nib.Nifti1Image.from_filename(path).slicer[:, :, 1:2]
        path.write_bytes(native.gzipped(one.to_bytes()))
    thickness = round(float(one.header.get_zooms()[2]), 3)
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert (ran.code, ran.failures) == (0, []), ran.err
    for path in (tmp_path / "out/sub-101/anat").glob("*.nii.gz"):
        assert values(path).shape == (128, 128, 1)
        if f"_acq-{sequence}_" not in path.name:
            continue  # unregistered, each lies where its own source does
        lengths = np.linalg.norm(affine_of(path)[:3, :3], axis=0)
        assert np.allclose(lengths, [1, 1, thickness], atol=1e-3)
    assert f"sub-101: one slice only, written as {thickness:g} mm thick" in ran.err


@pytest.mark.parametrize("number", [0, 1])
def test_a_slice_without_muscle_goes_by_its_images(
    number: int, own_studies: Path, tmp_path: Path
) -> None:
    def without(data: Array) -> Array:
        changed = data.copy()
        changed[:, :, number + 1] = 0
        return changed

    edit(file(own_studies, "101", "T2w", "_mask"), without)
    steps = ("--steps", "slices,normalise,affine,crop")
    ran = preprocess(own_studies, tmp_path / "out", *steps)
    assert (ran.code, ran.failures) == (0, []), ran.err
    note = "no myocardium is drawn in one of the slices: registered by the images"
    assert len([text for text in ran.warnings if note in text and "T2w" in text]) == 1


@pytest.mark.parametrize("sequences", [SEQUENCES, ("LGE",)])
def test_without_masks_the_images_are_enough(
    sequences: tuple[str, ...], own_studies: Path, tmp_path: Path
) -> None:
    for sequence in sequences:
        file(own_studies, "101", sequence, "_mask").unlink()
    options = ("--participant-label", "101", "--steps", "slices,normalise,affine,crop")
    ran = preprocess(own_studies, tmp_path / "out", *options)
    assert (ran.code, ran.failures) == (0, []), ran.err
    anat = tmp_path / "out/sub-101/anat"
    labels = [path.name for path in anat.glob("*_dseg.nii.gz")]
    assert len(labels) == len(SEQUENCES) - len(sequences)
    for path in anat.glob("*_T?w.json"):
        said = json.loads(path.read_bytes())
        if "acq-LGE" in path.name:
            assert "RegisteredBy" not in said
            continue
        assert said["RegisteredBy"] == ["images"]
        assert said["RegionOfInterestBy"] == "images"
        assert "this is a fallback" in said["Description"]


def test_the_release_of_myops380_is_no_source(source: Make, tmp_path: Path) -> None:
    """It was registered and cropped by its authors, and tells no place."""
    ran = preprocess(source("myops380"), tmp_path / "out")
    assert ran.code in {1, 2}
    assert "its affine is the identity" in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.glob("out/sub-*"))


@pytest.mark.parametrize("what", ["nothing", "text", "one of three"])
def test_no_study_at_all(what: str, studies: Path, tmp_path: Path) -> None:
    root = tmp_path / "studies"
    root.mkdir()
    if what == "text":
        (root / "notes.txt").write_text("nothing here")
    elif what == "one of three":
        shutil.copyfile(file(studies, "101", "LGE"), root / "myops_training_101_DE.nii.gz")
    ran = preprocess(root, tmp_path / "out")
    assert ran.code == 2
    assert ran.error
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    ran = preprocess(tmp_path / "nowhere", tmp_path / "out")
    assert ran.code == 2
    assert "nowhere" in ran.error


# DICOM


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-500],
        lambda content: content[:200],
        lambda _: b"",
        lambda _: b"no DICOM" * 400,
    ],
)
def test_a_damaged_slice(damage: Callable[[bytes], bytes], scanned: Path, tmp_path: Path) -> None:
    shutil.copytree(scanned, tmp_path / "studies")
    path = tmp_path / "studies/101/LGE_PSIR_sax/IM0001.dcm"
    path.write_bytes(damage(path.read_bytes()))
    ran = preprocess(tmp_path / "studies", tmp_path / "out", "--steps", QUICK)
    assert (ran.code, len(ran.failures)) == (1, 1)
    assert "101/LGE_PSIR_sax/IM0001.dcm" in ran.failures[0]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study as DICOM."""
    root = tmp_path_factory.mktemp("scanned") / "studies"
    cmr.make_studies(root, subjects=1, form="dicom")
    return root


def recoded(root: Path, subject: str) -> None:
    codes = {200: 1, 2221: 2, 1220: 3}
    for sequence in SEQUENCES:

        def change(data: Array) -> Array:
            return np.sum([(data == old) * new for old, new in codes.items()], axis=0)

        edit(file(root, subject, sequence, "_mask"), change)


def test_codings_that_differ_have_a_table_each(own_studies: Path, tmp_path: Path) -> None:
    recoded(own_studies, "101")
    ran = preprocess(own_studies, tmp_path / "out", "--steps", QUICK)
    assert (ran.code, ran.failures) == (0, []), ran.err
    assert not (tmp_path / "out/dseg.tsv").exists()
    tables = {
        subject: (tmp_path / f"out/sub-{subject}/anat").glob("*_dseg.tsv") for subject in (101, 102)
    }
    texts = {subject: {path.read_text() for path in found} for subject, found in tables.items()}
    assert all(len(found) == 1 for found in texts.values())
    assert "\n2221\t" in texts[102].pop()
    assert "\n2221\t" not in texts[101].pop()
    assert run("validate", tmp_path / "out").code == 0


def test_masks_that_are_gone_leave_nothing_behind(own_studies: Path, tmp_path: Path) -> None:
    assert preprocess(own_studies, tmp_path / "out", "--steps", QUICK).code == 0
    for path in own_studies.rglob("*_mask.nii.gz"):
        path.unlink()
    assert preprocess(own_studies, tmp_path / "out", "--steps", QUICK).code == 0
    assert not list((tmp_path / "out").rglob("*dseg*"))
    assert preprocess(own_studies, tmp_path / "new", "--steps", QUICK).code == 0
    assert_same(tmp_path / "out", tmp_path / "new")


def test_what_fails_with_other_options_is_not_there_any_more(
    own_studies: Path, tmp_path: Path
) -> None:
    def off(matrix: Array) -> Array:
        moved = np.array(matrix)
        moved[:3, 3] += 3 * moved[:3, 2] / np.linalg.norm(moved[:3, 2])
        return moved

    for what in ("", "_mask"):
        path = file(own_studies, "101", "T2w", what)
        edit(path, lambda data: data, off(affine_of(path)))
    options = ("--steps", QUICK)
    assert preprocess(own_studies, tmp_path / "out", *options).code == 0
    assert preprocess(own_studies, tmp_path / "out", *options, "--bound", 1).code == 1
    assert preprocess(own_studies, tmp_path / "new", *options, "--bound", 1).code == 1
    assert_same(tmp_path / "out", tmp_path / "new")


def test_some_subjects_are_not_made_otherwise(studies: Path, tmp_path: Path) -> None:
    assert preprocess(studies, tmp_path / "out", "--steps", QUICK).code == 0
    some = ("--participant-label", "101", "--steps", "slices,normalise")
    ran = preprocess(studies, tmp_path / "out", *some)
    assert ran.code == 2
    assert "an earlier run had other options" in ran.error


def test_others_that_lack_something_are_no_failure(own_studies: Path, tmp_path: Path) -> None:
    without_sequence(own_studies)
    only = ("--steps", QUICK, "--participant-label", "102")
    assert preprocess(own_studies, tmp_path / "out", *only).code == 0
