"""What was not touched is not made, and not even read, again; what was touched never passes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import RECORD, Make, assert_same
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.engine import run, untouched, work
from bidsify.engine.journal import Journal
from bidsify.engine.seals import is_sealed, seal
from bidsify.records.conversion import read_record

TARGET = "sub-0002/anat/sub-0002_acq-LGE_ce-gadolinium_desc-preproc_T1w.json"
LONG = 10 * 10**9  # nanoseconds, longer than a file takes from its writing into the tree


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _put_back(path: Path, nanoseconds: int) -> None:
    """Set the time of modification, as one does who does not want to be seen."""
    os.utime(path, ns=(nanoseconds, nanoseconds))


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    seal(path, _hash(b"content"))
    return path


def test_what_was_sealed_is_sealed(sealed: Path) -> None:
    assert is_sealed(sealed.stat(), _hash(b"content"))
    sealed.rename(sealed.with_name("in its place"))
    assert is_sealed(sealed.with_name("in its place").stat(), _hash(b"content"))


def _edit_and_put_back(path: Path) -> None:
    """Leave what somebody leaves who edits a file some time after it was written."""
    before = path.stat().st_mtime_ns - LONG
    path.write_bytes(b"CONTENT")
    _put_back(path, before)


def _copy_later(path: Path) -> None:
    _put_back(path, path.stat().st_mtime_ns - LONG)
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def _link_later(path: Path) -> None:
    _put_back(path, path.stat().st_mtime_ns - LONG)
    path.with_name("link").hardlink_to(path)


def _replace_by_another_of_ours(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"CONTENT")
    seal(other, _hash(b"CONTENT"))
    other.replace(path)


def _lose_the_fraction(path: Path) -> None:
    _put_back(path, path.stat().st_mtime_ns // 10**9 * 10**9)


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: path.write_bytes(b"CONTENT"),
        _edit_and_put_back,
        _copy_later,
        _link_later,
        _replace_by_another_of_ours,
        _lose_the_fraction,
        lambda path: path.touch(),
        lambda path: _put_back(path, path.stat().st_mtime_ns + LONG),
    ],
)
def test_who_touches_a_file_breaks_its_seal(touch: Callable[[Path], Any], sealed: Path) -> None:
    touch(sealed)
    assert not is_sealed(sealed.stat(), _hash(b"content"))


@given(content=st.binary(max_size=20))
def test_a_seal_is_a_time_of_less_than_a_second_ago(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    before = path.stat().st_mtime_ns
    seal(path, _hash(content))
    assert before - 10**9 < path.stat().st_mtime_ns <= before
    assert is_sealed(path.stat(), _hash(content))
    assert not is_sealed(path.stat(), _hash(content + b"!"))


# Conversions


class Seen:
    """What a conversion did: the units that were run, the files that were made or hashed."""

    def __init__(self) -> None:
        self.units: list[str] = []
        self.made: list[str] = []
        self.hashed: list[str] = []


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Watch conversions. Sources of tests are new; here they count as old."""
    found = Seen()
    monkeypatch.setattr(untouched, "_MARGIN", -3600.0)
    all_units, write, check = run.run_all, work._write, work.is_untouched

    def run_all(function: Any, shared: Any, items: Any, *rest: Any) -> Iterator[Any]:
        found.units += [unit.name for unit, _ in items]
        return all_units(function, shared, items, *rest)

    def spy_write(job: Any, *rest: Any) -> Any:
        found.made.append(job.target)
        return write(job, *rest)

    def spy_check(receipt: Any, *rest: Any) -> Any:
        found.hashed.append(receipt.target)
        return check(receipt, *rest)

    monkeypatch.setattr(run, "run_all", run_all)
    monkeypatch.setattr(work, "_write", spy_write)
    monkeypatch.setattr(work, "is_untouched", spy_check)
    return found


@pytest.fixture
def own(source: Make, tmp_path: Path) -> tuple[Path, Path]:
    """Return a source and a tree of it, written just now."""
    folder, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(source("myops380"), folder)
    bidsify.convert(folder, out)
    return folder, out


def test_where_nothing_is_new_nothing_is_run_or_hashed(own: tuple[Path, Path], seen: Seen) -> None:
    done = bidsify.convert(*own, workers=2)
    assert done.buckets["kept"] == 12
    assert (seen.units, seen.made, seen.hashed) == ([], [], [])


def test_of_new_subjects_alone_files_are_made(
    own: tuple[Path, Path], seen: Seen, tmp_path: Path
) -> None:
    source, out = own
    for path in sorted(source.rglob("case0001*")):
        shutil.copyfile(path, path.with_name(path.name.replace("0001", "0380")))
    assert bidsify.convert(source, out).buckets["converted"] == 4
    assert seen.units == ["sub-0380"]
    assert {target.partition("/")[0] for target in seen.made} == {"sub-0380"}
    assert seen.hashed == []
    bidsify.convert(source, tmp_path / "fresh")
    assert_same(out, tmp_path / "fresh")


def _edit(path: Path) -> None:
    path.write_text(path.read_text().replace("false", "true "))


def _edit_unseen(path: Path) -> None:
    before = path.stat().st_mtime_ns - LONG
    _edit(path)
    _put_back(path, before)


@pytest.mark.parametrize("is_record_touched", [False, True])
@pytest.mark.parametrize("edit", [_edit, _edit_unseen, Path.unlink])
def test_what_was_edited_is_written_again(
    edit: Callable[[Path], None], own: tuple[Path, Path], seen: Seen, *, is_record_touched: bool
) -> None:
    source, out = own
    before = (out / TARGET).read_bytes()
    edit(out / TARGET)
    if is_record_touched:
        (out / RECORD).touch()
    assert bidsify.convert(source, out).failures == []
    assert (seen.units, seen.made) == (["sub-0002"], [TARGET])
    assert (out / TARGET).read_bytes() == before


def test_a_copied_tree_is_hashed_and_kept(own: tuple[Path, Path], seen: Seen) -> None:
    source, out = own
    for path in out.rglob("sub-*/**/*.*"):
        _put_back(path, path.stat().st_mtime_ns - LONG)
    assert bidsify.convert(source, out).buckets["kept"] == 12
    assert seen.made == []
    assert len(seen.hashed) == len(read_record(out).receipts)  # type: ignore[union-attr]


def test_a_source_that_came_later_is_read_again(own: tuple[Path, Path], seen: Seen) -> None:
    source, out = own
    path = next(source.rglob("LGE/case0002*"))
    content = bytearray(path.read_bytes())
    content[4] ^= 1  # the time in the header of gzip: of the same size, another file
    path.write_bytes(content)
    untouched._MARGIN = 0.0  # type: ignore[misc]  # put back by the fixture
    assert bidsify.convert(source, out).failures == []
    assert any(target.endswith("_scans.tsv") for target in seen.made)
    assert bidsify.verify(source, out) == []


def test_after_a_cut_seals_are_not_trusted(own: tuple[Path, Path], seen: Seen) -> None:
    """A power cut may leave a file of the right size and time that holds zeros."""
    source, out = own
    record = read_record(out)
    assert record is not None
    receipt = record.receipts[TARGET]
    (out / TARGET).write_bytes(bytes(receipt.size))
    seal(out / TARGET, receipt.sha256)
    assert bidsify.convert(source, out).buckets["kept"] == 12  # a run that came to its end
    assert [problem.path for problem in bidsify.verify(source, out)] == [TARGET]
    journal = Journal(out)
    journal.append([receipt])
    journal.close()
    assert bidsify.convert(source, out).failures == []
    assert seen.made == [TARGET]
    assert bidsify.verify(source, out) == []
