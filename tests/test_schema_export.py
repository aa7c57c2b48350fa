"""Generated JSON Schemas follow the BIDS schema, and refuse nothing that its rules allow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bidsify import bids_schema, json_schema, schema_export
from bidsify.schema_export import selectors, values
from bidsify.schema_export.__main__ import main
from bidsify.schema_export.document import origin, sentence
from bidsify.schema_export.selectors import Files

SCHEMAS = Path(__file__).parents[1] / "schemas"
FORMATS = {
    "number": {"pattern": " *[+-]?[0-9]+([.][0-9]*)? *"},
    "string": {"pattern": ".*"},
    "integer": {"pattern": r" *[+-]?\d+ *"},
    "label": {"pattern": "[0-9a-zA-Z+]+"},
}
BOLD = Files(
    dataset_type="raw",
    datatype="func",
    modality="mri",
    suffix="bold",
    extension=".nii.gz",
    required=frozenset({"sub", "task"}),
    possible=frozenset({"sub", "task", "echo"}),
)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return schema_export.documents(bids_schema.schema())


def accepts(schema: Any, value: object) -> bool:
    return Draft202012Validator(schema).is_valid(value)


# The files in the repository


def test_the_files_are_what_the_bids_schema_makes(made: dict[str, Any]) -> None:
    recorded = json_schema.load("naming")["$comment"].split(";")[0]
    if recorded != origin(bids_schema.schema()):
        pytest.skip(f"the files are of {recorded}, installed is {origin(bids_schema.schema())}")
    for name, document in made.items():
        text = (SCHEMAS / f"{name}.schema.json").read_text("utf-8")
        assert text == schema_export.render(document), name
    generated = {name for name in json_schema.names() if name == "naming" or "/" in name}
    assert generated == set(made)


def test_all_files_record_the_same_version(made: dict[str, Any]) -> None:
    assert len({json_schema.load(name)["$comment"] for name in made}) == 1


def test_no_two_files_differ_by_case_only(made: dict[str, Any]) -> None:
    assert len({name.lower() for name in made}) == len(made)


def test_the_command_writes_all_and_removes_what_is_gone(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/Gone.schema.json").write_text("{}")
    (tmp_path / "ours.schema.json").write_text("{}")
    main(tmp_path)
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.json")}
    assert written == {f"{name}.schema.json" for name in made} | {"ours.schema.json"}


def test_the_command_needs_a_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bidsify.schema_export"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "usage: python -m bidsify.schema_export DIR\n"


@pytest.mark.parametrize(
    "document",
    [{"a": [], "b": {}, "c": [1, {"d": "é" * 90, "e": None}], "f": "x" * 200}, [], {"a": True}],
)
def test_a_text_holds_its_document(document: Any) -> None:
    text = schema_export.render(document)
    assert json.loads(text) == document
    assert text.endswith("\n")


# Coverage of the rules


def test_each_rule_of_names_is_there(made: dict[str, Any]) -> None:
    rules = [r for group in ("raw", "derivative") for r in made["naming"]["$defs"][group]["anyOf"]]
    assert len(rules) == len(bids_schema.file_rules())
    assert len({rule["title"] for rule in rules}) == len(rules)


def test_each_rule_of_tables_is_there(made: dict[str, Any]) -> None:
    groups = bids_schema.schema()["rules"]["tabular_data"]
    rules = {rule for group in groups.values() for rule in group if "columns" in group[rule]}
    nested = groups["derivatives"]["common_derivatives"]
    assert {n for n in made if n.startswith("tables/")} == {
        f"tables/{r}" for r in rules | {*nested}
    }


@pytest.mark.parametrize(
    ("suffix", "required"),
    [
        ("T1w", []),
        ("MEGRE", ["EchoTime"]),  # the name must have echo-, and the rule asks for it there
        ("bold", ["TaskName"]),
        ("physio", ["Columns", "SamplingFrequency", "StartTime"]),
        ("phasediff", ["EchoTime1", "EchoTime2"]),
        ("m0scan", []),  # in perf and in fmap, with different rules
        ("dseg", []),
    ],
)
def test_required_is_what_every_file_needs(
    suffix: str, required: list[str], made: dict[str, Any]
) -> None:
    assert made[f"sidecars/{suffix}"].get("required", []) == required


@pytest.mark.parametrize(
    ("suffix", "rule"),
    [("T1w", "EntitiesEchoMetadata"), ("bold", "PETMRISequenceSpecifics"), ("asl", "Part")],
)
def test_rules_left_out_are_named(suffix: str, rule: str, made: dict[str, Any]) -> None:
    assert rule in made[f"sidecars/{suffix}"]["description"].split("left out:")[1]


def test_a_sidecar_without_any_settled_rule_has_no_schema(made: dict[str, Any]) -> None:
    assert "sidecars/coordsystem" not in made  # has no data file, its rules are those of JSON
    assert "sidecars/aslcontext" not in made  # may have no sidecar


def test_raw_names_alone_can_be_asked_for() -> None:
    naming = dict(json_schema.load("naming"))
    raw = {**naming, "anyOf": [{"$ref": "#/$defs/raw"}]}
    name = {"entities": {"sub": "1", "desc": "x"}, "suffix": "T1w", "extension": ".nii"}
    assert accepts(naming, {**name, "datatype": "anat"})
    assert not accepts(raw, {**name, "datatype": "anat"})
    assert accepts(raw, {**name, "datatype": "anat", "entities": {"sub": "1"}})


# Selectors


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ('datatype == "func"', True),
        ('suffix != "photo"', True),
        ("intersects([datatype], ['eeg', 'meg'])", False),
        ('intersects(suffix, ["bold", "dwi"])', True),
        ('match(extension, "^\\.nii(\\.gz)?$")', True),
        ('!intersects([suffix], ["bold"])', False),
        ('dataset.dataset_description.DatasetType == "derivative"', False),
        ('"task" in entities', True),
        ("entities.task != null", True),
        ('"inv" in entities', False),
        ('"echo" in entities', None),
        ('entities.part == "phase"', None),
        ('intersects(dataset.modalities, ["pet"])', None),
        ('"a" in entities && "b" in entities', None),
        ("type(entities.space) == 'null'", None),
        ("false", False),
    ],
)
def test_a_selector_is_settled_or_stays_open(selector: str, expected: object) -> None:
    assert selectors.answer(selector, BOLD) is expected


@pytest.mark.parametrize(
    ("selector", "holds", "fails"),
    [
        ('sidecar.M0Type == "Estimate"', {"M0Type": "Estimate"}, {}),
        ('sidecar.M0Type != "Estimate"', {}, {"M0Type": "Estimate"}),
        ("sidecar.MTState == true", {"MTState": True}, {"MTState": False}),
        ('!("X" in sidecar)', {}, {"X": 0}),
        ('intersects([sidecar.X], ["a", "b"])', {"X": "a"}, {"X": "c"}),
        ('!intersects(sidecar.X, ["none"])', {"X": ["a"]}, {"X": ["a", "none"]}),
        ('type(sidecar.X) != "null"', {"X": 1}, {}),
        ('type(sidecar.X) == "string"', {"X": "a"}, {"X": 1}),
    ],
)
def test_a_question_to_the_sidecar_becomes_a_schema(
    selector: str, holds: object, fails: object
) -> None:
    schema = selectors.answer(selector, BOLD)
    assert isinstance(schema, dict)
    assert accepts(schema, holds)
    assert not accepts(schema, fails)


def test_one_open_selector_opens_the_rule_and_a_false_one_closes_it() -> None:
    rule = ['suffix == "bold"', '"echo" in entities']
    assert selectors.verdict(rule, BOLD) == "open"
    assert selectors.verdict([*rule, 'datatype == "anat"'], BOLD) == "never"
    assert selectors.verdict(rule[:1], BOLD) == ()


# Values


@pytest.mark.parametrize(
    ("entry", "good", "bad"),
    [
        ({"type": "number"}, ["1", "-2.5", " 1 ", "n/a"], ["", "x", "NaN", "1,5"]),
        ({"type": "integer"}, ["1", "+1"], ["1.0", "\u0661"]),
        ({"type": "number", "minimum": 0}, ["0", "-0.0", "0.5"], ["-0.5", "-1", "-00.01"]),
        ({"type": "number", "maximum": 89}, ["89", "89.00", "9", "-90"],
         ["90", "89.01", "100", "089.5", "99.5"]),
        ({"type": "number", "minimum": 0, "maximum": 1}, ["0", "1", "0.99"], ["1.01", "2", "-1"]),
        ({"type": "string", "enum": ["L", "R"]}, ["L", "n/a"], ["l", ""]),
        ({"type": "string", "pattern": "^sub-[0-9]+$"}, ["sub-1", "n/a"], ["sub-", "xsub-1"]),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, ["x", "1", ""], []),
        ({"definition": {"Units": "year", "Maximum": 89}}, ["3", "n/a"], ["x", "90"]),
        ({"definition": {"Levels": {"F": "female"}}}, ["F"], ["M"]),
        ({"name": "age", "type": "number", "maximum": 89}, ["89+", "89"], ["90", "90+"]),
    ],
)  # fmt: skip
def test_the_text_of_a_cell(entry: dict[str, Any], good: list[str], bad: list[str]) -> None:
    schema = values.text({"name": "column", **entry}, FORMATS)
    assert [one for one in good if not accepts(schema, one)] == []
    assert [one for one in bad if accepts(schema, one)] == []
    assert not accepts(schema, 1)


@pytest.mark.parametrize("number", ["1e3", "9e1"])
def test_a_number_that_a_pattern_cannot_weigh_passes(number: str) -> None:
    formats = bids_schema.schema()["objects"]["formats"]
    assert accepts(values.text({"name": "x", "type": "number", "maximum": 89}, formats), number)


def test_a_format_is_looked_for_anywhere_in_a_sidecar() -> None:
    schema = values.value({"type": "string", "format": "label"}, FORMATS)
    assert accepts(schema, "- a -")
    assert not accepts(schema, "---")
    assert values.value({"type": "string", "format": "string"}, FORMATS) == {"type": "string"}


def test_a_value_keeps_its_structure_and_loses_what_is_no_json_schema() -> None:
    entry = {
        "unit": "s",
        "recommended": ["a"],
        "anyOf": [{"type": "array", "items": {"type": "number", "unit": "s"}, "minItems": 1}],
        "properties": {"a": {"display_name": "A", "description": "One. Two.", "type": "string"}},
        "additionalProperties": {"type": "integer"},
    }
    assert values.value(entry, FORMATS) == {
        "anyOf": [{"type": "array", "items": {"type": "number"}, "minItems": 1}],
        "properties": {"a": {"title": "A", "description": "One.", "type": "string"}},
        "additionalProperties": {"type": "integer"},
    }


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("One line\nof text.\nMore.", "One line of text."),
        ("See [the page](SPEC_ROOT/x.md#y) of it.", "See the page of it."),
        ("No full stop", "No full stop."),
        ("With e.g. a part. Next", "With e.g. a part."),
    ],
)
def test_a_description_is_one_sentence(description: str, expected: str) -> None:
    assert sentence({"description": description}) == expected
    assert sentence({"description": description, "unit": "s"}) == f"{expected} Unit: s."
