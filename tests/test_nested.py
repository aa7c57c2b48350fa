"""A dataset and its derivatives as one report."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bidsify.errors import UsageError
from bidsify.validation import nested
from bidsify.validation.issue import Report
from bidsify.validation.nested import validate_all
from bidsify.validation.options import Options, Request
from bidsify.validation.run import validate_tree

RAW = {"Name": "x", "BIDSVersion": "1.11.0", "DatasetType": "raw", "Authors": ["A", "B"]}
DERIVED = json.dumps(RAW | {"DatasetType": "derivative", "GeneratedBy": [{"Name": "x"}]})
WRONG = "NOT_INCLUDED"
UNSAID = "DERIVATIVE_WITHOUT_DESCRIPTION"


def write(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(DERIVED if file.name == "dataset_description.json" else "x", "utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "README", "sub-01/anat/sub-01_wrong.txt", "sub-02/anat/sub-02_T1w.nii")
    (tmp_path / "dataset_description.json").write_text(json.dumps(RAW), "utf-8")
    return tmp_path


def validate(root: Path, *, recursive: bool = True, workers: int = 1) -> Report:
    return validate_all(Request(str(root)), workers, recursive=recursive)


def paths(report: Report, code: str) -> list[str]:
    return [path for path, found in report.findings if found.code == code]


def test_derivatives_only_where_asked_for(root: Path) -> None:
    write(root, "derivatives/a/dataset_description.json", "derivatives/a/wrong.txt")
    alone = validate_tree(Request(str(root)))
    assert replace(validate(root, recursive=False), seconds=0) == replace(alone, seconds=0)
    whole = validate(root)
    assert whole.findings[: len(alone.findings)] == alone.findings
    assert paths(whole, WRONG) == ["sub-01/anat/sub-01_wrong.txt", "derivatives/a/wrong.txt"]


def test_what_is_found_in_a_derivative_is_what_it_has_alone(root: Path) -> None:
    write(root, "derivatives/a/dataset_description.json", "derivatives/a/sub-03/wrong.txt")
    write(root, "derivatives/a/sub-01/anat/sub-01_dseg.json")
    whole, top = validate(root), validate(root, recursive=False)
    inner = validate(root / "derivatives/a")
    prefixed = tuple(("derivatives/a/" + path, found) for path, found in inner.findings)
    assert whole.findings == top.findings + prefixed
    assert whole.files == top.files + inner.files == 7
    assert (top.subjects, inner.subjects, whole.subjects) == (2, 2, 3)
    assert (whole.root, whole.bids_version) == (top.root, top.bids_version)


def test_derivatives_of_derivatives(root: Path) -> None:
    for where in ("b/", "a/", "a/derivatives/deep/", "a/derivatives/deep/derivatives/deeper/"):
        write(root, f"derivatives/{where}dataset_description.json", f"derivatives/{where}wrong.txt")
    expected = [
        "sub-01/anat/sub-01_wrong.txt",
        "derivatives/a/wrong.txt",
        "derivatives/a/derivatives/deep/wrong.txt",
        "derivatives/a/derivatives/deep/derivatives/deeper/wrong.txt",
        "derivatives/b/wrong.txt",
    ]
    one, two = validate(root), validate(root, workers=2)
    assert paths(one, WRONG) == expected
    assert one.findings == two.findings


@pytest.mark.parametrize(
    ("files", "unsaid"),
    [
        ((), []),
        (("derivatives/README",), []),
        (("derivatives/a/dataset_description.json",), []),
        (("derivatives/a/x", "derivatives/.b/x"), ["derivatives/a/"]),
        (("derivatives/group/a/dataset_description.json",), ["derivatives/group/"]),
        (("derivatives/sub-01/x", "derivatives/sub-02/x"), ["derivatives/"]),
        (
            (
                "derivatives/b/x",
                "derivatives/a/dataset_description.json",
                "derivatives/a/derivatives/c/x",
            ),
            ["derivatives/a/derivatives/c/", "derivatives/b/"],
        ),
    ],
)  # fmt: skip
def test_what_was_not_validated_is_said(root: Path, files: list[str], unsaid: list[str]) -> None:
    write(root, *files)
    assert paths(validate(root), UNSAID) == unsaid
    assert paths(validate(root, recursive=False), UNSAID) == []


def test_each_has_a_bidsignore_of_its_own(root: Path) -> None:
    for where in ("", "derivatives/a/"):
        write(root, f"{where}dataset_description.json", f"{where}wrong.txt", f"{where}other.txt")
    (root / ".bidsignore").write_text("derivatives/\n/wrong.txt\n*_wrong.txt\n", "utf-8")
    (root / "derivatives/a/.bidsignore").write_text("/other.txt\n", "utf-8")
    assert paths(validate(root), WRONG) == ["other.txt", "derivatives/a/wrong.txt"]


def test_what_is_said_of_the_outer_dataset_is_not_said_of_inner_ones(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "derivatives/a/dataset_description.json")
    asked = []

    def look(request: Request, workers: int) -> Report:
        asked.append(request)
        return validate_tree(request, workers)

    monkeypatch.setattr(nested, "validate_tree", look)
    options = Options("names", nifti_headers=False, voxels_in=frozenset({"sub-01"}))
    request = Request(str(root), None, options, "chaos")
    validate_all(request, recursive=True)
    outer, inner = asked
    assert outer == request
    assert (inner.options, inner.profile) == (replace(options, voxels_in=None), None)


def test_links_that_lead_back_end(root: Path) -> None:
    for name in ("a", "b"):
        write(root, f"derivatives/{name}/dataset_description.json", f"derivatives/{name}/wrong.txt")
    for name, other in (("a", "b"), ("b", "a")):
        (root / f"derivatives/{name}/derivatives").mkdir()
        (root / f"derivatives/{name}/derivatives/x").symlink_to(f"../../{other}")
    (root / "derivatives/back").symlink_to("..")
    found = paths(validate(root), WRONG)[1:]
    inner = "derivatives/x/wrong.txt"
    assert found == [
        "derivatives/a/wrong.txt", f"derivatives/a/{inner}",
        "derivatives/b/wrong.txt", f"derivatives/b/{inner}",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
@pytest.mark.parametrize("locked", ["derivatives", "derivatives/a"])
def test_a_folder_without_permission(root: Path, locked: str) -> None:
    write(root, "derivatives/a/dataset_description.json")
    (root / locked).chmod(0)
    try:
        assert paths(validate(root), "FILE_READ") == [f"{locked}/"]
    finally:
        (root / locked).chmod(0o755)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        validate(tmp_path / "nowhere")
