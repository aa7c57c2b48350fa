"""A tree that was changed does not verify, and the place of the change is named."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from conftest import NAMES, RECORD, Make, Ran, Stated, run, save_volume, snapshot, volume

import bidsify
from bidsify.demo import native

#: A volume of each reader: NIfTI kept, NIfTI labels, DICOM, pictures, arrays, masks.
VOLUMES = {
    "nifti": ("myops380", "sub-0002/anat/sub-0002_acq-T2w_desc-preproc_T2w.nii.gz"),
    "labels": ("myops380", "sub-0002/anat/sub-0002_dseg.nii.gz"),
    "plain": ("ivdm3seg", "sub-16/anat/sub-16_acq-dixon_dseg.nii.gz"),
    "dicom": ("chaos", "sub-MR39/anat/sub-MR39_acq-T2SPIR_T2w.nii.gz"),
    "picture": ("chaos", "sub-CT01/ct/sub-CT01_acq-portal_dseg.nii.gz"),
    "array": ("ssmspine", "sub-p081/ses-aug001/anat/sub-p081_ses-aug001_desc-orig_T2w.nii.gz"),
    "masks": ("ssmspine", "sub-p081/ses-aug001/anat/sub-p081_ses-aug001_probseg.nii.gz"),
}
every_volume = pytest.mark.parametrize("kind", VOLUMES)
some_volumes = pytest.mark.parametrize("kind", ["nifti", "dicom", "masks"])


def problems(source: Path, tree: Path, *stated: object) -> list[tuple[str, str, str]]:
    """Return code, path and message of what verify finds, through the command."""
    ran = run("verify", source, tree, *stated, "--json")
    found = json.loads(ran.out)["problems"]
    assert ran.code == (1 if found else 0)
    assert found == sorted(found, key=lambda problem: problem["path"])
    return [(problem["code"], problem["path"], problem["message"]) for problem in found]


@dataclass(frozen=True)
class Case:
    """A volume in a tree that may be changed."""

    source: Path
    tree: Path
    name: str

    @property
    def path(self) -> Path:
        return self.tree / self.name

    def says(self, pattern: str) -> None:
        """Check that this file is named, for the right reason, and no other but its sidecar."""
        found = problems(self.source, self.tree)
        assert {code for code, _, _ in found} == {"CHANGED"}
        sidecar = self.name.removesuffix(".nii.gz") + ".json"
        assert self.name in {path for _, path, _ in found} <= {self.name, sidecar}
        messages = [message for _, path, message in found if path == self.name]
        assert any(re.search(pattern, message) for message in messages), messages


@pytest.fixture
def case(kind: str, source: Make, own_tree: Make) -> Case:
    dataset, name = VOLUMES[kind]
    return Case(source(dataset), own_tree(dataset), name)


# Volumes


@every_volume
def test_one_voxel(case: Case) -> None:
    data, image = volume(case.path)
    place = tuple(size // 2 for size in data.shape)
    data[place] = 1 - data[place] if data[place] in (0, 1) else 1
    save_volume(case.path, data, image)
    case.says(r"1 voxels differ, the first at \[|1 voxels of value -?\d+ became \d")


@every_volume
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flip(case: Case, axis: int) -> None:
    data, image = volume(case.path)
    if data.shape[axis] == 1:
        pytest.skip("an axis of one voxel has no other side")
    save_volume(case.path, np.flip(data, axis), image)
    slices = r"|slice \S+: \d+ voxels differ" if case.name.startswith(("sub-MR", "sub-CT")) else ""
    case.says(rf"voxels differ.*\(the volume is flipped along axis{slices}")


@some_volumes
def test_swapped_axes(case: Case) -> None:
    data, image = volume(case.path)
    save_volume(case.path, np.swapaxes(data, 0, 1), image)
    case.says(r"a grid of \(.*\) voxels|voxels differ|does not lie on the grid|became \d")


@every_volume
@pytest.mark.parametrize("change", ["shift", "scale", "shear", "unit"])
def test_another_place_in_space(case: Case, change: str) -> None:
    """Also where the source has no geometry: nobody may make up a size later."""
    data, image = volume(case.path)
    affine = image.affine.copy()
    if change == "shift":
        affine[0, 3] += 0.25
    elif change == "scale":
        affine[:3, :3] *= 1.5
    elif change == "shear":
        affine[:3, :3] = affine[:3, :3] @ [[1, 0.02, 0], [0, 1, 0], [0, 0, 1]]
    else:
        unit = image.header.get_xyzt_units()[0]
        image.header.set_xyzt_units("micron" if unit == "mm" else "mm")
    save_volume(case.path, data, image, affine)
    case.says("")


@some_volumes
def test_another_type_that_holds_other_values(case: Case) -> None:
    data, image = volume(case.path)
    save_volume(case.path, data.astype(np.float32) + np.float32(0.25), image)
    case.says("")


@pytest.mark.parametrize("kind", ["labels", "plain", "picture"])
def test_a_relabelled_region(case: Case) -> None:
    data, image = volume(case.path)
    save_volume(case.path, np.where(data == 1, 2, data).astype(data.dtype), image)
    case.says(r"\d+ voxels of value \d+ became 2, not \[1\]")


@pytest.mark.parametrize("kind", ["labels", "picture"])
def test_labels_stored_as_floats(case: Case) -> None:
    data, image = volume(case.path)
    save_volume(case.path, data.astype(np.float32), image)
    case.says("labels are stored as float32")


@every_volume
def test_the_same_content_packed_anew_is_no_problem(case: Case) -> None:
    content = gzip.decompress(case.path.read_bytes())
    packed = gzip.compress(content, 9, mtime=0)
    case.path.write_bytes(packed)
    assert problems(case.source, case.tree) == []


@some_volumes
def test_a_name_or_time_in_the_gzip_header(case: Case) -> None:
    content = gzip.decompress(case.path.read_bytes())
    case.path.write_bytes(native.gzipped(content, name="/home/me/x.nii", time=1_700_000_000))
    case.says("the gzip header carries a name or a time")


@pytest.mark.parametrize("kind", ["labels"])
@pytest.mark.parametrize(
    "damage", [lambda c: c[:0], lambda c: c[: len(c) // 2], lambda c: c[:-4] + b"\0\0\0\0"]
)
def test_a_damaged_volume(case: Case, damage: Callable[[bytes], bytes]) -> None:
    case.path.write_bytes(damage(case.path.read_bytes()))
    case.says("not a readable NIfTI file")


@some_volumes
def test_a_deleted_volume(case: Case) -> None:
    case.path.unlink()
    found = problems(case.source, case.tree)
    assert [(code, message) for code, path, message in found if path == case.name] == [
        ("LOST", found[[path for _, path, _ in found].index(case.name)][2])
    ]
    assert any(code == "LOST" and "not in the tree; its source is" in m for code, _, m in found)


def test_lost_segmentations_do_not_make_the_record_wrong(source: Make, own_tree: Make) -> None:
    """What the record must say follows from its receipts, not from what is left of the tree."""
    out = own_tree("myops380")
    lost = sorted(path for path in out.rglob("sub-*/anat/*_dseg.*"))
    for path in lost:
        path.unlink()
    problems = bidsify.verify(source("myops380"), out)
    wanted = {path.relative_to(out).as_posix() for path in lost}
    scans = {problem.path for problem in problems if problem.path.endswith("_scans.tsv")}
    assert {problem.path for problem in problems} == wanted | scans


def test_files_of_two_subjects_that_were_swapped(source: Make, own_tree: Make) -> None:
    tree = own_tree("ivdm3seg")
    one, other = (tree / f"sub-{n}/anat/sub-{n}_acq-dixon_rec-fat_T1w.nii.gz" for n in ("01", "02"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    found = problems(source("ivdm3seg"), tree)
    paths = sorted({path for code, path, _ in found if code == "CHANGED"})
    assert paths == [one.relative_to(tree).as_posix(), other.relative_to(tree).as_posix()]


# Texts


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "says"),
    [
        ("chaos", "dseg.tsv", "liver", "spleen", r"line 3 is '1\\tspleen.*instead of '1\\tliver"),
        ("chaos", "dseg.json", '"orig"', '"gone"', "SpatialReference"),
        ("chaos", "participants.tsv", "Train", "Test", r"line \d is .*Test.* instead of .*Train"),
        ("chaos", "dataset_description.json", "CC-BY-NC-SA-4.0", "CC0", "CC0"),
        ("chaos", "README.md", "CHAOS", "Chaos", "line 1 is"),
        ("chaos", ".bidsignore", "ct", "anat", "line 1 is"),
        (
            "chaos", "sub-MR01/anat/sub-MR01_acq-T2SPIR_T2w.json", "0.07", "0.08",
            "edited since it was written",
        ),
        (
            "chaos", "sub-MR01/anat/sub-MR01_acq-T2SPIR_T2w.json",
            '"SkullStripped": false', '"SkullStripped": true', "SkullStripped is True, not False",
        ),
        (
            "chaos", "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg.json", "T2SPIR", "T1DUAL",
            "Sources are .*T1DUAL_T2w.nii.gz.*, not .*T2SPIR_T2w.nii.gz",
        ),
        ("chaos", "sub-MR01/sub-MR01_scans.tsv", "_T2w", "_T1w", "which do not exist"),
        (
            "lumbosacral", "sub-14/anat/sub-14_acq-CISS_label-dura_points.tsv",
            "dura\t", "cord\t", "^line 2: .*cord",
        ),
        ("lumbosacral", "participants.tsv", "22", "23", "line 2 is"),
        ("lumbosacral", "points.json", "LPS", "RAS", "instead of"),
        (
            "ssmspine",
            "sub-p081/ses-aug001/anat/sub-p081_ses-aug001_points.tsv",
            "\t0\t", "\t1\t", "^line 2: .*1",
        ),
        ("ssmspine", "sub-p081/sub-p081_sessions.tsv", "aug1", "aug2", "line 2 is"),
        ("ssmspine", "sessions.json", "session", "visit", "instead of"),
    ],
)  # fmt: skip
def test_an_edited_text(  # noqa: PLR0917
    name: str, path: str, old: str, new: str, says: str, source: Make, own_tree: Make
) -> None:
    tree = own_tree(name)
    edit(tree / path, old, new)
    Case(source(name), tree, path).says(says)


@pytest.mark.parametrize("column", ["x_mm", "y_mm", "z_mm", "i", "j", "k"])
def test_an_edited_point(column: str, source: Make, own_tree: Make) -> None:
    name = "sub-14/anat/sub-14_acq-CISS_label-nerveroots_points.tsv"
    tree = own_tree("lumbosacral")
    head, *rows = [line.split("\t") for line in (tree / name).read_text().splitlines()]
    place = head.index(column)
    rows[4][place] = repr(float(rows[4][place]) + 0.5)
    (tree / name).write_text("".join("\t".join(row) + "\n" for row in [head, *rows]))
    Case(source("lumbosacral"), tree, name).says("^line 6: ")


@pytest.mark.parametrize("change", ["less", "more", "swapped", "columns", "binary", "empty"])
def test_an_edited_table_of_points(change: str, source: Make, own_tree: Make) -> None:
    name = "sub-14/anat/sub-14_acq-CISS_label-nerveroots_points.tsv"
    tree = own_tree("lumbosacral")
    lines = (tree / name).read_text().splitlines(keepends=True)
    texts = {
        "less": lines[:-1],
        "more": [*lines, lines[-1]],
        "swapped": [lines[0], lines[2], lines[1], *lines[3:]],
        "columns": [lines[0].replace("x_mm", "y_mm", 1), *lines[1:]],
        "binary": ["\0\0"],
        "empty": [],
    }
    (tree / name).write_text("".join(texts[change]))
    Case(source("lumbosacral"), tree, name).says("rows for|line 2: |columns are|cannot be compared")


def test_an_edited_landmark(source: Make, own_tree: Make) -> None:
    name = "sub-01/anat/sub-01_acq-TSE_T2w.json"
    tree = own_tree("lumbosacral")
    document = json.loads((tree / name).read_text())
    document["AnatomicalLandmarkCoordinates"]["ganglion_L3_R"][0] += 0.1
    (tree / name).write_text(json.dumps(document))
    Case(source("lumbosacral"), tree, name).says("lies at .*L3_R.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_sidecar_that_is_none(content: bytes, source: Make, own_tree: Make) -> None:
    name = "sub-01/anat/sub-01_acq-TSE_T2w.json"
    tree = own_tree("lumbosacral")
    (tree / name).write_bytes(content)
    Case(source("lumbosacral"), tree, name).says(
        "not readable JSON|cannot be compared|not a JSON object"
    )


def test_an_edited_mesh(source: Make, own_tree: Make) -> None:
    name = "sub-01/anat/sub-01_acq-CISS_label-cord_mesh.stl"
    tree = own_tree("lumbosacral")
    content = bytearray((tree / name).read_bytes())
    content[200] ^= 1
    (tree / name).write_bytes(content)
    Case(source("lumbosacral"), tree, name).says("not the bytes of model/sub-01/sub-01_Cord.stl")


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_missed_when_it_is_gone(
    name: str, source: Make, own_tree: Make, stated: Stated
) -> None:
    """One file of each kind, so that none is outside of the proof."""
    tree = own_tree(name)
    kinds: dict[str, Path] = {}
    for path in sorted(p for p in tree.rglob("*") if p.is_file()):
        ending = path.name.rsplit("_", 1)[-1]
        kinds.setdefault(ending if path.parent != tree else path.name, path)
    for path in kinds.values():
        path.unlink()
    found = problems(source(name), tree, *stated(name))
    lost = {path for code, path, _ in found if code == "LOST"}
    assert lost >= {path.relative_to(tree).as_posix() for path in kinds.values()}


def test_an_extra_file_of_a_subject(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    extra = "sub-0001/anat/sub-0001_acq-extra_T2w.nii.gz"
    shutil.copyfile(tree / "sub-0001/anat/sub-0001_dseg.nii.gz", tree / extra)
    native.save(tree / "sub-0099/notes.txt", "hello")
    found = problems(source("myops380"), tree)
    assert found == [
        ("EXTRA", extra, "made from no source file"),
        ("EXTRA", "sub-0099/notes.txt", "made from no source file"),
    ]


def test_what_bids_leaves_to_the_user_is_no_problem(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    for name in ("LICENSE", "code/mine.py", "derivatives/x/y.txt", "sourcedata/z", ".git/config"):
        native.save(tree / name, "mine")
    assert problems(source("myops380"), tree) == []


# The source and the record


def test_a_source_that_has_changed(own_source: Make, own_tree: Make) -> None:
    source, tree = own_source("ivdm3seg"), own_tree("ivdm3seg")
    path = source / "Training/01/01_fat.nii"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    name = "sub-01/anat/sub-01_acq-dixon_rec-fat_T1w.nii.gz"
    found = {path: message for code, path, message in problems(source, tree) if code == "CHANGED"}
    assert "1 voxels differ" in found[name]


def test_a_source_file_that_came_or_went(own_source: Make, tree: Make) -> None:
    source = own_source("myops380")
    (source / "extra.txt").write_text("new")
    (found,) = problems(source, tree("myops380"))
    assert found == ("LOST", RECORD, "does not name the source file extra.txt; convert again")
    (source / "extra.txt").unlink()
    gone = "MyoPS380_dataset/Raw_data/LGE/case0001.nii.gz"
    (source / gone).unlink()
    texts = [
        f"{code} {path}: {message}" for code, path, message in problems(source, tree("myops380"))
    ]
    assert f"EXTRA {RECORD}: names {gone}, which is not in the source" in texts
    assert any(text.startswith("EXTRA sub-0001/anat/sub-0001_acq-LGE") for text in texts)


def test_a_tree_without_a_record(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    (tree / RECORD).unlink()
    (found,) = problems(source("myops380"), tree)
    assert found[:2] == ("LOST", RECORD)


def test_a_file_that_was_not_needed_is_not_missed(source: Make, tree: Make) -> None:
    """The masks of bones are channels of another array: omitted, which is no loss."""
    record = json.loads((tree("ssmspine") / RECORD).read_text())
    omitted = [entry["target"] for entry in record["written"] if not entry["sha256"]]
    assert len(omitted) == 6
    assert not any((tree("ssmspine") / target).exists() for target in omitted)
    assert problems(source("ssmspine"), tree("ssmspine")) == []


def test_a_tree_that_is_not_there(source: Make, tmp_path: Path) -> None:
    ran = run("verify", source("myops380"), tmp_path / "nothing")
    assert ran.code == 2
    assert ran.error == f"{tmp_path / 'nothing'}: no such folder"


def test_an_empty_tree(source: Make, tmp_path: Path) -> None:
    found = problems(source("myops380"), tmp_path)
    assert {code for code, _, _ in found} == {"LOST"}
    assert len([path for _, path, _ in found if path.endswith("_dseg.nii.gz")]) == 3


def test_verification_changes_nothing(source: Make, own_tree: Make) -> None:
    tree = own_tree("chaos")
    (tree / "dseg.tsv").write_text("edited")
    before = snapshot(tree)
    assert run("verify", source("chaos"), tree).code == 1
    assert snapshot(tree) == before


def test_the_text_names_each_problem_and_their_number(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    (tree / "dseg.tsv").unlink()
    ran: Ran = run("verify", source("myops380"), tree)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines() == ["LOST dseg.tsv: not in the tree", "1 problems"]
    sound = run("verify", source("chaos"), own_tree_of(source("chaos"), tree.parent))
    assert (sound.code, sound.out) == (0, "verified: nothing lost or changed\n")


def own_tree_of(source: Path, folder: Path) -> Path:
    bidsify.convert(source, folder / "other")
    return folder / "other"


def test_processes_find_the_same(source: Make, own_tree: Make) -> None:
    from conftest import shell

    tree = own_tree("myops380")
    for number in ("0001", "0006"):
        path = tree / f"sub-{number}/anat/sub-{number}_dseg.nii.gz"
        data, image = volume(path)
        save_volume(path, np.flip(data, 0), image)
    alone = run("verify", source("myops380"), tree)
    together = shell("verify", source("myops380"), tree, "-j", "2")
    assert alone.code == together.code == 1
    assert together.out == alone.out


def test_a_proof_reads_nothing_of_the_writer(
    source: Make, own_tree: Make, monkeypatch: Any
) -> None:
    """A writer that flips each volume is caught by the conversion itself."""
    from bidsify.conversion import volumes

    true = volumes.nifti.with_shape

    def flipped(image: Any) -> bytes:
        raw = true(image)
        whole = nib.Nifti1Image.from_bytes(raw)
        data = np.flip(np.asanyarray(whole.dataobj), 0)
        return bytes(nib.Nifti1Image(data, whole.affine, whole.header).to_bytes())

    monkeypatch.setattr(volumes.nifti, "with_shape", flipped)
    out = own_tree("ivdm3seg").parent / "flipped"
    done = bidsify.convert(source("ivdm3seg"), out)
    assert len(done.failures) == 15
    assert all("does not hold what the source holds" in text for text in done.failures)
    assert all("flipped along axis" in text for text in done.failures if "flipped" in text)
    assert not list(out.rglob("*.nii.gz"))
