"""The official validator beside ours: how it is run, what is compared, and what people read."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bidsify.bids_schema import schema
from bidsify.errors import UsageError
from bidsify.validation import official, run
from bidsify.validation.issue import Issue
from bidsify.validation.nested import validate_all
from bidsify.validation.official import NAME, Comparison, compare, render, validate_officially
from bidsify.validation.options import Options

RAW = {"Name": "x", "BIDSVersion": "1.11.0", "DatasetType": "raw", "Authors": ["A", "B"]}
DERIVED = RAW | {"DatasetType": "derivative", "GeneratedBy": [{"Name": "x"}]}
FILES = {
    "dataset_description.json": json.dumps(RAW),
    "README": "What the data are, at some length. " * 9,
    "sub-01/anat/sub-01_T1w.nii": "",
    "sub-01/anat/sub-01_T1w.json": '{"EchoTime": "long"}',
    "sub-01/wrong.txt": "x",
    "derivatives/seg/dataset_description.json": json.dumps(DERIVED),
    "derivatives/seg/sub-01/anat/sub-01_wrong.nii": "x",
    "derivatives/seg/derivatives/deep/dataset_description.json": json.dumps(DERIVED),
}
NO_NAME = Issue("NOT_INCLUDED", "error", "a.txt", "", "", "")
NO_KEY = Issue("SIDECAR_KEY_RECOMMENDED", "warning", "b.json", "EchoTime", "", "")
ORPHAN = Issue("SIDECAR_WITHOUT_DATAFILE", "error", "b.json", "", "", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    return tmp_path


def fake(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Put another program in the place of the validator."""
    program = folder / "bin" / NAME
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(official, "_program", lambda: str(program))


@pytest.mark.parametrize(
    ("nifti_headers", "recursive"), [(True, False), (False, False), (False, True)]
)
def test_both_say_the_same_of_a_tree(root: Path, *, nifti_headers: bool, recursive: bool) -> None:
    theirs = validate_officially(
        root, schema(), nifti_headers=nifti_headers, recursive=recursive, timeout=60
    )
    found = {(issue.code, issue.path, issue.where) for issue in theirs}
    assert ("NOT_INCLUDED", "sub-01/wrong.txt", "") in found
    assert ("NO_AUTHORS", "dataset_description.json", "Authors") not in found
    header = ("NIFTI_HEADER_UNREADABLE", "sub-01/anat/sub-01_T1w.nii", "")
    assert (header in found) == nifti_headers
    nested = ("NOT_INCLUDED", "derivatives/seg/sub-01/anat/sub-01_wrong.nii", "")
    assert (nested in found) == recursive
    assert any(path.startswith("derivatives/seg/derivatives/deep/") for _, path, _ in found) == (
        recursive
    )
    request = run.Request(str(root), None, Options(nifti_headers=nifti_headers))
    assert compare(validate_all(request, recursive=recursive).issues(), theirs).agrees


def test_it_gets_the_schema_that_we_use(root: Path) -> None:
    document = json.loads(json.dumps(schema()))
    rule = document["rules"]["checks"]["hints"]["TooFewAuthors"]
    rule["issue"]["code"], rule["checks"] = "ANOTHER_CODE", ["false"]
    found = {issue.code for issue in validate_officially(root, document, timeout=60)}
    assert "ANOTHER_CODE" in found
    assert "TOO_FEW_AUTHORS" not in found


