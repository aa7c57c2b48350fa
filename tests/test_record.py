"""Receipts survive a kill, and tell nothing but the truth."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from conftest import RECORD, Make
from hypothesis import given, settings
from hypothesis import strategies as st

import bidsify
from bidsify.engine.journal import Journal
from bidsify.errors import UsageError
from bidsify.records.conversion import read_record
from bidsify.records.receipts import Receipt, receipt_entry, receipt_from
from bidsify.source.reading import Fact

texts = st.text(max_size=20)
paths = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20)
hashes = st.sampled_from(["", *(digit * 64 for digit in "09af")])
facts = st.builds(Fact, st.integers(0, 2**60), hashes)
receipts = st.builds(
    Receipt,
    target=paths,
    digest=texts,
    size=st.integers(0, 2**60),
    sha256=hashes,
    content_sha256=hashes,
    sources=st.lists(st.tuples(texts, facts), max_size=3).map(tuple),
    notes=st.lists(texts, max_size=3).map(tuple),
)
S, T, C, F, G = (digit * 64 for digit in "12345")  # hashes
ONE = Receipt("sub-1/a.nii.gz", "d", 3, S, C, (("a.nii", Fact(5, F)),), ("a note",))
TWO = Receipt("sub-2/a.nii.gz", "d", 3, S, C, (("b.nii", Fact(6, G)),))


@settings(database=None, deadline=None)
@given(receipts)
def test_a_receipt_is_what_its_json_says(receipt: Receipt) -> None:
    assert receipt_from(json.loads(json.dumps(receipt_entry(receipt)))) == receipt


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", ""),
        ("target", 5),
        ("target", ["a"]),
        ("target", "sub-1/\0"),
        ("digest", None),
        ("size", "3"),
        ("size", True),
        ("sha256", "zz"),
        ("sha256", 5),
        ("content_sha256", "zz"),
        ("sources", [["a", 5, "zz"]]),
        ("sources", [["a", "5", F]]),
        ("sources", [[5, 5, F]]),
        ("sources", [["a", 5]]),
        ("sources", 5),
        ("notes", [5]),
    ],
)
def test_a_damaged_receipt_is_none(key: str, value: object, tmp_path: Path) -> None:
    entry = {**receipt_entry(ONE), key: value}
    with pytest.raises((ValueError, TypeError)):
        receipt_from(entry)
    with closing(Journal(tmp_path)) as journal:
        journal.append([TWO])
    path = next((tmp_path / ".bidsify").glob("*.jsonl"))
    path.write_text(f"{json.dumps(entry)}\n{'[' * 100_000}\n{path.read_text()}")
    with closing(Journal(tmp_path)) as again:
        assert list(again.earlier()) == [TWO]


@pytest.mark.parametrize("key", ["written", "shared", "files"])
@pytest.mark.parametrize("value", [5, [5], ["sub-1/\0"], None])
def test_a_damaged_record_is_told(key: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / RECORD
    path.parent.mkdir(parents=True)
    document = {"dataset": "any", "written": [], "files": [], "shared": []}
    path.write_text(json.dumps({**document, key: value}))
    with pytest.raises(UsageError, match="not a readable record of an earlier run"):
        read_record(tmp_path)


def test_a_receipt_without_hash_tells_of_a_file_that_was_not_needed() -> None:
    assert Receipt("t", "d", 0, "", "", ()).is_omitted
    assert not ONE.is_omitted


def test_a_journal_that_was_cut_off_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ONE])
    journal.append([TWO])
    journal.close()
    again = Journal(tmp_path)
    assert list(again.earlier()) == [ONE, TWO]
    again.close()


@pytest.mark.parametrize(
    "torn", ['{"target": "sub-3', '{"target": 3}\n', "[]\n", "\0\0\0\0", "null", '{"a": 1}\n\n']
)
def test_a_torn_line_is_none(torn: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ONE])
    journal.close()
    path = next((tmp_path / ".bidsify").glob("*.jsonl"))
    with path.open("a") as stream:
        stream.write(torn)
    again = Journal(tmp_path)
    assert list(again.earlier()) == [ONE]
    again.append([TWO])
    again.close()
    once_more = Journal(tmp_path)
    assert list(once_more.earlier()) == [ONE, TWO]
    once_more.close()


def test_bytes_that_are_no_text_are_none(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ONE])
    journal.close()
    path = next((tmp_path / ".bidsify").glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with closing(Journal(tmp_path)) as again:
        assert list(again.earlier()) == [ONE]


def test_a_finished_journal_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([ONE])
    journal.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_removes_what_a_killed_run_had_half_written(tmp_path: Path) -> None:
    (tmp_path / ".bidsify/staging").mkdir(parents=True)
    (tmp_path / ".bidsify/staging/1-2.part").write_bytes(b"half")
    journal = Journal(tmp_path)
    assert list((tmp_path / ".bidsify/staging").iterdir()) == []
    journal.close()


def test_only_one_holds_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(UsageError, match="another run is writing here; wait until it ends"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_tree_without_record(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"dataset": "x"}',
        b'{"dataset": "x", "written": [{}]}',
        b'{"dataset": "x", "written": [3]}',
        b'{"dataset": "x", "written": [], "shared": [], "files": [{}]}',
        b'{"dataset": "x", "written": [{"target": "t"}], "shared": [], "files": []}',
        b'{"dataset": "x", "written": 3}',
    ],
)
def test_a_record_that_is_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / RECORD
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"conversion\.json: not a readable record"):
        read_record(tmp_path)


def test_the_record_names_no_file_that_was_not_written(source: Make, tmp_path: Path) -> None:
    """A test subject of CHAOS has no masks, so the tree needs no label table."""
    case = Path("Test_Sets/CT/3")
    shutil.copytree(source("chaos") / case, tmp_path / "in" / case)
    bidsify.convert(tmp_path / "in", tmp_path / "out", dataset="chaos")
    record = read_record(tmp_path / "out")
    assert record is not None
    assert not {"dseg.tsv", "dseg.json"} & {*record.shared}
    assert all((tmp_path / "out" / name).is_file() for name in record.shared)
    assert bidsify.verify(tmp_path / "in", tmp_path / "out") == []


def test_a_shared_file_that_is_of_no_use_any_more_goes(own_source: Make, own_tree: Make) -> None:
    """All masks are broken and gone, so is their label table; a file of the user stays."""
    source, out = own_source("myops380"), own_tree("myops380")
    for path in source.rglob("*_gt.nii.gz"):
        path.write_bytes(b"broken")
    for path in out.rglob("sub-*/anat/*_dseg.*"):
        path.unlink()
    (out / "LICENSE").write_text("mine")
    assert bidsify.convert(source, out).failures
    record = read_record(out)
    assert record is not None
    assert not {"dseg.tsv", "dseg.json"} & {*record.shared, *(p.name for p in out.iterdir())}
    bidsify.convert(source, out, on_existing="replace")
    assert not (out / "dseg.tsv").exists()
    assert (out / "LICENSE").read_text() == "mine"


def test_the_record_holds_its_receipts(tree: Make) -> None:
    record = read_record(tree("ivdm3seg"))
    assert record is not None
    assert record.dataset == "ivdm3seg"
    assert "participants.tsv" in record.shared
    assert len(record.facts) == 30
    assert len(record.receipts) == 33
    for target, receipt in record.receipts.items():
        assert receipt.target == target
        assert (tree("ivdm3seg") / receipt.target).stat().st_size == receipt.size
        assert all(len(fact.sha256) == 64 for _, fact in receipt.sources)
