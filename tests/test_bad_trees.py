"""Damaged and hostile trees: each fault is an issue or one sentence, never a crash or a hang."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bids_trees import (
    BOLD,
    BOLD_JSON,
    DESCRIPTION,
    PHYSIO,
    PHYSIO_JSON,
    T1W,
    T1W_JSON,
    Content,
    codes_at,
    image,
    issues,
    raw,
    write,
)
from builders import gzipped, nifti

import bidsify
from bidsify.errors import UsageError
from bidsify.validation.files import texts
from bidsify.validation.files import tree as trees

TABLE = "participants.tsv"
PHYSIO_KEYS: Content = {"SamplingFrequency": 1, "StartTime": 0, "Columns": ["cardiac"]}


def header(at: int, form: str, *values: float) -> bytes:
    """An image whose header says something else."""
    content = bytearray(nifti(np.zeros((2, 2, 2), "i2"), np.eye(4)))
    struct.pack_into(form, content, at, *values)
    return gzipped(bytes(content))


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        (BOLD_JSON, b"{", "JSON_INVALID"),
        (BOLD_JSON, b"[1]", "JSON_NOT_AN_OBJECT"),
        (BOLD_JSON, b"\xff", "INVALID_JSON_ENCODING"),
        (BOLD_JSON, '{"a": 1}'.encode("utf-16"), "INVALID_JSON_ENCODING"),
        (BOLD_JSON, b"{" * 100_000, "JSON_INVALID"),
        (BOLD_JSON, b'{"RepetitionTime": ' + b"[" * 900 + b"]" * 900 + b"}", "JSON_INVALID"),
        (BOLD_JSON, b'{"a": NaN}', "JSON_INVALID"),
        (BOLD_JSON, b'{"RepetitionTime": "\\ud800"}', "JSON_SCHEMA_VALIDATION_ERROR"),
        (BOLD_JSON, b"", "EMPTY_FILE"),
        (TABLE, b"participant_id\tage\nsub-01\n", "TSV_EQUAL_ROWS"),
        (TABLE, b"participant_id\tage\nsub-01\t\xe9\n", "INVALID_FILE_ENCODING"),
        (TABLE, "participant_id\nsub-01\n".encode("utf-16"), "INVALID_FILE_ENCODING"),
        (TABLE, b"participant_id\n\nsub-01\n", "TSV_EMPTY_LINE"),
        (TABLE, b"a" + b"\t" * 20_000, "TSV_COLUMN_HEADER_DUPLICATE"),
        (TABLE, bytes(range(256)), "INVALID_FILE_ENCODING"),
        (TABLE, b"\n", "TSV_COLUMN_MISSING"),
        (PHYSIO, gzipped(b"1\n" * 999)[:-20], "INVALID_GZIP"),
        (PHYSIO, b"1\n2\n", "INVALID_GZIP"),
        (PHYSIO, gzipped(b"1\t2\n"), "TSV_EQUAL_ROWS"),
        (T1W, image(3, 4, 5)[:60], "NIFTI_HEADER_UNREADABLE"),
        (T1W, b"\0" * 400, "NIFTI_HEADER_UNREADABLE"),
        (T1W, b"", "EMPTY_FILE"),
        (T1W, header(40, "<8h", 3, -5, 2, 2, 1, 1, 1, 1), "NIFTI_IMPLAUSIBLE"),
        (T1W, header(40, "<8h", 9, 2, 2, 2, 1, 1, 1, 1), "NIFTI_IMPLAUSIBLE"),
        (T1W, header(40, "<8h", -1, 2, 2, 2, 1, 1, 1, 1), "NIFTI_IMPLAUSIBLE"),
        (T1W, header(280, "<f", float("nan")), "AMBIGUOUS_AFFINE"),
        (T1W, header(80, "<f", float("inf")), "NIFTI_IMPLAUSIBLE"),
        ("CITATION.cff", b"&a [*a]", "FILE_READ"),
        ("CITATION.cff", b"!!timestamp x", "FILE_READ"),
        ("CITATION.cff", b"[" * 5000, "FILE_READ"),
        ("CITATION.cff", b"a: 1\na: 2\n", "FILE_READ"),
        ("CITATION.cff", b"1: 2", "CITATION_CFF_VALIDATION_ERROR"),
        ("CITATION.cff", b'title: "\\ud800"', "CITATION_CFF_VALIDATION_ERROR"),
        (DESCRIPTION, b"[]", "JSON_NOT_AN_OBJECT"),
        (DESCRIPTION, b"{", "JSON_INVALID"),
        (DESCRIPTION, b"\xff", "INVALID_JSON_ENCODING"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told(tmp_path: Path, path: str, content: bytes, code: str) -> None:
    files = raw() | {path: content} | ({PHYSIO_JSON: PHYSIO_KEYS} if path == PHYSIO else {})
    root = write(tmp_path, files)
    assert code in codes_at(root, path)
    issues(root, level="voxels")  # must not raise


def aliases() -> str:
    """Nine lists of nine aliases each: a billion parts in a kilobyte."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    return "\n".join(lines)