def test_what_it_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
from urllib.request import url2pathname
assert json.load(open(os.environ["BIDS_SCHEMA"].removeprefix("file://")))["own"] == 1
one = {"code": "A", "severity": "error", "location": "/" + " ".join(sys.argv[1:-1]), "subCode": "k"}
two = {"code": "B", "severity": "ignore"}
three = {"code": "C", "severity": "warning"}
nested = {"issues": {"issues": [three]}}
top = {"issues": {"issues": [one, two]}, "derivativesSummary": {"/derivatives/x/": nested}}
json.dump(top, open(sys.argv[-1], "w"))
sys.exit(16)
"""
    fake(monkeypatch, tmp_path, script)
    first, second = validate_officially(root, {"own": 1}, nifti_headers=False, recursive=True)
    told = "--format json --max-rows=-1 --ignoreNiftiHeaders --recursive --outfile"
    assert first == Issue("A", "error", f"{root} {told}".lstrip("/"), "k", "", "")
    assert second == Issue("C", "warning", "derivatives/x/", "", "", "")


@pytest.mark.parametrize(
    ("script", "timeout", "said"),
    [
        ("time.sleep(30)", 0.5, "has not ended after 0.5 s, and was stopped"),
        ("sys.exit('\\nno memory\\n  at x')", 9, "gave no verdict: no memory (exit code 1)"),
        ("print('usage')", 9, "gave no verdict: usage (exit code 0)"),
        ("", 9, "gave no verdict: it said nothing (exit code 0)"),
        ("open(sys.argv[-1], 'w').write('[]')", 9, "gave no verdict: it said nothing"),
        ("open(sys.argv[-1], 'w').write('{\"issues\": 1}')", 9, "gave no verdict"),
    ],
)  # fmt: skip
def test_it_ends_without_a_verdict(
    root: Path, monkeypatch: pytest.MonkeyPatch, script: str, timeout: float, said: str
) -> None:
    fake(monkeypatch, root, script)
    with pytest.raises(UsageError) as caught:
        validate_officially(root, {}, timeout=timeout)
    assert str(caught.value).startswith(f"{root}: {NAME} ")
    assert said in str(caught.value)


def test_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="not installed; get it with: pip install " + NAME):
        validate_officially(tmp_path, {})


def test_it_is_found_beside_python_and_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("beside", "path"):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).touch(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert official._program() == str(tmp_path / "beside" / NAME)
    shutil.rmtree(tmp_path / "beside")
    assert official._program() == str(tmp_path / "path" / NAME)


def issue(like: Issue, **other: Any) -> Issue:
    names = ("code", "severity", "path", "where", "message", "rule")
    return Issue(**({name: getattr(like, name) for name in names} | other))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([], [], ((), (), 0)),
        ([NO_NAME, NO_KEY], [NO_KEY, NO_NAME], ((), (), 2)),
        ([NO_NAME], [], ((("error", "NOT_INCLUDED", "a.txt"),), (), 0)),
        ([], [NO_NAME], ((), (("error", "NOT_INCLUDED", "a.txt"),), 0)),
        ([NO_KEY, issue(NO_KEY, where="Other")], [issue(NO_KEY, message="m")], ((), (), 1)),
        ([issue(NO_KEY, code="GRID_MISMATCH")], [], ((), (), 0)),
        ([issue(NO_KEY, severity="info")], [], ((), (), 0)),
        (
            [issue(NO_KEY, severity="error")],
            [NO_KEY],
            (
                (("error", "SIDECAR_KEY_RECOMMENDED", "b.json"),),
                (("warning", "SIDECAR_KEY_RECOMMENDED", "b.json"),),
                0,
            ),
        ),
    ],
)
def test_what_is_compared(ours: list[Issue], theirs: list[Issue], expected: Any) -> None:
    found = compare(ours, theirs)
    assert (found.only_ours, found.only_theirs, found.both) == expected
    assert found.agrees == (not found.only_ours + found.only_theirs)


def test_what_people_read() -> None:
    ours = [issue(NO_NAME, path=f"{n}.txt") for n in range(5)] + [ORPHAN]
    text = "".join(render(compare(ours, [NO_KEY, issue(NO_NAME, path="0.txt")])))
    assert text == (
        "only bidsify reports\n"
        "  error NOT_INCLUDED  4 files\n"
        "    1.txt\n"
        "    2.txt\n"
        "    3.txt\n"
        "    ... and 1 more\n"
        "  error SIDECAR_WITHOUT_DATAFILE  1 file\n"
        "    b.json\n"
        f"only {NAME} reports\n"
        "  warning SIDECAR_KEY_RECOMMENDED  1 file\n"
        "    b.json\n"
        f"bidsify and {NAME} differ: of pairs of code and file, 5 only from bidsify, "
        f"1 only from {NAME}, 1 from both\n"
    )


@pytest.mark.parametrize(
    ("comparison", "line"),
    [
        (Comparison((), (), 1), "agree: 1 pair of code and file, the same on both sides\n"),
        (Comparison((), (), 0), "agree: 0 pairs of code and file, the same on both sides\n"),
    ],
)
def test_agreement_is_one_line(comparison: Comparison, line: str) -> None:
    assert list(render(comparison)) == [f"bidsify and {NAME} {line}"]


def test_names_of_strangers_are_harmless() -> None:
    only = (("error", "A", "\x1b[2J.txt"), ("error", "A", ""))
    text = "".join(render(Comparison(only, (), 0)))
    assert "\x1b" not in text
    assert "    \\x1b[2J.txt\n    (dataset)\n" in text
