"""Whole validations of small trees: every option, and the same result however it is come by."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bids_trees import (
    BOLD,
    BOLD_JSON,
    DESCRIPTION,
    T1W,
    T1W_JSON,
    Content,
    codes_at,
    derivative,
    image,
    issues,
    raw,
    write,
)

import bidsify
from bidsify.bids_schema import schema
from bidsify.errors import SchemaError, UsageError
from bidsify.validation.issue import Issue

AUTHORS = {("NO_AUTHORS", DESCRIPTION), ("TOO_FEW_AUTHORS", DESCRIPTION)}


def crowd() -> dict[str, Content]:
    """A tree of many subjects with faults of all sorts, alone and shared."""
    files = raw() | {
        "bold.json": {"EchoTime": "short", "FlipAngle": 90},
        "T1w.json": {"EchoTime": -1},
        "task-other_bold.json": {},
        "notes.docx": "x",
        "participants.tsv": "participant_id\nsub-01\nsub-99\n",
    }
    for number in range(2, 14):
        label = f"{number:02}"
        for path in (T1W, BOLD, BOLD_JSON):
            files[path.replace("01", label)] = files[path]
        files[f"sub-{label}/anat/sub-{label}_T1w.json"] = {"EchoTime": number, "FlipAngle": "x"}
        files[f"sub-{label}/anat/sub-{label}_acq_T1w.nii.gz"] = b""
    files["sub-03/sub-03_T1w.json"] = "{"
    files["sub-04/anat/sub-05_T1w.nii.gz"] = image(2, 2, 2)
    files["sub-06/anat/sub-06_t1W.nii.gz"] = image(2, 2, 2)
    return files


def listed(root: Path, **options: Any) -> list[Issue]:
    return list(bidsify.validate(root, **options).issues())


@pytest.mark.parametrize("files", [raw(), derivative()], ids=["raw", "derivative"])
@pytest.mark.parametrize("level", ["names", "headers"])
def test_a_sound_tree_has_no_faults(tmp_path: Path, files: Any, level: str) -> None:
    assert issues(write(tmp_path, files), level=level) <= AUTHORS


def test_the_report_counts(tmp_path: Path) -> None:
    report = bidsify.validate(write(tmp_path, raw()))
    assert (report.files, report.subjects, report.root) == (7, 1, str(tmp_path))
    assert report.schema_version == schema()["schema_version"]
    assert report.bids_version == schema()["bids_version"]
    assert report.count("error") == 0
    assert report.count("warning") == sum(i.severity == "warning" for i in report.issues()) > 0
    assert report.seconds >= 0


def test_processes_change_nothing(tmp_path: Path) -> None:
    root = write(tmp_path, crowd())
    alone = listed(root)
    assert len({issue.code for issue in alone}) > 10
    assert listed(root, workers=2) == alone
    assert listed(root, workers=3) == alone
    assert bidsify.validate(root, workers=2).files == bidsify.validate(root).files


def test_the_order_of_creation_changes_nothing(tmp_path: Path) -> None:
    files = crowd()
    one = write(tmp_path / "one", files)
    other = write(tmp_path / "other", dict(reversed(list(files.items()))))
    assert listed(one) == listed(other)
    assert listed(one) == listed(one)


def test_a_tree_that_changed_is_read_again(tmp_path: Path) -> None:
    root = write(tmp_path, raw())
    assert ("EMPTY_FILE", T1W) not in issues(root)
    (root / T1W).write_bytes(b"")
    assert ("EMPTY_FILE", T1W) in issues(root)
    (root / T1W).unlink()
    assert ("SIDECAR_WITHOUT_DATAFILE", T1W_JSON) in issues(root)


def test_names_alone_open_no_file(tmp_path: Path) -> None:
    files = raw() | {T1W: b"no image", BOLD_JSON: "{", "notes.docx": "x"}
    root = write(tmp_path, files)
    assert issues(root, level="names") == {("NOT_INCLUDED", "notes.docx")}
    assert {("NIFTI_HEADER_UNREADABLE", T1W), ("JSON_INVALID", BOLD_JSON)} <= issues(root)


def test_headers_of_images_can_be_let_be(tmp_path: Path) -> None:
    root = write(tmp_path, raw() | {T1W: b"no image"})
    assert codes_at(root, T1W) == {"NIFTI_HEADER_UNREADABLE"}
    assert codes_at(root, T1W, ignore_nifti_headers=True) == set()


def test_voxels_are_read_where_that_is_asked_for(tmp_path: Path) -> None:
    files = derivative()
    (path,) = (p for p in files if p.endswith("dseg.nii.gz"))
    root = write(tmp_path, files)
    assert codes_at(root, path, level="voxels") - codes_at(root, path) == {"SEGMENTATION_EMPTY"}


def test_content_that_was_not_fetched(tmp_path: Path) -> None:
    files = raw()
    del files[T1W]
    root = write(tmp_path, files)
    (root / T1W).symlink_to("../../.git/annex/objects/aa/bb/SHA256E-s9--x.nii.gz")
    assert codes_at(root, T1W) == {"CONTENT_MISSING"}
    assert codes_at(root, T1W, skip_missing=True) == set()


def test_bidsignore_leaves_out(tmp_path: Path) -> None:
    files = raw() | {"extra/x": "1", "notes.docx": "1", ".bidsignore": "extra\n*.docx\n"}
    assert issues(write(tmp_path, files)) <= AUTHORS


@pytest.mark.parametrize(
    "folder", ["sourcedata", "code", "derivatives", "stimuli", "logs", "other"]
)
def test_what_lies_in_folders_of_no_rules(tmp_path: Path, folder: str) -> None:
    found = issues(write(tmp_path, raw() | {f"{folder}/any name/x.docx": "1"}))
    assert {code for code, _ in found - AUTHORS} == (
        {"NOT_INCLUDED"} if folder == "other" else set()
    )


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    found = issues(write(tmp_path, raw() | {"readme": "x" * 200}))
    assert {("CASE_COLLISION", "README"), ("CASE_COLLISION", "readme")} <= found


def test_another_schema_has_other_rules(tmp_path: Path) -> None:
    document = json.loads(json.dumps(schema()))
    root = write(tmp_path / "ds", raw())
    document["rules"]["files"]["raw"]["anat"] = {}
    del document["rules"]["checks"]
    document["schema_version"] = "9.9.9"
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(document))
    assert ("NOT_INCLUDED", T1W) in issues(root, schema=path)
    assert bidsify.validate(root, schema=path).schema_version == "9.9.9"
    assert ("NOT_INCLUDED", T1W) not in issues(root)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"rules": {}}', b"\xff"])
def test_a_schema_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=r"schema\.json: not a BIDS schema"):
        bidsify.validate(write(tmp_path / "ds", raw()), schema=path)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("x")
    with pytest.raises(UsageError, match="place: no such folder"):
        bidsify.validate(place)


def test_a_copy_says_the_same(tmp_path: Path) -> None:
    one = write(tmp_path / "one", crowd())
    shutil.copytree(one, tmp_path / "two")
    assert listed(one) == listed(tmp_path / "two")
    assert listed(Path(f"{one}/")) == listed(one)


def test_a_level_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no level 'deep'; there are: names, headers, voxels"):
        bidsify.validate(tmp_path, level="deep")  # type: ignore[arg-type]
