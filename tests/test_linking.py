"""``convert --link``: files that need no change share the disk space of the source."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bidsify import api
from bidsify.demo import brats2021
from bidsify.engine import linking
from bidsify.engine.writing import write_file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two subjects, as nibabel packs images: no name, no time; one image is as gzip packs it."""
    folder = tmp_path / "source"
    brats2021.make(folder)
    for path in sorted(folder.rglob("*.nii.gz")):
        image = nib.Nifti1Image.from_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
        image.to_filename(path)
    named = next(folder.rglob("*Data/*/*_t1.nii.gz"))
    raw = gzip.decompress(named.read_bytes())
    packed = io.BytesIO()
    with gzip.GzipFile("private.nii", "wb", fileobj=packed, mtime=1) as stream:
        stream.write(raw)
    named.write_bytes(packed.getvalue())
    return folder


def images(root: Path) -> dict[str, os.stat_result]:
    return {p.relative_to(root).as_posix(): p.stat() for p in sorted(root.rglob("*.nii.gz"))}


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_linked_tree_has_the_bytes_of_a_copied_one(source: Path, tmp_path: Path) -> None:
    assert api.convert(source, tmp_path / "copied").is_complete
    assert api.convert(source, tmp_path / "linked", link=True).is_complete
    assert contents(tmp_path / "linked") == contents(tmp_path / "copied")
    assert api.verify(source, tmp_path / "linked") == []


def test_a_file_that_must_change_is_not_linked(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "_clone", lambda *_: False)
    api.convert(source, tmp_path / "out", link=True)
    native = {status.st_ino for status in images(source).values()}
    linked = {path: s.st_ino in native for path, s in images(tmp_path / "out").items()}
    assert sum(linked.values()) == len(linked) - 1  # the one with a name in it
    assert all(b"private" not in p.read_bytes() for p in (tmp_path / "out").rglob("*.nii.gz"))


def test_a_second_run_changes_nothing(source: Path, tmp_path: Path) -> None:
    api.convert(source, tmp_path / "out", link=True)
    before = contents(tmp_path / "out"), images(source)
    again = api.convert(source, tmp_path / "out", link=True)
    assert again.is_complete
    assert again.buckets["converted"] == 0
    assert contents(tmp_path / "out") == before[0]
    assert {p: s.st_mtime_ns for p, s in images(source).items()} == {
        p: s.st_mtime_ns for p, s in before[1].items()
    }
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_tree_that_is_replaced_leaves_the_source_alone(source: Path, tmp_path: Path) -> None:
    native = contents(source)
    api.convert(source, tmp_path / "out", link=True)
    api.convert(source, tmp_path / "out", on_existing="replace")
    assert contents(source) == native
    inodes = {status.st_ino for status in images(source).values()}
    assert not inodes & {status.st_ino for status in images(tmp_path / "out").values()}


def test_what_comes_out_of_an_archive_is_written(source: Path, tmp_path: Path) -> None:
    packed = tmp_path / "source.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(source.parent))
    assert api.convert(packed, tmp_path / "out", link=True).is_complete
    assert all(status.st_nlink == 1 for status in images(tmp_path / "out").values())


def refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize(
    ("change", "links"),
    [(lambda _: None, 2), (lambda patch: patch.setattr(os, "link", refuse), 1)],
    ids=["links", "no links"],
)
def test_where_links_cannot_be_made_the_content_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[object], None], links: int
) -> None:
    monkeypatch.setattr(linking, "_clone", lambda *_: False)
    change(monkeypatch)
    origin, root = tmp_path / "origin", tmp_path / "root"
    origin.write_bytes(b"content")
    for _ in range(2):  # to write a link over itself is nothing
        write_file(root, "a/b", b"content", "00" * 32, origin)
        assert (root / "a/b").read_bytes() == b"content"
        assert (root / "a/b").stat().st_nlink == links
        assert [path.name for path in root.rglob("*") if path.is_file()] == ["b"]


def test_a_clone_is_a_file_of_its_own(tmp_path: Path) -> None:
    origin, place = tmp_path / "origin", tmp_path / "place"
    origin.write_bytes(np.arange(1 << 16).tobytes())
    if not linking._clone(origin, place):
        assert not place.exists()
        pytest.skip("this file system has no clones")
    place.write_bytes(b"edited")
    assert origin.stat().st_size == 1 << 19


@pytest.mark.parametrize("clone", [True, False])
def test_an_origin_that_has_changed_is_not_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, clone: bool
) -> None:
    if not clone:
        monkeypatch.setattr(linking, "_clone", lambda *_: False)
    (tmp_path / "origin").write_bytes(b"changed")
    write_file(tmp_path / "root", "a", b"content", origin=tmp_path / "origin")
    assert (tmp_path / "root/a").read_bytes() == b"content"
    assert (tmp_path / "origin").read_bytes() == b"changed"


def test_an_object_of_an_annex_is_not_linked(tmp_path: Path) -> None:
    origin = tmp_path / ".git/annex/objects/one"
    origin.parent.mkdir(parents=True)
    origin.write_bytes(b"content")
    write_file(tmp_path / "root", "a", b"content", origin=origin)
    assert origin.stat().st_nlink == 1
