"""Tar archives of a tree: complete, a subject in one piece, and the same bytes each time."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from conftest import snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsify.errors import SourceError, UsageError
from bidsify.sharing import archive
from bidsify.sharing.bag import open_bag

LONG = f"sub-01/{'long' * 40}.json"


def tree(root: Path, sizes: dict[str, int]) -> list[str]:
    for path, size in sizes.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(os.urandom(size))
    return list(sizes)


def shards(folder: Path, root: Path, paths: list[str], limit: int) -> list[Path]:
    with open_bag(folder) as bag:
        names = archive.write_shards(root, paths, bag, limit)
    assert sorted(path.name for path in (folder / "data").iterdir()) == names
    return [folder / "data" / name for name in names]


def members(path: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(path) as opened:
        return opened.getmembers()


def test_all_comes_back(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    paths = tree(root, {"README": 5, LONG: 9, "sub-02/anat/ü.nii": 3000, "sub-02/empty": 0})
    (root / "sub-02" / "empty").chmod(0o700)
    made = shards(tmp_path / "bag", root, paths, 1 << 20)
    assert [path.name for path in made] == ["part-001.tar"]
    with tarfile.open(made[0]) as opened:
        opened.extractall(tmp_path / "out", filter="data")
    assert snapshot(tmp_path / "out") == snapshot(root)


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = tree(tmp_path / "one", {"README": 5, LONG: 9, "sub-02/ü": 3000})
    for path in paths:
        place = tmp_path / "two" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place.name).write_bytes((tmp_path / "one" / path).read_bytes())
        place.symlink_to(tmp_path / place.name)  # as git-annex has them
        os.utime(tmp_path / place.name, (1e9, 1e9))
    one = shards(tmp_path / "a", tmp_path / "one", paths, 4096)
    two = shards(tmp_path / "b", tmp_path / "two", paths[::-1], 4096)
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    for each in (member for path in one for member in members(path)):
        assert (each.uid, each.gid, each.uname, each.gname, each.mtime) == (0, 0, "", "", 0)
        assert (each.mode, each.type) == (0o644, tarfile.REGTYPE)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o711, 0o777])
def test_rights_change_no_byte(tmp_path: Path, mode: int) -> None:
    """A copy on a disk of Windows has all of them, and the archive is the same."""
    paths = tree(tmp_path, {"code/run.sh": 5})
    (tmp_path / "code/run.sh").chmod(mode)
    (made,) = shards(tmp_path / "bag", tmp_path, paths, 1 << 20)
    assert [each.mode for each in members(made)] == [0o644]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (1 << 20, [["participants.tsv", "derivatives/x/sub-01_a", "sub-01/a", "sub-01/b",
                    "sub-02/a", "sub-03/a"]]),
        (34_000, [["participants.tsv", "derivatives/x/sub-01_a", "sub-01/a", "sub-01/b"],
                  ["sub-02/a"], ["sub-03/a"]]),
        (22_000, [["participants.tsv"], ["derivatives/x/sub-01_a", "sub-01/a"], ["sub-01/b"],
                  ["sub-02/a"], ["sub-03/a"]]),
        (1, [["participants.tsv"], ["derivatives/x/sub-01_a"], ["sub-01/a"], ["sub-01/b"],
             ["sub-02/a"], ["sub-03/a"]]),
    ],
)  # fmt: skip
def test_a_subject_stays_in_one_piece_where_it_can(
    tmp_path: Path, limit: int, expected: list[list[str]]
) -> None:
    sizes = {"participants.tsv": 10, "sub-01/a": 5000, "sub-01/b": 8000, "sub-02/a": 10_000}
    sizes |= {"sub-03/a": 15_000, "derivatives/x/sub-01_a": 10}
    paths = tree(tmp_path / "tree", sizes)
    made = shards(tmp_path / "bag", tmp_path / "tree", paths, limit)
    assert [[each.name for each in members(path)] for path in made] == expected
    for path in made:
        assert path.stat().st_size <= limit or len(members(path)) == 1


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"(?:sub-0[1-4]/)?[a-z]{1,3}", fullmatch=True),
        st.integers(0, 9000),
        min_size=1,
    ),
    st.integers(1, 60_000),
)
def test_nothing_is_lost_and_no_archive_is_too_large(
    tmp_path_factory: Any, sizes: dict[str, int], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    made = shards(folder / "bag", folder / "tree", tree(folder / "tree", sizes), limit)
    found = [each.name for path in made for each in members(path)]
    assert sorted(found) == sorted(sizes)
    assert all(path.stat().st_size <= limit or len(members(path)) == 1 for path in made)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("gone", "No such file"), ("sub-01", "not a file"), ("a\nb", "cannot be written")],
)
def test_what_is_no_file_is_refused(tmp_path: Path, path: str, reason: str) -> None:
    tree(tmp_path, {"sub-01/a": 1})
    with pytest.raises(SourceError, match=f"{reason}|Is a directory"):
        shards(tmp_path / "bag", tmp_path, [path], 1 << 20)
    assert not (tmp_path / "bag").exists()


def test_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be positive"):
        shards(tmp_path / "bag", tmp_path, [], 0)


@pytest.mark.parametrize("size", [10, 30_000])
def test_a_file_that_changes_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    paths = tree(tmp_path, {"a": 20_000})
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        """Tell the size before somebody wrote."""
        values = list(real(descriptor))
        if values[6] == 20_000:
            values[6] = size
        return os.stat_result(values)

    monkeypatch.setattr(archive.os, "fstat", fstat)
    with pytest.raises(SourceError, match="changed while it was read"):
        shards(tmp_path / "bag", tmp_path, paths, 1 << 20)
