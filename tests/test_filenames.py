"""Names and places of files against the rules of the schema."""

from __future__ import annotations

import pytest
import strategies
from hypothesis import assume, given
from hypothesis import strategies as st

from bidsify.bids_schema import schema
from bidsify.entities import BidsPath
from bidsify.validation.files.names import NO_LABEL, split_name
from bidsify.validation.rules.file_rules import FileRules
from bidsify.validation.rules.filenames import Filenames

RAW = Filenames(FileRules(schema(), "raw"))
DERIVATIVE = Filenames(FileRules(schema(), "derivative"))
DATATYPES = schema()["objects"]["datatypes"]


def codes(path: str, filenames: Filenames = RAW) -> list[str]:
    *folders, name = path.split("/")
    datatype = folders[-1] if folders and folders[-1] in DATATYPES else ""
    parts = split_name(name)
    verdict = filenames.identify(path, name, parts, datatype)
    return [found.code for found in filenames.check(path, name, parts, verdict)]


@pytest.mark.parametrize(
    "path",
    [
        "README", "README.md", "CHANGES", "LICENSE", "CITATION.cff", "dataset_description.json",
        "participants.tsv", "participants.json", "task-rest_bold.json", "T1w.json",
        "sub-01/sub-01_sessions.tsv", "sub-01/anat/sub-01_T1w.nii.gz", "phenotype/measure.tsv",
        "sub-01/ses-a/func/sub-01_ses-a_task-rest_acq-fast_run-02_bold.nii.gz",
        "sub-01/ses-a/sub-01_ses-a_scans.tsv", "sub-01/dwi/sub-01_dwi.bval",
    ],
)  # fmt: skip
def test_a_sound_name_has_no_fault(path: str) -> None:
    assert codes(path) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("notes.docx", ["NOT_INCLUDED"]),
        ("sub-01/anat/sub-01_T1W.nii.gz", ["NOT_INCLUDED"]),
        ("sub-01/anat/x", ["NOT_INCLUDED"]),
        ("participants.csv", ["EXTENSION_MISMATCH"]),
        ("sub-01/anat/sub-01_T1w.mgz", ["EXTENSION_MISMATCH"]),
        ("sub-01/anat/sub-01_T1w.nii.gz\n", ["EXTENSION_MISMATCH"]),
        ("sub-01/func/sub-01_T1w.nii.gz", ["DATATYPE_MISMATCH"]),
        ("sub-01/anat/sub-01_task-a_acq-b_T2w.nii", []),
        ("sub-01/anat/sub-01_hemi-L_T1w.nii.gz", ["ENTITY_NOT_IN_RULE"]),
        ("sub-01/func/sub-01_bold.nii.gz", ["MISSING_REQUIRED_ENTITY"]),
        ("sub-01/anat/sub-01_run-x_T1w.nii.gz", ["INVALID_ENTITY_LABEL"]),
        ("sub-01/anat/sub-01_acq-a+b_T1w.nii.gz", []),
        ("sub-01/anat/sub-01_acq-a!b_T1w.nii.gz", ["INVALID_ENTITY_LABEL"]),
        ("sub-01/anat/sub-01_run-1_acq-a_T1w.nii.gz", ["FILENAME_MISMATCH"]),
        ("sub-01/anat/sub-01_acq-a_acq-b_T1w.nii.gz", ["FILENAME_MISMATCH"]),
        ("sub-01/anat/sub-02_T1w.nii.gz", ["INVALID_LOCATION"]),
        ("sub-01_T1w.nii.gz", ["INVALID_LOCATION"]),
        ("sub-01/ses-b/anat/sub-01_ses-a_T1w.nii.gz", ["INVALID_LOCATION"]),
        ("sub-01/ses-a/anat/sub-01_T1w.nii.gz", ["INVALID_LOCATION"]),
        ("sub-01/noses-a/anat/sub-01_T1w.nii.gz", []),
        ("sub-01/anat/T1w.json", ["INVALID_LOCATION"]),
    ],
)
def test_each_fault_has_its_code(path: str, expected: list[str]) -> None:
    if path == "sub-01/anat/T1w.json":
        expected = ["MISSING_REQUIRED_ENTITY", *expected]
    assert codes(path) == expected


def test_an_entity_without_label_is_told() -> None:
    assert "ENTITY_WITH_NO_LABEL" in codes("sub-01/anat/sub-01_acq_T1w.nii.gz")


def test_names_of_derivatives_are_for_derivatives() -> None:
    path = "sub-01/anat/sub-01_space-MNI152Lin_desc-x_dseg.nii.gz"
    assert codes(path, DERIVATIVE) == []
    assert codes(path) == ["NOT_INCLUDED"]


@given(strategies.bids_paths())
def test_each_name_that_a_rule_allows_is_sound(path: BidsPath) -> None:
    text = str(path)
    assume("tpl-" not in text)  # templates lie elsewhere
    found = codes(text, DERIVATIVE)
    assert found == [], text


@given(st.text(max_size=30))
def test_any_text_can_be_taken_apart(name: str) -> None:
    parts = split_name(name)
    assert name.endswith(parts.suffix + parts.extension)
    assert parts.extension == "" or parts.extension[0] == "."
    assert all(parts.entities.values())
    codes(name.replace("/", "_") or "x")  # must not raise


@pytest.mark.parametrize(
    ("name", "entities", "suffix", "extension"),
    [
        ("sub-01_T1w.nii.gz", {"sub": "01"}, "T1w", ".nii.gz"),
        ("README", {}, "README", ""),
        ("a.b.c", {}, "a", ".b.c"),
        ("sub-01", {"sub": "01"}, "", ""),
        ("sub-01_acq_bold.json", {"sub": "01", "acq": NO_LABEL}, "bold", ".json"),
        ("sub-_bold.json", {"sub-": NO_LABEL}, "bold", ".json"),
        ("sub-a-b_T1w", {"sub": "a-b"}, "T1w", ""),
        ("sub-01_sub-02_T1w", {"sub": "02"}, "T1w", ""),
        (".json", {"": NO_LABEL}, "", ".json"),
    ],
)
def test_parts_of_a_name(name: str, entities: dict[str, str], suffix: str, extension: str) -> None:
    parts = split_name(name)
    assert (parts.entities, parts.suffix, parts.extension) == (entities, suffix, extension)


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("sub-01", True),
        ("ses-1", True),
        ("anat", True),
        ("code", True),
        ("anatx", False),
        ("x", False),
    ],
)
def test_names_of_folders(name: str, *, is_known: bool) -> None:
    assert RAW.knows_folder(name) is is_known
