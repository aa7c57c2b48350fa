"""``bidsify report``: what it writes, where, and what it refuses."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import small_trees
from conftest import Make, run
from small_trees import LIVER

import bidsify
from bidsify.errors import TermsError, UsageError
from bidsify.webpage import saving


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_writes_one_page_and_says_where(tree: Make, tmp_path: Path) -> None:
    page, figures = tmp_path / "new" / "page.html", tmp_path / "figures"
    ran = run("report", tree("chaos"), "-o", page, "--figures", figures)
    assert (ran.code, ran.out, ran.err) == (0, f"{page}\n", "")
    assert names(page.parent) == ["page.html"]
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert names(figures)[0] == "label_volumes.svg"
    assert str(tmp_path).encode() not in page.read_bytes()


def test_the_page_has_the_name_of_the_tree(
    tree: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("report", tree("chaos")).out == "chaos_report.html\n"
    assert (tmp_path / "chaos_report.html").is_file()


def test_processes_make_no_difference(tree: Make, tmp_path: Path) -> None:
    one, other = tmp_path / "1.html", tmp_path / "2.html"
    run("report", tree("prostate158"), "-o", one)
    run("report", tree("prostate158"), "-o", other, "-j", 2)
    assert one.read_bytes() == other.read_bytes()


def test_json_goes_to_stdout(tree: Make, tmp_path: Path) -> None:
    ran = run("report", tree("chaos"), "--json")
    assert len(json.loads(ran.out)["cases"]) == 7
    page = tmp_path / "page.html"
    with_page = run("report", tree("chaos"), "--json", "-o", page)
    assert (with_page.out, with_page.err) == (ran.out, f"wrote {page}\n")
    assert page.is_file()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--local",), "--local is about voxels: add --pixels, or leave it out"),
        (("--viewer", "niivue"), "--viewer is about voxels: add --pixels, or leave it out"),
        (("-o", "-"), "-o -: neither the page nor a figure goes to stdout; name a place"),
        (("--figures", "-"), "--figures -: neither"),
        (("--json", "--pixels"), "only with -o"),
        (("--json", "--figures", "x"), "only with -o"),
    ],
)
def test_options_that_do_not_fit(tree: Make, options: tuple[str, ...], why: str) -> None:
    ran = run("report", tree("chaos"), *options)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.error


@pytest.mark.parametrize("place", ["report.html", "sub-01/report.html"])
def test_nothing_is_written_into_the_tree(tmp_path: Path, place: str) -> None:
    root = small_trees.several(tmp_path / "tree", 2)
    ran = run("report", root, "-o", root / place)
    assert ran.code == 2
    assert "lies in the dataset, which it would make invalid" in ran.error
    assert not list(root.rglob("*.html"))


def test_a_tree_or_a_place_that_is_none(tmp_path: Path) -> None:
    assert "no such folder" in run("report", tmp_path / "nothing").error
    root = small_trees.several(tmp_path / "tree", 1)
    assert "is a folder; name a file" in run("report", root, "-o", tmp_path).error


@pytest.mark.parametrize("name", ["myops380", "prostate158"])
def test_voxels_of_restricted_data_are_refused(tree: Make, tmp_path: Path, name: str) -> None:
    page = tmp_path / "page.html"
    ran = run("report", tree(name), "-o", page, "--pixels")
    assert (ran.code, ran.out) == (3, "")
    assert "passing the data on, so no page with voxels of them" in ran.error
    assert "known from: " in ran.error
    assert not page.exists()
    with pytest.raises(TermsError):
        bidsify.report(tree(name), page, pixels=True, found=bidsify.describe(tree(name)))


def test_a_page_with_voxels_says_whether_it_may_be_passed_on(tree: Make, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    warning = "it must not be passed on either"
    assert run("report", tree("myops380"), "-o", page, "--pixels", "--local").code == 0
    assert warning in page.read_text()
    assert 'id="gallery"' in page.read_text()
    assert run("report", tree("chaos"), "-o", page, "--pixels").code == 0
    assert warning not in page.read_text()
    assert run("report", tree("myops380"), "-o", page).code == 0
    assert 'id="gallery"' not in page.read_text()
    assert "data:image" not in page.read_text()


def test_a_broken_tree_has_a_page_that_says_so(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w")
    folder = root / "sub-02" / "anat"
    folder.mkdir(parents=True)
    (folder / "sub-02_dseg.nii.gz").write_bytes(b"no image")
    (folder / "sub-02_T1w.nii.gz").symlink_to("nowhere")
    (root / "sub-03<b>&\x1b[31m").mkdir()
    small_trees.nifti(root / "sub-04/anat/sub-04_acq-<i>_dseg.nii", np.full((3, 3, 3), 0.5))
    (root / "dataset_description.json").write_text("{")
    (root / "participants.tsv").write_text("participant_id\nsub-01\tx\n")
    (root / "code/bidsify").mkdir(parents=True)
    (root / "code/bidsify/conversion.json").write_text("[]")
    page = tmp_path / "page.html"
    ran = run("report", root, "-o", page)
    assert (ran.code, ran.err) == (0, "")
    text = page.read_text()
    for said in (
        "Not sound:", "files cannot be read", "sub-02_dseg.nii.gz: ", "a link that leads nowhere",
        "dataset_description.json: ", "participants.tsv: ", "no whole numbers", "no readable image",
        "sub-03&lt;b&gt;&amp;\\x1b[31m", "terms unknown: do not pass on",
        "The record of the conversion cannot be read",
    ):  # fmt: skip
        assert said in text, said
    assert "<i>" not in text
    assert "<b>" not in text


def test_a_link_in_the_place_of_the_page_is_refused(tmp_path: Path) -> None:
    root = small_trees.several(tmp_path / "tree", 1)
    (tmp_path / "precious").write_text("mine")
    page = tmp_path / "page.html"
    page.symlink_to("precious")
    ran = run("report", root, "-o", page)
    assert (ran.code, ran.out) == (2, "")
    assert "is a link; name the file itself" in ran.error
    assert page.is_symlink()
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("options", [("-o",), ("-o", "page.html", "--figures")])
def test_what_is_no_regular_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    root = small_trees.several(tmp_path / "tree", 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ran = run("report", root, *options, pipe)
    assert (ran.code, ran.out) == (2, "")
    why = "is no folder; name one" if len(options) > 1 else "is no regular file and is not replaced"
    assert why in ran.error
    assert pipe.is_fifo()
    assert names(tmp_path) == ["pipe", "tree"]
    with pytest.raises(UsageError, match="no regular file"):
        saving.save(pipe, b"a page")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_folder_that_is_no_dataset_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "download"
    (folder / "Train_Sets").mkdir(parents=True)
    ran = run("report", folder, *options)
    assert (ran.code, ran.out) == (2, "")
    assert "neither dataset_description.json nor folders sub-*" in ran.error
    assert names(tmp_path) == ["download"]
    (folder / "sub-01").mkdir()
    assert run("report", folder, *options).code == 0
    (folder / "sub-01").rmdir()
    (folder / "dataset_description.json").write_text("{")
    assert run("report", folder, *options).code == 0


def test_nothing_is_written_through_a_link_that_others_laid(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / ".page.html.part").symlink_to("precious")
    saving.save(tmp_path / "page.html", b"a page")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "page.html").read_bytes() == b"a page"
    assert (tmp_path / ".page.html.part").is_symlink()
    assert len(names(tmp_path)) == 3


def test_a_page_can_be_read_by_whom_other_files_can(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    saving.save(tmp_path / "page.html", b"a page")
    modes = {(tmp_path / name).stat().st_mode for name in ("other", "page.html")}
    assert len(modes) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_no_image_of_strangers_stops_a_page_with_voxels(tmp_path: Path, workers: int) -> None:
    root = small_trees.several(tmp_path / "tree", 3)
    flat = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    small_trees.nifti(root / "sub-02/anat/sub-02_dseg.nii.gz", small_trees.labels(LIVER), flat)
    colours = np.zeros(small_trees.SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    small_trees.nifti(root / "sub-01/anat/sub-01_T1w.nii", colours)
    (root / "sub-01/anat/sub-01_T1w.nii.gz").unlink()
    with (root / "sub-01/anat/sub-01_T1w.nii").open("r+b") as file:
        file.seek(112)
        file.write(np.float32(2).tobytes())  # scl_slope
    page = tmp_path / "page.html"
    ran = run("report", root, "-o", page, "--pixels", "-j", workers)
    assert (ran.code, ran.err) == (0, "")
    assert "its affine is singular" in page.read_text()
    assert page.read_text().count('<div class="picture"><img') == 2


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small_trees.several(tmp_path / "tree", 1)
    place = tmp_path / "out" / "page.html"
    saving.save(place, b"earlier")

    def full(path: Path, _: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = run("report", root, "-o", place)
    assert ran.code == 2
    assert "No space left on device" in ran.error
    assert names(place.parent) == ["page.html"]
    assert place.read_bytes() == b"earlier"
