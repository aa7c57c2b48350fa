"""With a cache of what was read of voxels, a report is the same as without."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Make, run
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.errors import UsageError
from bidsify.validation import stamps
from bidsify.validation.checks import voxels
from bidsify.validation.checks.summary import Summary
from bidsify.validation.issue import Report
from bidsify.validation.memory import Memory

STAMP = (1, 2, 3, 4)


def report(tree: Path, cache: Path | None = None, workers: int = 1) -> Report:
    found = bidsify.validate(tree, level="voxels", cache=cache, workers=workers)
    return replace(found, seconds=0)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files that were written just now for old ones."""
    monkeypatch.setattr(stamps, "MARGIN", -3600 * 10**9)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which images are read."""
    found: list[str] = []
    read = voxels.read_voxels

    def spy(location: str, header: Any) -> Any:
        found.append(location.rpartition("/")[2])
        return read(location, header)

    monkeypatch.setattr(voxels, "read_voxels", spy)
    return found


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("name", ["ssmspine", "myops380"])
def test_nothing_is_read_twice(
    name: str, own_tree: Make, tmp_path: Path, unread: list[str]
) -> None:
    tree, cache = own_tree(name), tmp_path / "cache" / "of.json"
    first = report(tree, cache)
    assert unread
    unread.clear()
    assert report(tree, cache) == first
    assert unread == []
    assert report(tree) == first


def _edit(tree: Path, pattern: str, change: Callable[[bytes], bytes]) -> None:
    path = min(tree.rglob(pattern))
    before = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _one_voxel(content: bytes) -> bytes:
    plain = bytearray(gzip.decompress(content))
    plain[-1] = 77
    return gzip.compress(plain, mtime=0)


def _drop_a_row(content: bytes) -> bytes:
    return b"\n".join(content.split(b"\n")[:2]) + b"\n"


def _rename(tree: Path, old: str, new: str) -> None:
    path = min(tree.rglob(f"*{old}"))
    path.rename(path.with_name(path.name.replace(old, new)))


def _swap(tree: Path) -> None:
    first, *_, last = sorted(tree.rglob("*.nii.gz"))
    aside = tree.parent / "aside"
    first.rename(aside)
    last.rename(first)
    aside.rename(last)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    "change",
    [
        lambda tree: _edit(tree, "*dseg.nii.gz", _one_voxel),
        lambda tree: _edit(tree, "*dseg.nii.gz", lambda content: content[:-9]),
        lambda tree: _edit(tree, "*dseg.tsv", _drop_a_row),
        lambda tree: min(tree.rglob("*dseg.tsv")).unlink(),
        lambda tree: _rename(tree, "dseg.nii.gz", "mask.nii.gz"),
        lambda tree: _rename(tree, "dseg.nii.gz", "probseg.nii.gz"),
        lambda tree: shutil.rmtree(min(tree.glob("sub-*"))),
        _swap,
    ],
)
def test_a_changed_tree_has_the_report_that_it_has_without(
    change: Callable[[Path], None], own_tree: Make, tmp_path: Path
) -> None:
    tree, cache = own_tree("myops380"), tmp_path / "cache"
    before = report(tree, cache)
    change(tree)
    after = report(tree, cache)
    assert after == report(tree)
    assert after != before
    assert report(tree, cache, workers=2) == after


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:-20],
        lambda content: content.replace(b"1", b"2"),
        lambda content: content.replace(b'"bidsify_version":"', b'"bidsify_version":"0'),
        lambda _: b"[]\n[]",
        lambda _: b"\xff" * 100,
    ],
)
@pytest.mark.usefixtures("old")
def test_a_damaged_cache_counts_as_empty(
    damage: Callable[[bytes], bytes], own_tree: Make, tmp_path: Path, unread: list[str]
) -> None:
    tree, cache = own_tree("myops380"), tmp_path / "cache"
    first = report(tree, cache)
    cache.write_bytes(damage(cache.read_bytes()))
    read = sorted(unread)
    unread.clear()
    assert report(tree, cache) == first
    assert sorted(unread) == read


def test_what_was_written_just_now_is_read_again(
    own_tree: Make, tmp_path: Path, unread: list[str]
) -> None:
    """It could be edited again before the clock of a coarse file system has moved."""
    tree, cache = own_tree("myops380"), tmp_path / "cache"
    report(tree, cache)
    count = len(unread)
    report(tree, cache)
    assert len(unread) == 2 * count


@pytest.mark.usefixtures("old")
def test_datasets_share_a_cache_and_derivatives_are_in_it(
    own_tree: Make, tree: Make, tmp_path: Path, unread: list[str]
) -> None:
    ours, other, cache = own_tree("myops380"), tree("ssmspine"), tmp_path / "cache"
    shutil.copytree(other, ours / "derivatives" / "ssmspine")
    for each in (ours, other):
        bidsify.validate(each, level="voxels", recursive=True, cache=cache)
    unread.clear()
    for each in (ours, other):
        bidsify.validate(each, level="voxels", recursive=True, cache=cache)
    assert unread == []


@pytest.mark.parametrize(
    ("place", "why"),
    [("tree/cache", "outside"), (".", "a folder"), ("tree/README.md/cache", "outside")],
)
def test_a_cache_has_a_place_of_its_own(
    place: str, why: str, own_tree: Make, tmp_path: Path
) -> None:
    own_tree("myops380").rename(tmp_path / "tree")
    with pytest.raises(UsageError, match=why):
        bidsify.validate(tmp_path / "tree", level="voxels", cache=tmp_path / place)


def test_a_cache_that_cannot_be_written_is_told_before_the_work(
    own_tree: Make, tmp_path: Path, unread: list[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        report(own_tree("myops380"), tmp_path / "file" / "cache")
    assert unread == []


def test_a_cache_is_for_what_is_read(own_tree: Make, tmp_path: Path) -> None:
    tree = own_tree("myops380")
    ran = run("validate", tree, "--level", "names", "--cache", tmp_path / "cache")
    assert ran.code == 2
    assert "reads nothing" in ran.err


def test_the_command_keeps_a_cache(own_tree: Make, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ran = run("validate", own_tree("myops380"), "--level", "voxels", "--cache", cache)
    assert ran.code == 0
    assert json.loads(cache.read_bytes().split(b"\n")[0]).keys() == {"bidsify_version", "sha256"}


_VALUES = st.integers(-(2**63), 2**64 - 1) | st.floats()


@given(
    least=_VALUES,
    most=_VALUES,
    counts=st.dictionaries(_VALUES, st.integers(1, 2**40), max_size=5),
    is_of_labels=st.booleans(),
)
def test_a_summary_comes_back_as_it_was(
    least: float, most: float, counts: dict[float, int], *, is_of_labels: bool
) -> None:
    summary = Summary(10, 1, least, most, False, counts)  # noqa: FBT003
    first = Memory({}, started=10**18)
    first.keep("image", STAMP, summary, is_of_labels=is_of_labels)
    second = Memory(json.loads(json.dumps(first.met)), started=0)
    assert repr(second.recall("image", STAMP, is_of_labels=is_of_labels)) == repr(summary)
    assert second.recall("image", STAMP, is_of_labels=not is_of_labels) is None
    assert second.recall("image", (1, 2, 3, 5), is_of_labels=is_of_labels) is None
    assert second.recall("other", STAMP, is_of_labels=is_of_labels) is None
