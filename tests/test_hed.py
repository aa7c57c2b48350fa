"""HED: what is said of annotations, with and without the package that judges them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bidsify.bids_schema import schema
from bidsify.validation import hed
from bidsify.validation.context import Context
from bidsify.validation.dataset import Dataset, open_dataset
from bidsify.validation.files.tree import Folder
from bidsify.validation.findings import finding
from bidsify.validation.issue import Finding
from bidsify.validation.loading import load
from bidsify.validation.options import Options
from bidsify.validation.rules.rulebook import Rulebook

Found = list[tuple[str, Finding]]
RULEBOOK = Rulebook(schema())
SIDECAR, TABLE = "task-go_events.json", "sub-01/eeg/sub-01_task-go_events.tsv"
BOTH = {SIDECAR, TABLE}
GOOD = {"left": "Agent-action, (Press, Keyboard-key)", "right": "Sensory-event, Red"}
ROWS = "onset\tduration\tkind\n1.0\tn/a\tleft\n2.0\tn/a\tright\n"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that hedtools is there, and that it cannot reach anything."""
    pytest.importorskip("hed", reason="hedtools is not installed (extra hed)")

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        pytest.fail("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hed, "_is_installed", lambda: False)


def write(
    root: Path, kinds: object, rows: str = ROWS, *, version: object = "8.4.0", **columns: object
) -> Path:
    """Write a dataset with one table and its sidecar; ``None`` stands for no HEDVersion."""
    description = {"Name": "A", "BIDSVersion": "1.10.0"}
    if version is not None:
        description |= {"HEDVersion": version}  # type: ignore[dict-item]
    sidecar = {name: {"HED": value} for name, value in {"kind": kinds, **columns}.items()}
    (root / TABLE).parent.mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps(description))
    (root / SIDECAR).write_text(json.dumps(sidecar))
    (root / TABLE).write_text(rows)
    return root


def check(root: Path) -> Found:
    """Run the check of HED, and nothing else, over a tree."""
    dataset = open_dataset(str(root), RULEBOOK, Options())
    found = [each for context in contexts(dataset, dataset.root) for each in hed.check_hed(context)]
    return list(hed.once(found))


def contexts(dataset: Dataset, folder: Folder) -> Iterator[Context]:
    for file in folder.files.values():
        context = Context(dataset, folder, file.name, file)
        context.entities, context.suffix = file.parts.entities, file.parts.suffix
        context.extension = file.parts.extension
        load(context, file, [])
        yield context
    for name in folder.folders:
        yield from contexts(dataset, folder.child(name))


def said(found: Found) -> set[tuple[str, str, str]]:
    return {(path, each.code, each.where.partition(",")[0]) for path, each in found}


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("version", [None, "", 0])
def test_annotations_without_a_version_are_one_error(tmp_path: Path, version: object) -> None:
    [(path, found)] = check(write(tmp_path, GOOD, version=version))
    assert path == SIDECAR  # the first that has any
    assert (found.code, found.where) == ("HED_ERROR", "SCHEMA_LOAD_FAILED")
    assert "HEDVersion" in found.message


@pytest.mark.usefixtures("absent")
def test_without_the_package_one_line_says_so(tmp_path: Path) -> None:
    assert check(write(tmp_path, GOOD)) == [("", finding("HED_NOT_CHECKED"))]
    assert finding("HED_NOT_CHECKED").severity == "info"


@pytest.mark.parametrize(
    ("sidecar", "rows"),
    [
        ({"kind": {"Levels": {"left": "HED"}}, "HED": "Red"}, ROWS),
        ({"kind": "HED", "list": [{"HED": "Red"}]}, ROWS),
        ({}, ROWS.replace("kind", "hed")),
    ],
)
def test_other_files_are_let_alone(tmp_path: Path, sidecar: Mapping[str, Any], rows: str) -> None:
    write(tmp_path, GOOD, rows, version=None)
    (tmp_path / SIDECAR).write_text(json.dumps(sidecar))
    assert check(tmp_path) == []