def test_aliases_of_a_citation_are_counted(tmp_path: Path) -> None:
    root = write(tmp_path, raw() | {"CITATION.cff": aliases()})
    assert "FILE_READ" in codes_at(root, "CITATION.cff")


@pytest.mark.parametrize("country", ["NO", "no"])
def test_norway_is_a_country(tmp_path: Path, country: str) -> None:
    text = f"""\
cff-version: 1.2.0
message: x
title: yes
authors:
- family-names: Moen
  country: {country}
"""
    found = codes_at(write(tmp_path, raw() | {"CITATION.cff": text}), "CITATION.cff")
    assert found - {"AUTHORS_AND_CITATION_FILE_MUTUALLY_EXCLUSIVE"} == (
        set() if country == "NO" else {"CITATION_CFF_VALIDATION_ERROR"}
    )


# --- Descriptions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["[]", "{}", "0", "5", '""', "true", "null", '["raw"]', '"x"', "1e999"]
)
@pytest.mark.parametrize("key", ["DatasetType", "GeneratedBy", "Name", "DatasetLinks", "Authors"])
def test_keys_of_the_description_may_be_anything(tmp_path: Path, key: str, value: str) -> None:
    text = f'{{"Name": "x", "BIDSVersion": "1.10.0", "{key}": {value}}}'
    root = write(tmp_path, raw() | {DESCRIPTION: text})
    assert ("MISSING_DATASET_DESCRIPTION", "") not in issues(root)


def test_a_folder_is_no_description(tmp_path: Path) -> None:
    files = raw() | {f"{DESCRIPTION}/x": "1"}
    del files[DESCRIPTION]
    found = issues(write(tmp_path, files))
    assert {("MISSING_DATASET_DESCRIPTION", ""), ("NOT_INCLUDED", f"{DESCRIPTION}/")} <= found


@pytest.mark.parametrize("files", [{}, {"a.txt": "1"}, {"src/main.c": "1", "Makefile": "1"}])
def test_what_is_no_dataset_lacks_a_description(tmp_path: Path, files: dict[str, Content]) -> None:
    assert ("MISSING_DATASET_DESCRIPTION", "") in issues(write(tmp_path, files))


# --- The file system ------------------------------------------------------------------------------


def pipe(path: Path) -> None:
    os.mkfifo(path)


def plug(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is bounded
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def to_pipe(path: Path) -> None:
    os.mkfifo(path.parent / ".pipe")
    path.symlink_to(".pipe")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


PLACES = (DESCRIPTION, TABLE, BOLD_JSON, T1W, ".bidsignore", "CITATION.cff", "README")


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("make", [pipe, plug, to_device, to_pipe, to_itself, nowhere, Path.mkdir])
def test_what_is_no_file_is_not_read(
    tmp_path: Path, path: str, make: Callable[[Path], None]
) -> None:
    root = write(tmp_path, raw())
    (root / path).unlink(missing_ok=True)
    make(root / path)
    found = issues(root)
    assert (("MISSING_DATASET_DESCRIPTION", "") in found) is (path == DESCRIPTION)
    if make in (to_itself, nowhere) and path != ".bidsignore":
        code = "SYMLINK_CYCLE" if make is to_itself else "SYMLINK_BROKEN"
        assert (code, path) in found


@pytest.mark.parametrize("level", ["names", "headers", "voxels"])
def test_a_file_that_vanishes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    root = write(tmp_path, raw())
    real = os.open

    def vanish(path: str, *rest: Any) -> int:
        if str(path).endswith((T1W, BOLD_JSON)):
            Path(path).unlink(missing_ok=True)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", vanish)
    found = issues(root, level=level)
    if level != "names":
        assert {("FILE_READ", T1W), ("FILE_READ", BOLD_JSON)} <= found


def test_files_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, raw())
    real = os.open

    def refuse(path: str, *rest: Any) -> int:
        if str(path).startswith(str(root)):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    found = issues(root)
    assert {("FILE_READ", path) for path in (DESCRIPTION, TABLE, T1W, T1W_JSON)} <= found


