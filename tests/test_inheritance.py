"""The inheritance principle: which sidecars apply to a file, and which value wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bids_trees import Content, write

from bidsify.validation.files.inheritance import Ambiguity, applicable, sidecar_of
from bidsify.validation.files.tree import File, Folder

FILE = "sub-01/ses-a/func/sub-01_ses-a_task-rest_run-1_bold.nii.gz"
NEAR = FILE.replace(".nii.gz", ".json")


def file_in(root: Path, files: Mapping[str, Content], path: str = FILE) -> File:
    found = Folder(str(write(root, {path: b"", **files}))).find(path)
    assert isinstance(found, File)
    return found


def values(file: File) -> Mapping[str, Any]:
    found = sidecar_of(file)
    assert not isinstance(found, Ambiguity)
    return found.values


@pytest.mark.parametrize(
    ("path", "applies"),
    [
        (NEAR, True),
        ("task-rest_bold.json", True),
        ("bold.json", True),
        ("sub-01/sub-01_bold.json", True),
        ("sub-01/ses-a/sub-01_ses-a_task-rest_bold.json", True),
        ("task-other_bold.json", False),
        ("sub-01/sub-02_bold.json", False),
        ("task-rest_acq-x_bold.json", False),
        ("task-rest_sbref.json", False),
        ("sub-02/task-rest_bold.json", False),
        ("sub-01/ses-a/anat/task-rest_bold.json", False),
        ("task-rest_bold.JSON", False),
    ],
)
def test_a_sidecar_applies_from_above_with_no_other_entities(
    tmp_path: Path, path: str, *, applies: bool
) -> None:
    assert (values(file_in(tmp_path, {path: {"K": 1}})) == {"K": 1}) is applies


def test_the_nearest_wins_and_the_conflict_is_told(tmp_path: Path) -> None:
    file = file_in(tmp_path, {
        "bold.json": {"A": 1, "B": 1, "C": 1, "L": [1]},
        "sub-01/sub-01_task-rest_bold.json": {"B": 2, "C": 1},
        NEAR: {"C": 3, "D": 4, "L": [1]},
    })  # fmt: skip
    found = sidecar_of(file)
    assert not isinstance(found, Ambiguity)
    assert found.values == {"A": 1, "B": 2, "C": 3, "D": 4, "L": [1]}
    assert {k: d.file.path for k, d in found.origins.items()} == {
        "A": "bold.json", "B": "sub-01/sub-01_task-rest_bold.json", "C": NEAR, "D": NEAR, "L": NEAR,
    }  # fmt: skip
    told = {(path, each.code, each.where) for path, each in found.conflicts}
    assert {code for _, code, _ in told} == {"SIDECAR_FIELD_OVERRIDE"}
    assert {(path, where) for path, _, where in told} == {
        (NEAR, "C"), ("sub-01/sub-01_task-rest_bold.json", "B"), (NEAR, "L"),
    }  # fmt: skip
    assert found.only is None


def test_conflicts_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Not in that of a set, which differs from process to process."""
    keys = [f"Key{number}" for number in range(20)]
    far, near = dict.fromkeys(keys, 1), dict.fromkeys(reversed(keys), 2)
    found = sidecar_of(file_in(tmp_path, {"bold.json": far, NEAR: near}))
    assert not isinstance(found, Ambiguity)
    assert [each.where for _, each in found.conflicts] == keys


def test_true_is_not_one(tmp_path: Path) -> None:
    found = sidecar_of(file_in(tmp_path, {"bold.json": {"A": 1}, NEAR: {"A": True}}))
    assert not isinstance(found, Ambiguity)
    assert [each.where for _, each in found.conflicts] == ["A"]


def test_two_of_a_folder_are_ambiguous(tmp_path: Path) -> None:
    file = file_in(tmp_path, {"task-rest_bold.json": {}, "run-1_bold.json": {}})
    found = sidecar_of(file)
    assert isinstance(found, Ambiguity)
    assert found.found.code == "MULTIPLE_INHERITABLE_FILES"
    assert found.path == "run-1_bold.json"
    assert "task-rest_bold.json" in found.found.message
    assert FILE in found.found.message


def test_the_file_of_the_same_name_is_nearest_of_its_folder(tmp_path: Path) -> None:
    other = "sub-01/ses-a/func/task-rest_bold.json"
    assert values(file_in(tmp_path, {NEAR: {"K": 1}, other: {"K": 2}})) == {"K": 1}


def test_what_applies_is_marked_as_used(tmp_path: Path) -> None:
    file = file_in(tmp_path, {"bold.json": {}, "T1w.json": {}})
    sidecar_of(file)
    files = list(file.parent.chain())[-1].files
    assert (files["bold.json"].is_viewed, files["T1w.json"].is_viewed) == (True, False)


def test_without_inheritance_only_the_folder_itself_counts(tmp_path: Path) -> None:
    file = file_in(tmp_path, {"events.tsv": b"", "sub-01/ses-a/func/task-rest_events.tsv": b""})
    near = list(applicable(file, "events", (".tsv",), is_inherited=False))
    every = list(applicable(file, "events", (".tsv",)))
    assert [[f.path for f in each] for each in every if not isinstance(each, Ambiguity)] == [
        ["sub-01/ses-a/func/task-rest_events.tsv"], ["events.tsv"],
    ]  # fmt: skip
    assert len(near) == 1


@pytest.mark.parametrize("absent", ["near", "far", "none"])
def test_what_was_not_fetched_leaves_the_metadata_partial(tmp_path: Path, absent: str) -> None:
    pointer = b"/annex/objects/MD5-s9--0123456789abcdef0123456789abcdef\n"
    near, far = (pointer if absent == name else b'{"K": 1}' for name in ("near", "far"))
    found = sidecar_of(file_in(tmp_path, {NEAR: near, "bold.json": far}))
    assert not isinstance(found, Ambiguity)
    assert found.is_partial is (absent != "none")
    assert found.values == {"K": 1}


@pytest.mark.parametrize("bad", [b"{", b"[1]", b"\xff"])
def test_a_sidecar_that_cannot_be_read_gives_nothing(tmp_path: Path, bad: bytes) -> None:
    assert values(file_in(tmp_path, {NEAR: bad, "bold.json": {"K": 1}})) == {"K": 1}


@pytest.mark.parametrize(
    ("time", "seen"),
    [
        ("2.00049", 2.0),
        ("0.0005", 0.001),
        ("2", 2),
        ("1e308", 1e308),
        ('"2"', "2"),
        ("[2.5]", [2.5]),
    ],
)
def test_the_repetition_time_is_rounded(tmp_path: Path, time: str, seen: Any) -> None:
    found = values(file_in(tmp_path, {NEAR: f'{{"RepetitionTime": {time}}}'}))
    assert found == {"RepetitionTime": seen}
