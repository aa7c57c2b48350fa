"""Bags: complete with their manifests, or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import assert_same, snapshot

from bidsify.errors import SourceError, UsageError
from bidsify.sharing import bag as bags
from bidsify.sharing.bag import open_bag


def fill(dest: Path, source: Path | None = None) -> None:
    with open_bag(dest) as bag:
        bag.add("b/two.txt", b"two")
        bag.add("a.txt", source or b"one")
        bag.add_tag("UPLOAD.md", b"# how\n")


def test_a_bag_has_what_the_standard_asks_for(tmp_path: Path) -> None:
    fill(tmp_path / "bag")
    files = snapshot(tmp_path / "bag")
    assert files["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert b"Payload-Oxum: 6.2\n" in files["bag-info.txt"]
    assert b"Date" not in files["bag-info.txt"]
    lines = files["manifest-sha256.txt"].decode().splitlines()
    assert [line[64:] for line in lines] == ["  data/a.txt", "  data/b/two.txt"]
    tags = files["tagmanifest-sha256.txt"].decode().splitlines()
    assert [line[66:] for line in tags] == [
        "UPLOAD.md", "bag-info.txt", "bagit.txt", "manifest-sha256.txt",
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum")
def test_sha256sum_reads_the_manifests(tmp_path: Path) -> None:
    fill(tmp_path / "bag")
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        command = ["sha256sum", "-c", "--strict", name]
        subprocess.run(command, cwd=tmp_path / "bag", check=True, capture_output=True)


def test_bagit_accepts_a_bag(tmp_path: Path) -> None:
    bagit = pytest.importorskip("bagit")
    fill(tmp_path / "bag")
    bagit.Bag(str(tmp_path / "bag")).validate()
    (tmp_path / "bag" / "data" / "a.txt").write_text("other")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path / "bag")).validate()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    fill(tmp_path / "one")
    (tmp_path / "source").write_bytes(b"one")
    (tmp_path / "link").symlink_to("source")  # as git-annex has them
    fill(tmp_path / "two", tmp_path / "link")
    assert_same(tmp_path / "one", tmp_path / "two")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "bag").mkdir()
    fill(tmp_path / "bag")
    assert (tmp_path / "bag" / "bagit.txt").is_file()


def test_a_folder_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``.`` has no name that a folder beside it could take."""
    (tmp_path / "here").mkdir()
    (tmp_path / "bag").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match=r"^\.: the folder that you are in would be replaced"):
        fill(Path())
    fill(Path("../bag/../bag/."))
    assert (tmp_path / "bag/bagit.txt").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bag", "here"]
    (tmp_path / "here/x").touch()
    with pytest.raises(UsageError, match="not empty"):
        fill(Path())


@pytest.mark.parametrize(
    ("place", "reason"), [("full", "not empty"), ("file", "not a folder"), ("link", "not a folder")]
)
def test_what_is_there_stays(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("years of work")
    (tmp_path / "link").symlink_to("nowhere")
    before = snapshot(tmp_path / "full")
    with pytest.raises(UsageError, match=reason):
        fill(tmp_path / place)
    assert snapshot(tmp_path / "full") == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "name",
    [
        "../out",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/../b",
        "",
        "a\nb",
        "a\\b",
        "\ud800",
        "\x1b[",
    ],
)
def test_a_name_that_no_manifest_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(SourceError, match="cannot be written in a manifest"),
        open_bag(tmp_path / "bag") as bag,
    ):
        bag.add(name, b"")
    assert not list(tmp_path.iterdir())


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    with open_bag(tmp_path / "bag") as bag:
        bag.add("a", b"1")
        with pytest.raises(SourceError, match="already"):
            bag.add("a", b"2")
        for name in ("data/x", "bagit.txt", "manifest-sha256.txt"):
            with pytest.raises(SourceError, match="use of its own"):
                bag.add_tag(name, b"")
    assert (tmp_path / "bag" / "data" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Whatever it is that does not fit any more: payload, tag file or manifest."""
    count = 0

    def write(_stream: Any, piece: bytes) -> int:
        nonlocal count
        count += 1
        if count > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(piece)

    monkeypatch.setattr(bags.HashedFile, "write", write)
    dest = tmp_path / "bag"
    if after < 6:
        with pytest.raises(UsageError, match="No space left on device; nothing was kept"):
            fill(dest)
        assert not list(tmp_path.iterdir())
    else:
        fill(dest)


def test_a_full_disk_at_the_last_moment_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bags.os, "fsync", sync)
    with pytest.raises(UsageError, match="make room"):
        fill(tmp_path / "bag")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with open_bag(tmp_path / "bag") as bag:
            bag.add("a", b"1")
            raise error

    with pytest.raises(error):
        fail()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    with open_bag(tmp_path / "bag") as bag:
        old = bag.folder.with_name(bag.folder.name.replace(f"-{os.getpid()}", "-0"))
        shutil.copytree(bag.folder, old)
        foreign = old.with_name(old.name.replace("-0.", "-1."))
        foreign.mkdir()
        (foreign / "mine").write_text("mine")
        with pytest.raises(FileExistsError), open_bag(tmp_path / "bag"):  # its lock is held
            pass
        assert bag.folder.is_dir()
    assert not old.exists()
    assert (foreign / "mine").exists()
    assert not list((tmp_path / "bag").glob(".*"))
