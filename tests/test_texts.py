"""Text files of a dataset: what is read of them, and what is said of those that are damaged."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import strategies  # noqa: F401  loads the profile of hypothesis
from hypothesis import given
from hypothesis import strategies as st

from bidsify.validation.files import texts
from bidsify.validation.files.tree import File, Folder
from bidsify.validation.findings import finding

cells = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=("Cs",)), min_size=1)
documents = st.dictionaries(
    st.text(),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3),
    ),
)  # fmt: skip


def file_of(tmp_path: Path, content: bytes, name: str = "x") -> File:
    (tmp_path / name).write_bytes(content)
    return Folder(str(tmp_path)).files[name]


def code(found: Any) -> str | None:
    return found.fault.code if found.fault else None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "JSON_INVALID"),
        (b"{", "JSON_INVALID"),
        (b'{"a": 1,}', "JSON_INVALID"),
        (b"{'a': 1}", "JSON_INVALID"),
        (b'{"a": NaN}', "JSON_INVALID"),
        (b'{"a": Infinity}', "JSON_INVALID"),
        (b'{"a": 01}', "JSON_INVALID"),
        (b'{"a": "\n"}', "JSON_INVALID"),
        (b"{} {}", "JSON_INVALID"),
        (b"// x\n{}", "JSON_INVALID"),
        (b"[" * 100_000 + b"]" * 100_000, "JSON_INVALID"),
        (b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}", "JSON_INVALID"),
        (b"[]", "JSON_NOT_AN_OBJECT"),
        (b"null", "JSON_NOT_AN_OBJECT"),
        (b'"x"', "JSON_NOT_AN_OBJECT"),
        (b"1", "JSON_NOT_AN_OBJECT"),
        (b'{"a": "\xff"}', "INVALID_JSON_ENCODING"),
        (b"\xef\xbb\xbf{}", "INVALID_JSON_ENCODING"),
        ('{"a": 1}'.encode("utf-16"), "INVALID_JSON_ENCODING"),
        (b'{"a": ' + b"[" * 150 + b"]" * 150 + b"}", None),
        (b"\n {}\n", None),
    ],
)
def test_a_damaged_document_is_told(tmp_path: Path, content: bytes, expected: str | None) -> None:
    document = texts.read_json(file_of(tmp_path, content))
    assert code(document) == expected
    assert (document.value is None) is (expected is not None)


def test_the_line_of_a_mistake_is_told(tmp_path: Path) -> None:
    fault = texts.read_json(file_of(tmp_path, b'{\n"a": 1,\n"b" 2}')).fault
    assert fault is not None
    assert fault.where == "line 3"


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"a\udc00b"', "a\ufffdb"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\\ud800 \ud800"', "\\ud800 \ufffd"),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("1" + "0" * 5000, float("inf")),
        ("1e999", float("inf")),
        ("1e-999", 0),
        ('"\\u0000"', "\0"),
    ],
)
def test_odd_values_are_read_as_javascript_does(tmp_path: Path, written: str, seen: Any) -> None:
    document = texts.read_json(file_of(tmp_path, f'{{"k": {written}}}'.encode()))
    assert document.value == {"k": seen}


@given(documents)
def test_what_json_writes_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    file = file_of(tmp_path_factory.mktemp("json"), text)
    assert texts.read_json(file).value == document


@pytest.mark.parametrize(
    ("content", "expected", "where"),
    [
        (b"a\tb\n1\n", "TSV_EQUAL_ROWS", "line 2"),
        (b"a\tb\n1\t2\n1\t2\t3\n", "TSV_EQUAL_ROWS", "line 3"),
        (b"a\n\n1\n", "TSV_EMPTY_LINE", "line 2"),
        (b"a\n1\n\n\n", "TSV_EMPTY_LINE", "line 3"),
        (b"a\ta\n1\t2\n", "TSV_COLUMN_HEADER_DUPLICATE", ""),
        (b"a\n\xff\n", "INVALID_FILE_ENCODING", ""),
        ("a\n1\n".encode("utf-16"), "INVALID_FILE_ENCODING", ""),
        (b"a\n1\n\n", None, ""),
        (b"a\n1", None, ""),
        (b"\xef\xbb\xbfa\r\n1\r\n", None, ""),
    ],
)
def test_a_damaged_table_is_told(
    tmp_path: Path, content: bytes, expected: str | None, where: str
) -> None:
    table = texts.read_table(file_of(tmp_path, content))
    assert code(table) == expected
    if table.fault:
        assert (table.columns, table.fault.where) == ({}, where)
    else:
        assert table.columns == {"a": ["1"]}


@pytest.mark.parametrize(
    ("content", "columns"),
    [(b"", {}), (b"a\tb", {"a": [], "b": []}), (b"a\t\n1\t\n", {"a": ["1"], "": [""]})],
)
def test_a_table_may_have_no_rows(tmp_path: Path, content: bytes, columns: Any) -> None:
    assert texts.read_table(file_of(tmp_path, content)).columns == columns


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n))))
def test_cells_stay_in_their_columns(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    names = [f"c{i}" for i in range(len(rows[0]))] if rows else ["c0"]
    text = "\n".join("\t".join(row) for row in [names, *rows])
    table = texts.read_table(file_of(tmp_path_factory.mktemp("tsv"), f"{text}\n".encode()))
    assert table.columns == {name: [row[i] for row in rows] for i, name in enumerate(names)}


MEMBER = gzip.compress(b"1\t2\n3\t4\n", mtime=0)


@pytest.mark.parametrize(
    ("content", "names", "expected"),
    [
        (MEMBER, ["a", "b"], None),
        (MEMBER, ["a"], "TSV_EQUAL_ROWS"),
        (MEMBER, [], "TSV_EQUAL_ROWS"),
        (MEMBER[:-9], ["a", "b"], "INVALID_GZIP"),
        (MEMBER[:5], ["a", "b"], "INVALID_GZIP"),
        (MEMBER[:-8] + b"\0" * 8, ["a", "b"], "INVALID_GZIP"),
        (MEMBER + b"junk", ["a", "b"], "INVALID_GZIP"),
        (MEMBER + MEMBER, ["a", "b"], "INVALID_GZIP"),
        (b"1\t2\n", ["a", "b"], "INVALID_GZIP"),
        (gzip.compress(b"\xff\t1\n", mtime=0), ["a", "b"], "INVALID_FILE_ENCODING"),
    ],
)
def test_a_compressed_table(
    tmp_path: Path, content: bytes, names: list[str], expected: str | None
) -> None:
    table = texts.read_headerless(file_of(tmp_path, content), names, is_compressed=True)
    assert code(table) == expected
    assert table.columns == ({} if expected else {"a": ["1", "3"], "b": ["2", "4"]})


@pytest.mark.parametrize("content", [b"1\n" * 600, b"\n" * 1200, b"\t" * 1200, b"\0" * 1200])
@pytest.mark.parametrize("is_compressed", [True, False])
def test_more_text_than_fits_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, *, is_compressed: bool
) -> None:
    monkeypatch.setattr(texts, "_MOST", 1000)
    packed = gzip.compress(content) if is_compressed else content
    file = file_of(tmp_path, packed)
    table = texts.read_headerless(file, ["a"], is_compressed=is_compressed)
    assert table.fault is not None
    assert table.fault.code == "FILE_READ"
    assert "not read" in table.fault.message


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"0 1000\n", [["0", "1000"]]),
        (b"0\t1\r\n2 3\n\n", [["0", "1"], ["2", "3"]]),
        (b" 0 1\n", [["", "0", "1"]]),
        (b"", None),
        (b" \n\n", None),
    ],
)
def test_gradients(tmp_path: Path, content: bytes, rows: list[list[str]] | None) -> None:
    assert texts.read_numbers(file_of(tmp_path, content)) == rows


def test_a_file_that_vanishes_is_told(tmp_path: Path) -> None:
    file = file_of(tmp_path, b"{}")
    (tmp_path / "x").unlink()
    assert code(texts.read_json(file)) == "FILE_READ"
    assert code(texts.read_table(file)) == "FILE_READ"
    assert texts.read_numbers(file) is None


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_of(tmp_path, b'{"a": 1}')
    first = texts.read_json(file)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("read again"))
    assert texts.read_json(file) is first


@pytest.mark.parametrize(("length", "is_pointer"), [(60, True), (32767, True), (32768, False)])
def test_a_long_text_is_no_pointer_of_git_annex(
    tmp_path: Path, length: int, *, is_pointer: bool
) -> None:
    content = b"/annex/objects/MD5-s9--0".ljust(length, b"0")
    file = file_of(tmp_path, content)
    found = texts.read_start(file, 1 << 20)
    assert file.is_absent is is_pointer
    if is_pointer:
        assert found == finding("CONTENT_MISSING")
    else:
        assert found == content