@pytest.mark.parametrize("folder", ["sub-01", "sub-01/anat", ""])
def test_folders_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    root = write(tmp_path, raw())
    real = os.scandir

    def refuse(path: str) -> Any:
        if Path(path) == root / folder:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    if folder:
        assert ("FILE_READ", f"{folder}/") in issues(root)
    else:
        with pytest.raises(UsageError, match="Permission denied"):
            bidsify.validate(root)


def test_folders_that_link_to_each_other(tmp_path: Path) -> None:
    root = write(tmp_path, raw())
    for number in range(4):
        (root / f"sub-01/anat/x{number}").symlink_to("../func")
        (root / f"sub-01/func/x{number}").symlink_to("../anat")
    (root / "sub-01/up").symlink_to("..")
    codes = [code for code, _ in issues(root)]
    assert codes.count("SYMLINK_CYCLE") == 4 * 4 * 2 + 1


def test_folders_nested_deeply(tmp_path: Path) -> None:
    root = write(tmp_path, raw())
    handle = os.open(root / "sub-01", os.O_RDONLY)
    for _ in range(2500):  # deeper than a path can be long
        os.mkdir("a", dir_fd=handle)
        below = os.open("a", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    found = issues(root)
    assert [path.count("/") for code, path in found if code == "FILE_READ"] == [trees._DEEPEST + 1]
    subprocess.run(["rm", "-rf", root / "sub-01"], check=True)  # pytest cannot remove it


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe.json", b"sub-01_\xffT1w.nii.gz", b"a\nb.tsv", b"\x1b[31m.json", b"x" * 255,
        b"sub-01" + b"_" * 240, b"-" * 255, b"_.json", b"'\"\\.json",
        "sub-\u202e_T1w.json".encode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("workers", [1, 2])
def test_names_of_any_bytes(tmp_path: Path, name: bytes, workers: int) -> None:
    root = write(tmp_path, raw())
    folders = ("", "sub-01/anat/")
    for folder in folders:
        (root / folder / os.fsdecode(name)).write_bytes(b"{}")
    found = issues(root, workers=workers)
    for folder in folders:
        assert [code for code, path in found if path == folder + os.fsdecode(name)]


# --- More than fits -------------------------------------------------------------------------------


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_MOST", 10_000)
    for content in (b"\n", b"\t", b"\0", b"1\n"):
        files = raw() | {PHYSIO: gzip.compress(content * 20_000), PHYSIO_JSON: PHYSIO_KEYS}
        assert "FILE_READ" in codes_at(write(tmp_path, files), PHYSIO)


@pytest.mark.parametrize("path", [TABLE, BOLD_JSON, DESCRIPTION])
def test_texts_larger_than_memory_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(texts, "_MOST", 500)
    root = write(tmp_path, raw() | {path: b" " * 501})
    assert "FILE_READ" in codes_at(root, path)


def crowded(root: Path, count: int) -> Path:
    """Many files in one folder: sidecars of every sort, and one image that they could be for."""
    files = raw()
    for number in range(count):
        files[f"sub-01/func/sub-01_task-t{number}_bold.json"] = "{}"
        files[f"sub-01/func/sub-01_task-t{number}_bold.nii.gz"] = b""
        files[f"task-t{number}_bold.json"] = "{}"
    return write(root, files)


def test_many_files_of_a_folder_take_linear_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are counted: time would tell of the machine."""
    import sys

    monkeypatch.setattr(sys, "setprofile", sys.setprofile)  # restored whatever happens

    def calls(root: Path) -> int:
        count = 0

        def note(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            bidsify.validate(root)
        finally:
            sys.setprofile(None)
        return count

    small, large = crowded(tmp_path / "small", 150), crowded(tmp_path / "large", 600)
    bidsify.validate(small)  # compiles the rules
    assert calls(large) < 6 * calls(small)


def test_20_000_files_in_one_folder(tmp_path: Path) -> None:
    root = write(tmp_path, raw())
    for number in range(20_000):
        with io.open(f"{root}/sub-01/anat/sub-01_acq-a{number}_T1w.json", "w") as file:  # noqa: UP020
            file.write("{}")
    report = bidsify.validate(root)
    assert report.files == 20_007
    codes = [issue.code for issue in report.issues()]
    assert codes.count("SIDECAR_WITHOUT_DATAFILE") == 20_000


def test_the_report_of_a_bad_tree_is_the_same_in_processes(tmp_path: Path) -> None:
    root = write(tmp_path, raw() | {BOLD: b"x", T1W_JSON: "[", TABLE: b"\xff"})
    for number in range(9):
        (root / "sub-01/anat" / os.fsdecode(b"\xff%d" % number)).touch()
        (root / os.fsdecode(b"sub-\xff%d" % number)).mkdir()
    assert bidsify.validate(root).findings == bidsify.validate(root, workers=2).findings