@pytest.mark.usefixtures("absent")
def test_a_column_is_enough(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "onset\tduration\tHED\n1\t1\tRed\n", version=None)
    (tmp_path / SIDECAR).write_text("{}")
    assert [path for path, _ in check(tmp_path)] == [TABLE]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, bidsify.validation.hed as h; print({'hed', 'pandas'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_of_findings_about_the_dataset_the_first_stays() -> None:
    lost, other = finding("HED_ERROR", "no", "SCHEMA_LOAD_FAILED"), finding("HED_ERROR", "x", "Y")
    unchecked, empty = finding("HED_NOT_CHECKED"), finding("EMPTY_FILE")
    many = [("a", empty), ("a", lost), ("b", other), ("b", lost), ("c", other), ("d", empty)]
    assert list(hed.once(many)) == [many[i] for i in (0, 1, 2, 4, 5)]
    assert list(hed.once([("", unchecked)] * 3 + many[:1])) == [("", unchecked), ("a", empty)]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "version", ["8.2.0", ["8.4.0"], ["8.4.0", "8.4.0"], ["8.3.0", "sc:score_2.0.0"], "score_2.1.0"]
)
def test_sound_annotations_pass_with_each_form_of_version(tmp_path: Path, version: object) -> None:
    assert check(write(tmp_path, GOOD, version=version)) == []


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("latest", "is no version"),
        ("8.4", "is no version"),
        (5, "is no version"),
        (["8.4.0", None], "is no version"),
        ([], "names no schema"),
        ("../8.4.0", "is no version"),
        ("8.99.0", "brings no schema"),
        (["8.4.0", "te:testlib_1.0.2"], "brings no schema 'te:testlib_1.0.2'"),
        (["8.3.0", "score_1.1.0"], "differs"),
    ],
)
def test_a_version_that_cannot_be_had_is_one_error(
    tmp_path: Path, version: object, reason: str
) -> None:
    [(path, found)] = check(write(tmp_path, GOOD, version=version))
    assert (path, found.code, found.where) == ("", "HED_ERROR", "SCHEMA_LOAD_FAILED")
    assert reason in found.message


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("Agent-action, Participant-respons", "HED_ERROR", "TAG_INVALID"),
        ("(Agent-action, (Press, Keyboard-key)", "HED_ERROR", "PARENTHESES_MISMATCH"),
        ("Agent-action (Press, Keyboard-key)", "HED_ERROR", "COMMA_MISSING"),
        ("Agent-action,, Red", "HED_ERROR", "TAG_EMPTY"),
        ("Agent-action, Label/#", "HED_ERROR", "PLACEHOLDER_INVALID"),
        ("Red, Red", "HED_ERROR", "TAG_EXPRESSION_REPEATED"),
        ("Def/Nothing", "HED_ERROR", "DEF_INVALID"),
        ("Red, {nowhere}", "HED_ERROR", "SIDECAR_BRACES_INVALID"),
        ("Red, {}", "HED_ERROR", "SIDECAR_BRACES_INVALID"),
        ("(Definition/A, (Red, (Definition/B, (Blue))))", "HED_ERROR", "DEFINITION_INVALID"),
        ("Red, Press/Softly", "HED_WARNING", "TAG_EXTENDED"),
        (5, "HED_ERROR", "SIDECAR_INVALID"),
        ("(" * 5000 + "Red" + ")" * 5000, "HED_ERROR", "INTERNAL_ERROR"),
    ],
)
def test_a_bad_annotation_is_named_with_the_sidecar_and_its_table(
    tmp_path: Path, text: object, code: str, where: str
) -> None:
    found = check(write(tmp_path, GOOD | {"left": text}))
    assert {(path, code, where) for path in BOTH} <= said(found)
    assert {each.code for _, each in found} == {code}
    assert where == "INTERNAL_ERROR" or all("'kind'" in each.message for _, each in found)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("rows", "code", "where"),
    [
        ("onset\tkind\n1\tup\n", "HED_WARNING", "SIDECAR_KEY_MISSING"),
        ("onset\tHED\n1\tNope\n", "HED_ERROR", "TAG_INVALID, line 2"),
        ("onset\tHED\n1\tRed\n2\t(Red\n", "HED_ERROR", "PARENTHESES_MISMATCH, line 3"),
        ("onset\tHED\n1\t{kind}\n", "HED_ERROR", "CHARACTER_INVALID, line 2"),
        ("onset\tlag\n1\tn/a\n2\tx y\n", "HED_ERROR", "VALUE_INVALID, line 3"),
        ("onset\tkind\tHED\n1\tright\tRed\n", "HED_ERROR", "TAG_EXPRESSION_REPEATED, line 2"),
    ],
)
def test_a_bad_value_is_named_with_its_line(
    tmp_path: Path, rows: str, code: str, where: str
) -> None:
    found = check(write(tmp_path, GOOD, rows, lag="Item-count/#"))
    assert {(path, each.code, each.where) for path, each in found} == {(TABLE, code, where)}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        (GOOD | {"left": ""}, ROWS),  # no annotation
        (GOOD, "onset\tduration\n1\t2\n"),  # a table need not have all columns
        (GOOD | {"left": "Red, {lag}"}, ROWS),  # even those that an annotation refers to
        (GOOD, "onset\tkind\n2\tleft\n1\tright\n"),  # no question of HED
        (GOOD, "onset\tkind\n"),
    ],
)
def test_what_the_official_validator_lets_pass(
    tmp_path: Path, kinds: Mapping[str, str], rows: str
) -> None:
    assert check(write(tmp_path, kinds, rows, lag="Item-count/#")) == []


@pytest.mark.usefixtures("offline")
def test_the_column_that_braces_name_is_missed(tmp_path: Path) -> None:
    found = check(write(tmp_path, GOOD | {"left": "Red, {HED}"}))
    assert said(found) == {(TABLE, "HED_WARNING", "SIDECAR_KEY_MISSING")}


@pytest.mark.usefixtures("offline")
def test_many_references_take_no_longer_than_their_values(tmp_path: Path) -> None:
    """Four columns of 40 values have 2.56 million combinations."""
    others: dict[str, object] = {
        name: {str(i): f"Label/{name}{i}" for i in range(40)} for name in "abcd"
    }
    kinds = GOOD | {"left": "Red, {a}, {b}, {c}, {d}"}
    assert check(write(tmp_path / "good", kinds, **others)) == []
    others["c"] = {str(i): "Nope" if i == 39 else f"Label/c{i}" for i in range(40)}
    found = check(write(tmp_path / "bad", kinds, **others))
    assert said(found) == {(path, "HED_ERROR", "TAG_INVALID") for path in BOTH}
    assert all("'c'" in each.message and "Nope" in each.message for _, each in found)
