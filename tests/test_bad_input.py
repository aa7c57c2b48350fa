"""Bad input, through the command line.

Each case has its exit code and one sentence that names the file and says what to do. The failing
file leaves nothing behind, and what does not depend on it is converted as if nothing had been.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import (
    RECORD,
    Make,
    Ran,
    assert_no_leftovers,
    assert_same,
    differing,
    run,
    save_volume,
    shell,
    snapshot,
    volume,
)

from bidsify.demo import native

MYOPS = "MyoPS380_dataset/Raw_data"
LABEL = f"{MYOPS}/label/case0001_gt.nii.gz"
TARGET = "sub-0001/anat/sub-0001_dseg.nii.gz"

#: Files that say which subjects and source files there are.
ABOUT_ALL = {"participants.tsv", RECORD}


def fails(ran: Ran, pattern: str) -> None:
    """Check that a conversion ended with one failure, and that it says what it should."""
    assert ran.code == 1, ran.err
    (sentence,) = ran.failures
    assert re.search(pattern, sentence), sentence
    assert ran.buckets["failed"] > 0


def spared(out: Path, intact: Path, *lost: str) -> None:
    """Check that a tree has all that the intact one has, but for what begins with ``lost``."""
    assert_no_leftovers(out)
    for name in differing(snapshot(out), snapshot(intact)):
        assert name in ABOUT_ALL or name.startswith(lost), name


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# Segmentations


def relabelled(path: Path, change: Callable[[Any], Any]) -> None:
    data, image = volume(path)
    save_volume(path, change(data), image)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (7, r"values without a row in the label table: \[7\] \(1 voxels\); repair"),
        (2221, r"values without a row in the label table: \[2221\]"),
        (-1, r"values without a row in the label table: \[-1\]"),
        (0.5, r"no whole numbers: \[0.5\] \(1 voxels\); was the segmentation resampled\?"),
        (float("nan"), r"no whole numbers: \[nan\] \(1 voxels\)"),
        (float("inf"), r"no whole numbers: \[inf\] \(1 voxels\)"),
    ],
)
def test_a_label_that_the_table_does_not_know(
    value: float, says: str, own_source: Make, tree: Make, out: Path
) -> None:
    def change(data: Any) -> Any:
        data = data.astype(np.float32)
        data[3, 4, 1] = value
        return data

    source = own_source("myops380")
    relabelled(source / LABEL, change)
    ran = run("convert", source, out)
    fails(ran, rf"^{re.escape(LABEL)}: .*{says}")
    assert not (out / TARGET).exists()
    spared(out, tree("myops380"), "sub-0001/anat/sub-0001_dseg", "sub-0001/sub-0001_scans.tsv")
    assert "dseg" not in (out / "sub-0001/sub-0001_scans.tsv").read_text()


def test_float_noise_of_a_scaled_header_is_no_other_label(
    own_source: Make, tree: Make, out: Path
) -> None:
    source = own_source("myops380")
    relabelled(source / LABEL, lambda data: data * 0.9999999997671694)
    assert run("convert", source, out).code == 0
    assert (out / TARGET).read_bytes() == (tree("myops380") / TARGET).read_bytes()


def test_an_empty_ct_mask(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    folder = source / "Train_Sets/CT/1"
    for path in (folder / "Ground").iterdir():
        path.write_bytes(native.png_mask(np.zeros((42, 48), dtype=bool)))
    ran = run("convert", source, out)
    fails(
        ran, r"^Train_Sets/CT/1/Ground/liver_GT_\d+\.png: the segmentation is empty, .*right file"
    )
    spared(out, tree("chaos"), "sub-CT01/ct/sub-CT01_acq-portal_dseg", "sub-CT01/sub-CT01_scans")


# Files that are missing


def test_a_missing_contrast_is_a_remark(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    (source / MYOPS / "LGE/case0002.nii.gz").unlink()
    ran = run("convert", source, out)
    assert ran.code == 0
    assert [t for t in ran.warnings if "LGE" in t and "missing for 1 of 3: sub-0002" in t]
    assert sum(ran.buckets.values()) == 11
    spared(out, tree("myops380"), "sub-0002/")
    sidecar = json.loads((out / "sub-0002/anat/sub-0002_dseg.json").read_text())
    assert [uri for uri in sidecar["Sources"] if "LGE" in uri] == []
    assert len(sidecar["Sources"]) == 2


def test_a_missing_image_whose_sidecar_is_there(own_source: Make, tree: Make, out: Path) -> None:
    """Its sidecar is a source file too, and must not vanish from the counts."""
    source = own_source("lumbosacral")
    (source / "rawdata/sub-01/anat/sub-01_DESS.nii.gz").unlink()
    ran = run("convert", source, out)
    assert [t for t in ran.warnings if "DESS" in t and "missing for 1 of 2: sub-01" in t]
    assert sum(ran.buckets.values()) == 115
    spared(out, tree("lumbosacral"), "sub-01/")


def test_points_without_the_image_that_they_lie_on(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("lumbosacral")
    for path in (source / "rawdata/sub-01/anat").glob("sub-01_CISS.*"):
        path.unlink()
    ran = run("convert", source, out)
    assert ran.code == 0, ran.err
    name = "sub-01/anat/sub-01_acq-CISS_label-dura_points.tsv"
    rows = [line.split("\t") for line in (out / name).read_text().splitlines()]
    place = rows[0].index("i")
    assert {tuple(row[place : place + 3]) for row in rows[1:]} == {("n/a", "n/a", "n/a")}
    spared(out, tree("lumbosacral"), "sub-01/")


def test_fewer_masks_than_slices(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    (source / "Train_Sets/CT/2/Ground/liver_GT_005.png").unlink()
    says = r"^Train_Sets/CT/2/Ground: 11 masks for the 12 slices in .*DICOM_anon; complete"
    fails(run("convert", source, out), says)
    spared(out, tree("chaos"), "sub-CT02/ct/sub-CT02_acq-portal_dseg", "sub-CT02/sub-CT02_scans")
    planned = run("plan", source)
    assert planned.code == 1
    assert "failed: Train_Sets/CT/2/Ground: 11 masks" in planned.out


def test_a_mask_whose_slice_has_another_name(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    folder = source / "Train_Sets/MR/1/T2SPIR/Ground"
    (folder / "IMG-0002-00003.png").rename(folder / "IMG-0002-00099.png")
    says = r"^Train_Sets/MR/1/T2SPIR/Ground/IMG-0002-00099\.png: no slice of the same name in "
    fails(run("convert", source, out), says)
    spared(out, tree("chaos"), "sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg", "sub-MR01/sub-MR01_scans")


def test_a_series_with_a_missing_slice(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    (source / "Test_Sets/CT/3/DICOM_anon/i0004,0000b.dcm").unlink()
    says = (
        r"^Test_Sets/CT/3/DICOM_anon/i000\d,0000b\.dcm: 4 mm from \S+, but slices are 2 mm apart: "
        r"one is missing or they are uneven; complete the series"
    )
    ran = run("convert", source, out)
    fails(ran, says)
    assert ran.buckets["failed"] == 8
    assert not (out / "sub-CT03").exists()
    assert "sub-CT03" not in (out / "participants.tsv").read_text()
    spared(out, tree("chaos"), "sub-CT03/")


def test_a_slice_that_is_there_twice(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    folder = source / "Test_Sets/CT/3/DICOM_anon"
    shutil.copyfile(folder / "i0004,0000b.dcm", folder / "i0009,0000b.dcm")
    fails(run("convert", source, out), r"at the same position as \S+; remove one of them")
    spared(out, tree("chaos"), "sub-CT03/")


def test_a_slice_of_another_size(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    other = source / "Train_Sets/CT/2/DICOM_anon/i0004,0000b.dcm"
    shutil.copyfile(other, source / "Test_Sets/CT/3/DICOM_anon/i0004,0000b.dcm")
    fails(run("convert", source, out), r"^Test_Sets/CT/3/\S+: \(44, 46\) pixels, .*two series\?")
    spared(out, tree("chaos"), "sub-CT03/")


def test_a_mask_of_another_size(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("chaos")
    picture = source / "Train_Sets/CT/1/Ground/liver_GT_003.png"
    picture.write_bytes(native.png_mask(np.ones((42, 47), dtype=bool)))
    fails(run("convert", source, out), r"liver_GT_003\.png: \(47, 42\) pixels, but its slice has")
    spared(out, tree("chaos"), "sub-CT01/ct/sub-CT01_acq-portal_dseg", "sub-CT01/sub-CT01_scans")


# Files that are broken


def test_a_truncated_image(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    path = source / MYOPS / "T2w/case0006.nii.gz"
    path.write_bytes(path.read_bytes()[:-200])
    ran = run("convert", source, out)
    fails(ran, rf"^{MYOPS}/T2w/case0006\.nii\.gz: the gzip stream is cut off; download the file")
    assert ran.buckets["failed"] == 1
    spared(out, tree("myops380"), "sub-0006/")
    assert (out / "sub-0006/anat/sub-0006_dseg.nii.gz").is_file()
    assert not list((out / "sub-0006/anat").glob("*acq-T2w*"))


def test_a_file_cut_off_before_it_was_compressed(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("ivdm3seg")
    for path in (source / "Training/02/02_wat.nii", source / "dataset/02_wat.nii"):
        path.write_bytes(path.read_bytes()[:-1])
    fails(run("convert", source, out), r"^Training/02/02_wat\.nii: cut off.*; download it again")
    spared(out, tree("ivdm3seg"), "sub-02/")


@pytest.mark.parametrize(
    ("name", "path", "lost"),
    [
        ("myops380", f"{MYOPS}/LGE/case0001.nii.gz", "sub-0001/"),
        ("ssmspine", "SSMSpine_Test_Sample/p81/aug1.pt", "sub-p081/"),
        ("chaos", "Train_Sets/CT/1/DICOM_anon/i0003,0000b.dcm", "sub-CT01/"),
        ("chaos", "Train_Sets/MR/1/T2SPIR/Ground/IMG-0002-00003.png", "sub-MR01/"),
        ("lumbosacral", "markers/sub-01/sub-01_cord_3.json", "sub-01/"),
        ("lumbosacral", "rawdata/sub-01/anat/sub-01_CISS.json", "sub-01/"),
        ("lumbosacral", "model/sub-14/sub-14_Cord.stl", "sub-14/"),
    ],
)
def test_an_empty_file(  # noqa: PLR0917
    name: str, path: str, lost: str, own_source: Make, tree: Make, out: Path
) -> None:
    source = own_source(name)
    (source / path).write_bytes(b"")
    fails(run("convert", source, out), rf"^{re.escape(path)}: the file is empty; download it again")
    spared(out, tree(name), lost)


@pytest.mark.parametrize(
    ("name", "path", "says"),
    [
        ("myops380", f"{MYOPS}/LGE/case0001.nii.gz", "not a NIfTI file; is it complete"),
        ("ssmspine", "SSMSpine_Train_Sample/p1/aug2.pt", ""),
        ("chaos", "Train_Sets/CT/1/DICOM_anon/i0003,0000b.dcm", "not a readable DICOM file"),
        ("chaos", "Train_Sets/MR/1/T2SPIR/Ground/IMG-0002-00003.png", "not a readable PNG picture"),
        ("lumbosacral", "markers/sub-01/sub-01_cord_3.json", ""),
        ("lumbosacral", "rawdata/sub-01/anat/sub-01_CISS.json", "not readable JSON"),
        ("lumbosacral", "rawdata/participants.json", "not readable JSON"),
    ],
)
def test_a_file_of_something_else(
    name: str, path: str, says: str, own_source: Make, out: Path
) -> None:
    source = own_source(name)
    (source / path).write_bytes(b"<html>Sign in to download</html>" * 20)
    fails(run("convert", source, out), rf"^{re.escape(path)}: .*{says}")
    assert_no_leftovers(out)


def test_a_mesh_that_is_cut_off(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("lumbosacral")
    path = source / "model/sub-14/sub-14_Cord.stl"
    path.write_bytes(path.read_bytes()[:-10])
    fails(run("convert", source, out), r"^model/sub-14/sub-14_Cord\.stl: .*triangles are announced")
    spared(out, tree("lumbosacral"), "sub-14/anat/sub-14_acq-CISS_label-cord_mesh", "sub-14/sub-14")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"participant_id\tage\nsub-01\t22\tM\tx\n", "a row is longer than the head"),
        (b"participant_id\tage\nsub-01\t22\nsub-01\t23\n", "sub-01 occurs twice"),
        (b"participant_id\tage\nsub-01\t\xff\xfe\n", "not a readable table"),
        (b"", "the file is empty"),
    ],
)
def test_an_unreadable_table_of_people(
    content: bytes, says: str, own_source: Make, tree: Make, out: Path
) -> None:
    source = own_source("lumbosacral")
    (source / "rawdata/participants.tsv").write_bytes(content)
    fails(run("convert", source, out), rf"^rawdata/participants\.tsv: .*{says}")
    lines = (out / "participants.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["participant_id", "sub-01", "sub-14"]
    spared(out, tree("lumbosacral"), "participants")


# Duplicates and collisions


def test_a_copy_that_differs_from_its_original(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("ivdm3seg")
    path = source / "dataset/01_fat.nii"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    ran = run("convert", source, out)
    fails(
        ran, r"^dataset/01_fat\.nii: differs from Training/01/01_fat\.nii, .*remove the wrong one"
    )
    assert ran.buckets["failed"] == 2
    assert not (out / "sub-01/anat/sub-01_acq-dixon_rec-fat_T1w.nii.gz").exists()
    spared(out, tree("ivdm3seg"), "sub-01/")


def test_a_copy_that_is_compressed_is_the_same_image(
    own_source: Make, tree: Make, out: Path
) -> None:
    source = own_source("ivdm3seg")
    path = source / "dataset/01_fat.nii"
    (source / "dataset/01_fat.nii.gz").write_bytes(native.gzipped(path.read_bytes(), name="x"))
    path.unlink()
    ran = run("convert", source, out)
    assert ran.code == 0, ran.err
    assert ran.buckets["duplicate"] == 15
    spared(out, tree("ivdm3seg"), "sub-01/")


def test_two_ids_with_one_label(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("ssmspine")
    shutil.copytree(source / "SSMSpine_Train_Sample/p1", source / "SSMSpine_Train_Sample/p01")
    ran = run("convert", source, out)
    fails(ran, r"the native ids 'p01' and 'p1' both become sub-p001; rename one of them")
    assert ran.buckets == dict(zip(ran.buckets, (1, 0, 0, 0, 0, 4), strict=True))
    assert not (out / "sub-p001").exists()
    spared(out, tree("ssmspine"), "sub-p001/")
    assert run("verify", source, out).code == 1


def test_two_ids_whose_labels_differ_in_case_alone(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("ssmspine")
    train = source / "SSMSpine_Train_Sample"
    shutil.copytree(train / "p1", train / "pA")
    shutil.copytree(train / "p1", train / "pa")
    if len(list(train.iterdir())) < 3:
        pytest.skip("this file system does not tell the two apart")
    ran = run("convert", source, out)
    fails(ran, "the native ids 'pA' and 'pa' both become sub-pa; rename one")
    assert {path.name for path in out.glob("sub-*")} == {"sub-p001", "sub-p081"}
    spared(out, tree("ssmspine"), "sub-none")


def test_two_sessions_with_one_label(own_source: Make, tree: Make, out: Path) -> None:
    """The same file twice under one session label must not be silently merged."""
    source = own_source("ssmspine")
    folder = source / "SSMSpine_Train_Sample/p1"
    shutil.copyfile(folder / "aug1.pt", folder / "aug001.pt")
    (folder / "aug001.pt").write_bytes((folder / "aug2.pt").read_bytes())
    ran = run("convert", source, out)
    assert ran.code == 1
    assert any("aug1" in text and "aug001" in text for text in ran.failures), ran.failures
    assert sum(ran.buckets.values()) == 4
    assert not list((out / "sub-p001").glob("ses-aug001/anat/*"))
    spared(out, tree("ssmspine"), "sub-p001/ses-aug001/", "sub-p001/sub-p001_sessions")


# Hostile input


class Canary:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("form", ["zip", "plain"])
def test_a_pickle_that_runs_a_program(
    form: str, own_source: Make, tree: Make, out: Path, tmp_path: Path
) -> None:
    source = own_source("ssmspine")
    canary = tmp_path / "canary"
    program = pickle.dumps({"img": Canary(f"touch {canary}")}, protocol=2)
    path = source / "SSMSpine_Test_Sample/p81/aug1.pt"
    path.write_bytes(program)
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("aug1/data.pkl", program)
            archive.writestr("aug1/version", b"3\n")
    ran = run("convert", source, out)
    fails(ran, r"^SSMSpine_Test_Sample/p81/aug1\.pt: .*'(posix|nt)\.system', which is not data")
    assert not canary.exists()
    assert not (out / "sub-p081").exists()
    spared(out, tree("ssmspine"), "sub-p081/")


@pytest.mark.parametrize("name", ["../evil.nii.gz", "/evil.nii.gz", "a/../../evil", "C:\\evil"])
def test_an_archive_with_a_path_that_leaves_it(name: str, out: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, b"evil")
    ran = run("convert", tmp_path / "evil.zip", out)
    assert ran.code == 2
    assert "leaves the archive; not opened" in ran.error
    assert repr(name) in ran.error
    assert not out.exists()


def test_a_link_out_of_the_source(own_source: Make, tree: Make, out: Path, tmp_path: Path) -> None:
    source = own_source("myops380")
    link = source / MYOPS / "LGE/case0001.nii.gz"
    secret = tmp_path / "secret.nii.gz"
    link.rename(secret)
    link.symlink_to(secret)
    says = rf"^{MYOPS}/LGE/case0001\.nii\.gz: a link that leaves the source folder; put the file"
    fails(run("convert", source, out), says)
    spared(out, tree("myops380"), "sub-0001/")


def test_a_link_to_nothing(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    link = source / MYOPS / "LGE/case0001.nii.gz"
    link.unlink()
    link.symlink_to("nothing")
    fails(run("convert", source, out), rf"^{MYOPS}/LGE/case0001\.nii\.gz: not readable: No such")
    spared(out, tree("myops380"), "sub-0001/")


def test_a_link_within_the_source_is_followed(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    folder = source / MYOPS / "LGE"
    folder.rename(source / "elsewhere")
    folder.symlink_to(source / "elsewhere")
    (source / "round").symlink_to(source)
    ran = run("convert", source, out)
    assert ran.code == 0, ran.err
    spared(out, tree("myops380"), "none")


def test_a_huge_header_is_not_believed(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("ivdm3seg")
    for path in (source / "Training/02/02_wat.nii", source / "dataset/02_wat.nii"):
        content = bytearray(path.read_bytes())
        content[40:48] = struct.pack("<4h", 3, 32767, 32767, 32767)
        path.write_bytes(content)
    fails(run("convert", source, out), r"^Training/02/02_wat\.nii: .*announces \d+ bytes; download")
    spared(out, tree("ivdm3seg"), "sub-02/")


# Names of files

ODD_NAMES = ("\udcff\udcfe", "tab\tand\nnewline", "bell\x07", "esc\x1b[31mred", "\u202egnp")


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system has no such names")
@pytest.mark.parametrize("odd", ODD_NAMES, ids=ascii)
def test_odd_names_of_files_nobody_knows(odd: str, own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    (source / odd).write_bytes(b"what is this?")
    ran = shell("convert", source, out)
    assert ran.code == 0, ran.err
    assert ran.buckets["unclaimed"] == 1
    assert_printable(ran)
    spared(out, tree("myops380"), "none")
    (entry,) = (e for e in json.loads((out / RECORD).read_bytes())["files"] if not e["targets"])
    assert entry["bucket"] == "unclaimed"
    assert shell("convert", source, out).buckets["kept"] == 12
    assert shell("verify", source, out).code == 0
    for command in ("plan", "detect"):
        shown = shell(command, source)
        assert shown.code == 0
        assert_printable(shown)
        document = shell(command, source, "--json")
        assert document.code == 0
        json.loads(document.out)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system has no such names")
def test_a_folder_whose_name_is_no_utf_8(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    (source / "MyoPS380_dataset").rename(source / "\udcff\udcfe")
    ran = shell("convert", source, out)
    assert ran.code == 0, ran.err
    data = {k: v for k, v in snapshot(out).items() if k.endswith(".gz")}
    assert data == {k: v for k, v in snapshot(tree("myops380")).items() if k.endswith(".gz")}
    scans = (out / "sub-0001/sub-0001_scans.tsv").read_text("utf-8")
    assert "\t\\xff\\xfe/Raw_data/LGE/case0001.nii.gz\t" in scans
    assert shell("verify", source, out).code == 0
    assert shell("convert", source, out).buckets["kept"] == 12


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system has no such names")
@pytest.mark.parametrize("odd", ODD_NAMES[1:], ids=ascii)
def test_a_name_that_fits_into_no_table(odd: str, own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    path = source / MYOPS / "LGE/case0001.nii.gz"
    (source / odd / "LGE").mkdir(parents=True)
    path.rename(source / odd / "LGE/case0001.nii.gz")
    ran = shell("convert", source, out)
    assert_printable(ran)
    fails(ran, r"LGE/case0001\.nii\.gz'?: a control character in the name; rename the file")
    assert ran.buckets["failed"] == 1
    spared(out, tree("myops380"), "sub-0001/")


def assert_printable(ran: Ran) -> None:
    """Check that no name of a file can move the cursor or feign a line."""
    for text in (ran.out, ran.err):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert not [line for line in (ran.out + ran.err).splitlines() if line.startswith("newline")]


# Commands that cannot start


def test_an_unknown_source(out: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/notes.txt").write_text("hello")
    ran = run("convert", tmp_path / "in", out)
    assert ran.code == 2
    assert "dataset not recognised: 1 files such as notes.txt fit no known layout" in ran.error
    assert "'bidsify datasets' lists the layouts" in ran.error
    assert not out.exists()


def test_a_source_that_is_not_there(out: Path, tmp_path: Path) -> None:
    ran = run("convert", tmp_path / "nothing", out)
    assert ran.code == 2
    assert ran.error == f"{tmp_path / 'nothing'}: no such folder or archive"
    assert not out.exists()


def test_a_file_that_is_no_archive(out: Path, tmp_path: Path) -> None:
    (tmp_path / "data.rar").write_bytes(b"Rar!" + bytes(1000))
    ran = run("convert", tmp_path / "data.rar", out)
    assert ran.code == 2
    assert "neither a folder nor a .zip, .tar or .tar.gz archive; unpack it first" in ran.error


@pytest.mark.parametrize("junk", [(), (".DS_Store", "__MACOSX/._x")])
def test_an_empty_folder(junk: tuple[str, ...], out: Path, tmp_path: Path) -> None:
    for name in ("", *junk):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "in" / name).touch() if name else (tmp_path / "in").mkdir(exist_ok=True)
    ran = run("convert", tmp_path / "in", out)
    assert ran.code == 2
    assert "holds no files; is the path right" in ran.error
    assert not out.exists()


def test_the_wrong_dataset(source: Make, out: Path) -> None:
    ran = run("convert", source("ivdm3seg"), out, "--dataset", "chaos")
    assert ran.code == 2
    assert "none of 30 files fits the layout of 'chaos'" in ran.error
    assert "see 'bidsify datasets chaos'" in ran.error
    assert not out.exists()


def test_a_dataset_that_nobody_knows(source: Make, out: Path) -> None:
    ran = run("convert", source("ivdm3seg"), out, "--dataset", "chaso")
    assert ran.code == 2
    assert "no dataset 'chaso'; known are: brats2019, " in ran.error


def test_a_source_that_could_be_two_datasets(source: Make, out: Path, tmp_path: Path) -> None:
    shutil.copytree(source("ivdm3seg") / "Training", tmp_path / "in/one")
    shutil.copytree(source("myops380"), tmp_path / "in/two")
    ran = run("convert", tmp_path / "in", out)
    assert ran.code == 2
    both = "ivdm3seg (15 files) and myops380 (12 files)"
    assert ran.error == f"the source holds several datasets, {both}; convert each with --dataset"
    named = run("convert", tmp_path / "in", out, "--dataset", "myops380")
    assert named.code == 0
    assert named.buckets == dict(zip(named.buckets, (12, 0, 0, 0, 15, 0), strict=True))


@pytest.mark.parametrize("place", ["", "derivatives", "deep/er"])
def test_an_output_within_the_source(place: str, own_source: Make) -> None:
    source = own_source("myops380")
    before = snapshot(source)
    ran = run("convert", source, source / place)
    assert ran.code == 2
    assert "output and source lie in one another; choose a folder outside" in ran.error
    assert snapshot(source) == before


def test_a_source_within_the_output(own_source: Make) -> None:
    source = own_source("myops380")
    ran = run("convert", source / "MyoPS380_dataset", source)
    assert ran.code == 2
    assert "lie in one another" in ran.error


def test_a_link_does_not_hide_that_output_and_source_are_one(
    own_source: Make, tmp_path: Path
) -> None:
    source = own_source("myops380")
    (tmp_path / "link").symlink_to(source)
    ran = run("convert", source, tmp_path / "link" / "out")
    assert ran.code == 2
    assert "lie in one another" in ran.error


def test_a_folder_that_is_not_ours(source: Make, out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    for policy in ("resume", "replace", "error"):
        ran = run("convert", source("myops380"), out, "--on-existing", policy)
        assert ran.code == 2
        assert ran.error.startswith(f"{out}: the output folder is not empty")
    assert snapshot(out) == {"thesis.tex": b"years of work"}


def test_an_output_that_is_a_file(source: Make, out: Path) -> None:
    out.write_text("years of work")
    ran = run("convert", source("myops380"), out)
    assert ran.code == 2
    assert f"{out}: not a folder; choose another" in ran.error
    assert out.read_text() == "years of work"


def test_a_tree_of_another_dataset(source: Make, own_tree: Make) -> None:
    tree = own_tree("myops380")
    before = snapshot(tree)
    ran = run("convert", source("ivdm3seg"), tree)
    assert ran.code == 2
    assert "holds files made of 'myops380' from another source" in ran.error
    assert "--on-existing replace" in ran.error
    assert snapshot(tree) == before


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"dataset": 1, "written": []}'])
def test_a_record_that_cannot_be_read(
    content: str, source: Make, own_tree: Make, tree: Make
) -> None:
    """The description says that the tree is ours, so all of it is written again."""
    for options in ((), ("--on-existing", "replace")):
        own = own_tree("myops380")
        (own / RECORD).write_text(content)
        ran = run("verify", source("myops380"), own)
        assert ran.code == 1
        assert f"{RECORD}: not a readable record" in ran.out
        ran = run("convert", source("myops380"), own, *options)
        assert ran.code == 0, ran.err
        assert ran.buckets["converted"] == 12
        assert snapshot(own) == snapshot(tree("myops380"))
        shutil.rmtree(own)


@pytest.mark.parametrize("description", ["{}", "[" * 100_000], ids=["empty", "deep"])
def test_a_folder_without_our_description_is_not_ours(
    source: Make, own_tree: Make, description: str
) -> None:
    own = own_tree("myops380")
    (own / RECORD).write_text("{")
    (own / "dataset_description.json").write_text(description)
    before = snapshot(own)
    for command in (("convert",), ("convert", "--on-existing", "replace")):
        ran = run(*command, source("myops380"), own)
        assert ran.code == 2
        assert f"{RECORD}: not a readable record of an earlier run; choose another" in ran.error
    assert snapshot(own) == before


# Options


def test_on_existing_error(source: Make, own_tree: Make, out: Path) -> None:
    tree = own_tree("myops380")
    ran = run("convert", source("myops380"), tree, "--on-existing", "error")
    assert ran.code == 2
    assert ran.error.startswith(f"{tree}: the output folder is not empty")
    out.mkdir()
    assert run("convert", source("myops380"), out, "--on-existing", "error").code == 0


def test_on_existing_replace_removes_what_is_ours_alone(
    source: Make, tree: Make, own_tree: Make
) -> None:
    own = own_tree("ivdm3seg")
    mine = {"derivatives/notes.txt": b"mine", "sub-01/anat/notes.txt": b"mine too"}
    for name, content in mine.items():
        native.save(own / name, content)
    ran = run("convert", source("myops380"), own, "--on-existing", "replace")
    assert ran.code == 0, ran.err
    assert ran.buckets["converted"] == 12
    assert snapshot(own) == snapshot(tree("myops380")) | mine


@pytest.mark.parametrize("prefix", ["", "sub-"])
def test_one_participant_and_then_the_rest(
    prefix: str, source: Make, tree: Make, out: Path
) -> None:
    first = run("convert", source("ivdm3seg"), out, "--participant-label", f"{prefix}02")
    assert first.code == 0, first.err
    assert [path.name for path in out.glob("sub-*")] == ["sub-02"]
    assert first.buckets == dict(zip(first.buckets, (5, 0, 5, 20, 0, 0), strict=True))
    assert [line[:6] for line in (out / "participants.tsv").read_text().splitlines()[1:]] == [
        "sub-02"
    ]
    assert run("verify", source("ivdm3seg"), out).code == 0
    rest = run("convert", source("ivdm3seg"), out)
    assert rest.code == 0
    assert rest.buckets == dict(zip(rest.buckets, (10, 5, 15, 0, 0, 0), strict=True))
    assert_same(out, tree("ivdm3seg"))


def test_a_participant_keeps_those_that_are_there(source: Make, own_tree: Make, tree: Make) -> None:
    own = own_tree("ivdm3seg")
    ran = run("convert", source("ivdm3seg"), own, "--participant-label", "02")
    assert ran.code == 0
    assert_same(own, tree("ivdm3seg"))


def test_a_participant_that_is_not_there(source: Make, out: Path) -> None:
    ran = run("convert", source("ivdm3seg"), out, "--participant-label", "02",
              "--participant-label", "sub-77")  # fmt: skip
    assert ran.code == 2
    assert "no participant 77 in the source; there are 01, 02, 16" in ran.error
    assert not out.exists()


def test_max_failures_stops(own_source: Make, out: Path) -> None:
    source = own_source("myops380")
    for path in (source / MYOPS / "label").iterdir():
        path.write_bytes(b"")
    ran = run("convert", source, out, "--max-failures", "2")
    assert ran.code == 1
    assert [path.name for path in sorted(out.glob("sub-*"))] == ["sub-0001", "sub-0002"]
    assert sum(ran.buckets.values()) == 12
    assert any("not reached" in text for text in ran.failures)
    whole = run("convert", source, out, "--max-failures", "4")
    assert len(whole.failures) == 3
    assert not any("not reached" in text for text in whole.failures)


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--fail-on-unclaimed",), 1)])
def test_a_file_that_nobody_knows(
    option: tuple[str, ...], code: int, own_source: Make, tree: Make, out: Path
) -> None:
    source = own_source("myops380")
    (source / "extra.nii.gz").write_bytes(b"")
    ran = run("convert", source, out, *option)
    assert ran.code == code
    assert ran.buckets["unclaimed"] == 1
    assert [t for t in ran.warnings if "1 files that the declaration does not know: extra" in t]
    spared(out, tree("myops380"), "none")


def test_junk_of_desktops_is_ignored_by_name(own_source: Make, tree: Make, out: Path) -> None:
    source = own_source("myops380")
    for name in (".DS_Store", f"{MYOPS}/LGE/._case0001.nii.gz", f"{MYOPS}/Thumbs.db"):
        (source / name).write_bytes(b"junk")
    ran = run("convert", source, out, "--fail-on-unclaimed")
    assert ran.code == 0, ran.err
    assert ran.buckets["ignored"] == 3
    spared(out, tree("myops380"), "none")


def test_a_dry_run_and_a_plan_write_nothing(own_source: Make, out: Path) -> None:
    source = own_source("chaos")
    before = snapshot(source)
    for ran in (
        run("convert", source, out, "--dry-run"),
        run("plan", source),
        run("plan", source, "--json"),
        run("detect", source),
    ):
        assert ran.code == 0
        assert ran.err == ""
        assert "sub-CT01" in ran.out or "chaos" in ran.out
    assert not out.exists()
    assert snapshot(source) == before


def test_a_dry_run_fails_as_the_plan_does(own_source: Make, out: Path) -> None:
    source = own_source("chaos")
    (source / "Train_Sets/CT/2/Ground/liver_GT_005.png").unlink()
    assert run("convert", source, out, "--dry-run").code == run("plan", source).code == 1


def test_a_dry_run_shows_the_participants_that_were_asked_for(source: Make, tmp_path: Path) -> None:
    ran = run("convert", source("myops380"), tmp_path / "out", "--dry-run",
              "--participant-label", "0006")  # fmt: skip
    assert ran.code == 0
    assert "sub-0006" in ran.out
    assert "sub-0001" not in ran.out
    unknown = run("convert", source("myops380"), tmp_path / "out", "--dry-run",
                  "--participant-label", "7")  # fmt: skip
    assert unknown.code == 2
    assert "no participant 7 in the source" in unknown.err


def test_no_conversion_changes_its_source(own_source: Make, out: Path) -> None:
    source = own_source("ssmspine")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.rglob("*.pt")}
    assert run("convert", source, out).code == 0
    assert run("verify", source, out).code == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in source.rglob("*.pt")} == before


def test_a_source_that_became_broken(own_source: Make, own_tree: Make) -> None:
    """What an earlier run made of the sound file stays, and nobody calls it proved."""
    source, out = own_source("myops380"), own_tree("myops380")
    before = snapshot(out)
    relabelled(source / LABEL, lambda data: data + 40)
    ran = run("convert", source, out)
    fails(ran, "without a row in the label table")
    assert differing(snapshot(out), before) == [RECORD]
    problems = json.loads(run("verify", source, out, "--json").out)["problems"]
    assert {problem["path"] for problem in problems} >= {TARGET}
