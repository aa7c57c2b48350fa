"""What a conversion keeps of many subjects: counted as objects, not as bytes of some machine."""

from __future__ import annotations

import gc
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import Make
from hypothesis import given
from hypothesis import strategies as st

import bidsify
from bidsify.collecting import frozen
from bidsify.conversion import convert
from bidsify.engine.work import Outcome
from bidsify.engine.writing import staged_path, write_long
from bidsify.errors import SourceError
from bidsify.planning.claims import Claim
from bidsify.planning.drafts import Draft
from bidsify.planning.view import Found, View
from bidsify.records import long_json
from bidsify.records.receipts import Receipt
from bidsify.source import Folder, open_source

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
ENTRY = st.dictionaries(st.text(max_size=3), JSON, max_size=3)
KINDS = (Receipt, Outcome, Claim, Draft, Found, View)


def live() -> dict[type, int]:
    """Count the objects of each kind that somebody holds."""
    gc.collect()
    found = [*map(type, gc.get_objects())]
    return {kind: found.count(kind) for kind in KINDS}


def test_a_conversion_holds_a_receipt_for_each_file_and_no_draft(
    source: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[dict[type, int]] = []
    write = convert.write_long

    def count(*arguments: Any) -> bool:
        counts.append(live())
        return write(*arguments)

    monkeypatch.setattr(convert, "write_long", count)
    before = live()
    for _ in range(2):  # all new, and nothing new
        done = bidsify.convert(source("brats2021"), tmp_path / "out", workers=2)
    jobs = len([*done.plan.jobs])
    assert done.is_complete
    assert len(counts) == 2
    for found in counts:
        assert found[Receipt] - before[Receipt] <= jobs
        assert found[Outcome] - before[Outcome] <= jobs + len(done.plan.shared)
        for kind in (Claim, Draft, Found, View):
            assert found[kind] <= before[kind]


@pytest.mark.parametrize("count", [1, 300])
def test_a_worker_gets_no_listing(count: int, tmp_path: Path) -> None:
    for number in range(count):
        (tmp_path / f"{number}.nii").write_bytes(b"1" * 7)
    folder = open_source(tmp_path)
    assert len(folder.sizes) == count
    packed = pickle.dumps(folder)
    copy = pickle.loads(packed)
    (tmp_path / "empty").mkdir()
    assert len(packed) <= len(pickle.dumps(Folder(tmp_path / "empty")))
    assert (copy.size("0.nii"), copy.size("none")) == (7, None)
    assert (folder.size("0.nii"), folder.size("none")) == (7, None)
    assert copy.read("0.nii") == b"1" * 7


def test_a_name_that_is_no_text_is_found_in_a_worker_too(tmp_path: Path) -> None:
    (tmp_path / "\udcff.nii").write_bytes(b"12")
    copy = pickle.loads(pickle.dumps(open_source(tmp_path)))
    assert (copy.size("\\xff.nii"), copy.read("\\xff.nii")) == (2, b"12")


def test_what_was_there_before_is_not_searched_while_frozen() -> None:
    with frozen():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


@given(st.dictionaries(st.text(max_size=3), JSON), st.lists(ENTRY, max_size=5))
def test_a_long_document_has_the_bytes_of_a_short_one(head: Any, entries: list[Any]) -> None:
    written = b"".join(long_json.pieces({**head, "list": lambda: iter(entries)}))
    whole = {**head, "list": entries}
    assert written == orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def test_few_entries_of_a_list_are_in_memory() -> None:
    made: list[int] = []

    def entries() -> Iterator[dict[str, int]]:
        for number in range(1000):
            made.append(number)
            yield {"n": number}

    pieces = long_json.pieces({"list": entries})
    next(pieces)
    assert len(made) < 300
    assert len([*pieces]) > 3
    assert len(made) == 1000


@pytest.mark.parametrize("count", [0, 1, 30_000])
@pytest.mark.parametrize(
    "text",
    [
        lambda document: b"".join(long_json.pieces({**document, "a": lambda: document["a"]})),
        orjson.dumps,
        lambda document: json.dumps(document, indent=4).encode(),
        lambda document: json.dumps(document, indent=2).encode().replace(b"\n", b"\r\n"),
    ],
)
def test_a_document_is_read_however_it_is_laid_out(
    count: int, text: Callable[[Any], bytes], tmp_path: Path
) -> None:
    entries = [{"n": number, "of": [["x", 1]], "none": []} for number in range(count)]
    document = {"first": 1, "a": entries, "b": {"a": [{"n": -1}]}, "last": ["]", "  ]"]}
    (tmp_path / "x.json").write_bytes(text(document))
    found: list[Any] = []
    assert long_json.read(tmp_path / "x.json", {"a": found.append}) == {**document, "a": []}
    assert found == entries


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", ValueError),
        (b"{}", KeyError),
        (b'{\n  "a": [\n    {\n', ValueError),
        (b'{\n  "a": [\n    {\n  ]\n}\n', ValueError),
        (b'{\n  "a": [\n    {},\n    {}\n', ValueError),
        (b'{"a": 1}', TypeError),
    ],
)
def test_what_is_no_such_document_is_refused(
    text: bytes, error: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(error):
        long_json.read(tmp_path / "x.json", {"a": lambda _: None})


def test_a_long_file_is_written_where_it_differs(tmp_path: Path) -> None:
    assert write_long(tmp_path, "a/x", lambda: [b"1", b"2"])
    first = (tmp_path / "a/x").stat()
    assert not write_long(tmp_path, "a/x", lambda: [b"12"])
    assert (tmp_path / "a/x").stat().st_mtime_ns == first.st_mtime_ns
    assert write_long(tmp_path, "a/x", lambda: [b"13"])
    assert (tmp_path / "a/x").read_bytes() == b"13"
    assert [*staged_path(tmp_path, "a/x").parent.iterdir()] == []


def test_a_long_file_is_written_though_another_run_clears_away(tmp_path: Path) -> None:
    rounds: list[int] = []

    def pieces() -> Iterator[bytes]:
        rounds.append(1)
        yield b"1"
        if len(rounds) == 1:
            for path in staged_path(tmp_path, "x").parent.iterdir():
                path.unlink()

    assert write_long(tmp_path, "x", pieces)
    assert (len(rounds), (tmp_path / "x").read_bytes()) == (2, b"1")


def test_a_long_file_does_not_leave_the_tree(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "code").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="a link out of the output folder"):
        write_long(tmp_path / "root", "code/x", lambda: [b"1"])
    assert not (tmp_path / "x").exists()
