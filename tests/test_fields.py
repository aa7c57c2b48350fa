"""Keys of JSON files and sidecars: which must be there, and what they may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bids_trees import (
    BOLD,
    BOLD_JSON,
    DESCRIPTION,
    PHYSIO,
    PHYSIO_JSON,
    Content,
    codes_at,
    derivative,
    image,
    issues,
    raw,
    write,
)
from builders import gzipped

import bidsify

VALUE = "JSON_SCHEMA_VALIDATION_ERROR"


def bold(**keys: Any) -> dict[str, Any]:
    return {"RepetitionTime": 1.0, "TaskName": "rest", **keys}


@pytest.mark.parametrize(
    ("sidecar", "at", "code"),
    [
        ({"TaskName": "rest"}, BOLD, "SIDECAR_KEY_REQUIRED"),
        (bold(TaskName=5), BOLD_JSON, VALUE),
        (bold(EchoTime="short"), BOLD_JSON, VALUE),
        (bold(EchoTime=-1), BOLD_JSON, VALUE),
        (bold(MRAcquisitionType="2D", SliceTiming=[0, "1"]), BOLD_JSON, VALUE),
        (bold(MagneticFieldStrength="x"), BOLD_JSON, VALUE),
    ],
)
def test_a_fault_is_told_where_it_stands(
    tmp_path: Path, sidecar: Content, at: str, code: str
) -> None:
    assert code in codes_at(write(tmp_path, raw() | {BOLD_JSON: sidecar}), at)


@pytest.mark.parametrize("keys", [{}, {"EchoTime": 0.03}, {"Mine": [1, {"a": None}]}])
def test_sound_and_unknown_keys_are_let_pass(tmp_path: Path, keys: dict[str, Any]) -> None:
    tree = write(tmp_path, raw() | {BOLD_JSON: bold(**keys)})
    assert codes_at(tree, BOLD_JSON) | codes_at(tree, BOLD) == set()


def test_the_key_and_the_rule_are_named(tmp_path: Path) -> None:
    tree = write(tmp_path, raw() | {BOLD_JSON: {"RepetitionTime": 1.0}})
    report = bidsify.validate(tree)
    (found,) = [i for i in report.issues() if i.code == "SIDECAR_KEY_REQUIRED"]
    assert (found.path, found.where, found.severity) == (BOLD, "TaskName", "error")
    assert found.rule.startswith("rules.sidecars.")


def test_a_value_that_serves_many_files_is_judged_once(tmp_path: Path) -> None:
    files = raw() | {"bold.json": {"EchoTime": "short"}}
    for subject in ("02", "03"):
        files[BOLD.replace("01", subject)] = files[BOLD]
    report = bidsify.validate(write(tmp_path, files))
    found = [i.path for i in report.issues() if i.code == VALUE]
    assert found == ["bold.json"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_value_is_judged_wherever_it_is_overridden(tmp_path: Path, workers: int) -> None:
    files = raw() | {"bold.json": {"EchoTime": "short"}, BOLD_JSON: bold(EchoTime=0.03)}
    files[BOLD.replace("01", "02")] = files[BOLD]
    found = issues(write(tmp_path, files), workers=workers)
    assert (VALUE, "bold.json") in found


def test_a_derivative_owes_only_what_derivatives_owe(tmp_path: Path) -> None:
    path = "sub-01/func/sub-01_task-rest_desc-x_bold.nii.gz"
    report = bidsify.validate(write(tmp_path, derivative() | {path: image(2, 2, 2, 2)}))
    owed = [i.where for i in report.issues() if i.code == "SIDECAR_KEY_REQUIRED" and i.path == path]
    assert owed == ["SkullStripped"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("BIDSVersion", None, "JSON_KEY_REQUIRED"),
        ("Authors", "one", VALUE),
        ("DatasetType", "other", VALUE),
        ("DatasetType", ["raw"], VALUE),
        ("GeneratedBy", [{"Version": "1"}], VALUE),
        ("DatasetLinks", {"a": 1}, VALUE),
    ],
)
def test_keys_of_the_description(tmp_path: Path, key: str, value: Any, code: str) -> None:
    keys = {"Name": "x", "BIDSVersion": "1.10.0", key: value}
    files = raw() | {DESCRIPTION: {k: v for k, v in keys.items() if v is not None}}
    assert code in codes_at(write(tmp_path, files), DESCRIPTION)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["a"], set()),
        (["a", "b"], {"TSV_EQUAL_ROWS"}),
        ([], {"TSV_EQUAL_ROWS"}),
        ([1], set()),
        ([["a"]], set()),
        ("a", {"INVALID_GZIP"}),
        ({"a": 1}, {"INVALID_GZIP"}),
        (5, {"INVALID_GZIP"}),
    ],
)
def test_names_of_columns_of_any_type(tmp_path: Path, columns: Any, expected: set[str]) -> None:
    sidecar = {"SamplingFrequency": 1, "StartTime": 0, "Columns": columns}
    files = raw() | {PHYSIO: gzipped(b"1\n2\n"), PHYSIO_JSON: sidecar}
    found = codes_at(write(tmp_path, files), PHYSIO)
    assert found & {"TSV_EQUAL_ROWS", "INVALID_GZIP", "FILE_READ"} == expected


@pytest.mark.parametrize(
    "value", ["1e999", "1e308", '"\\ud800"', "true", "[]", "[[[[1]]]]", "null"]
)
@pytest.mark.parametrize("key", ["RepetitionTime", "TaskName", "SliceTiming", "Columns", "Mine"])
def test_odd_values_are_issues_or_nothing(tmp_path: Path, key: str, value: str) -> None:
    text = f'{{"{key}": {value}}}'
    report = bidsify.validate(write(tmp_path, raw() | {BOLD_JSON: text}))
    assert {i.where for i in report.issues() if i.code == VALUE} <= {key}
