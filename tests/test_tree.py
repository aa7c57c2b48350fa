"""A dataset on disk: what is listed, what links do, and which files apply to which."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bidsify.validation.files.tree import File, Folder, open_tree


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        place = root / path
        if path.endswith("/"):
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.encode())
    return root


def links(folder: Folder) -> list[tuple[str, str]]:
    return [(link.path, link.code) for link in folder.links]


def test_files_and_folders_are_sorted_and_hidden_ones_left_out(tmp_path: Path) -> None:
    root = Folder(str(make(tmp_path, "b", "a/x", "B", ".git/config", ".bidsignore", "c/")))
    assert list(root.files) == ["B", "b"]
    assert list(root.folders) == ["a", "c"]
    assert root.child("a").files["x"].path == "a/x"
    assert Path(root.child("a").files["x"].location) == tmp_path / "a/x"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/x", "a/x"),
        ("a", "a/"),
        ("b", "b"),
        ("a/y", None),
        ("b/x", None),
        ("", None),
        ("../b", None),
    ],
)
def test_a_path_is_found_or_not(tmp_path: Path, path: str, expected: str | None) -> None:
    found = Folder(str(make(tmp_path, "a/x", "b"))).find(path)
    assert (found and found.path) == expected


def test_a_folder_is_listed_once_until_it_is_closed(tmp_path: Path) -> None:
    root = Folder(str(make(tmp_path, "a/x")))
    first = root.child("a")
    assert root.child("a") is first
    root.close("a")
    assert root.child("a") is not first


def test_links_are_followed_and_broken_ones_told(tmp_path: Path) -> None:
    make(tmp_path, "real/x", "a/")
    for name, target in (
        ("file", "real/x"), ("folder", "real"), ("nowhere", "missing"), ("self", "self"),
        ("up", "."), ("annex", ".git/annex/objects/aa/bb"),
    ):  # fmt: skip
        (tmp_path / name).symlink_to(target)
    root = Folder(str(tmp_path))
    assert set(root.files) == {"file", "annex"}
    assert root.files["annex"].is_absent
    assert not root.files["file"].is_absent
    assert set(root.folders) == {"a", "folder", "real"}
    assert links(root) == [
        ("nowhere", "SYMLINK_BROKEN"), ("self", "SYMLINK_CYCLE"), ("up", "SYMLINK_CYCLE"),
    ]  # fmt: skip


def test_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    make(tmp_path, "x/a", "y/a")
    for number in range(3):
        (tmp_path / f"x/to_y{number}").symlink_to("../y")
        (tmp_path / f"y/to_x{number}").symlink_to("../x")
    x = Folder(str(tmp_path)).child("x")
    assert [name for name in x.folders if x.child(name).folders] == []
    assert {code for name in x.folders for _, code in links(x.child(name))} == {"SYMLINK_CYCLE"}


def test_pipes_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to_pipe").symlink_to("pipe")
    (tmp_path / "to_device").symlink_to("/dev/zero")
    root = Folder(str(tmp_path))
    assert (root.files, root.folders, root.links) == ({}, {}, [])


def test_a_link_that_vanishes_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("x")

    def gone(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(os, "readlink", gone)
    assert links(Folder(str(tmp_path))) == [("link", "SYMLINK_BROKEN")]


def test_a_folder_that_cannot_be_listed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    folder = Folder(str(tmp_path))
    assert folder.error is not None
    assert folder.error.strerror == "Permission denied"


def test_folders_are_looked_into_to_a_depth(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(300):
        place = place / "a"
    place.mkdir(parents=True)
    folder, depth = Folder(str(tmp_path)), 0
    while folder.folders:
        folder, depth = folder.child("a"), depth + 1
    assert 200 < depth < 300
    assert folder.error is not None
    assert "nested too deeply" in str(folder.error)


def test_size_of_a_file(tmp_path: Path) -> None:
    root = Folder(str(make(tmp_path, "abc")))
    assert not root.files["abc"].is_sized
    assert root.files["abc"].size == 3
    (tmp_path / "abc").unlink()
    assert root.files["abc"].size == 3, "asked once"
    assert File("gone", root).size == 0
    assert File("away", root, is_absent=True).size == 1


def names(found: list[File]) -> list[str]:
    return sorted(file.name for file in found)


def test_files_apply_where_all_their_entities_fit(tmp_path: Path) -> None:
    root = Folder(str(make(
        tmp_path, "bold.json", "task-a_bold.json", "task-b_bold.json", "acq-x_bold.json",
        "task-a_acq-x_bold.json", "task-a_T1w.json", "task-a_bold.tsv",
    )))  # fmt: skip
    entities = {"sub": "01", "task": "a"}
    assert names(root.applicable(entities, "bold", ".json", ())) == [
        "bold.json",
        "task-a_bold.json",
    ]
    assert names(root.applicable({"acq": "x"}, "bold", ".json", ())) == [
        "acq-x_bold.json", "bold.json",
    ]  # fmt: skip
    assert names(root.applicable(entities, "bold", ".json", ("acq",))) == [
        "acq-x_bold.json", "bold.json", "task-a_acq-x_bold.json", "task-a_bold.json",
    ]  # fmt: skip
    assert root.applicable(entities, "sbref", ".json", ()) == []


def test_reach_covers_all_folders_above(tmp_path: Path) -> None:
    root = Folder(str(make(tmp_path, "T1w.json", "a/b/sub-1_T1w.nii", "c/events.tsv")))
    assert root.child("a").child("b").reach == {("T1w", ".json"), ("T1w", ".nii")}
    assert [f.path for f in root.child("a").child("b").chain()] == ["a/b/", "a/", ""]


@pytest.mark.parametrize("content", [b"*.txt\n", b"*.txt\r\n", b"x\xff\n*.txt"])
def test_bidsignore_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".bidsignore").write_bytes(content)
    _, ignore = open_tree(str(tmp_path))
    assert ignore.matches("a.txt")


def test_no_line_counts_of_a_bidsignore_in_utf16(tmp_path: Path) -> None:
    (tmp_path / ".bidsignore").write_bytes("*.txt\n".encode("utf-16"))
    _, ignore = open_tree(str(tmp_path))
    assert not ignore.matches("a.txt")


def test_a_bidsignore_that_leads_nowhere_is_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / ".bidsignore").symlink_to("gone")
    root, _ = open_tree(str(tmp_path))
    assert [(link.path, link.code) for link in root.links] == [(".bidsignore", "SYMLINK_BROKEN")]


def test_a_bidsignore_that_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".bidsignore")
    _, ignore = open_tree(str(tmp_path))
    assert not ignore.has_lines


def test_a_bidsignore_in_utf_16_says_nothing(tmp_path: Path) -> None:
    """As officially: one that starts with no UTF-8 is taken for UTF-16."""
    (tmp_path / ".bidsignore").write_bytes("*.txt".encode("utf-16"))
    assert not open_tree(str(tmp_path))[1].matches("a.txt")
