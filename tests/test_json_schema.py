"""The JSON Schemas: sound themselves, and used to say what is wrong in a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bidsify import json_schema
from bidsify.errors import SchemaError

FOLDER = Path(__file__).parents[1] / "schemas"
NAMES = json_schema.names()


def test_all_schemas_of_the_folder_are_listed() -> None:
    files = [p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*.schema.json")]
    assert list(NAMES) == sorted(name.split(".")[0] for name in files)
    assert {"dataset_description", "label_table", "plan", "conversion"} <= set(NAMES)
    assert {"naming", "sidecars/T1w", "tables/Participants"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound(name: str) -> None:
    document = json_schema.load(name)
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert document["$id"].endswith(f"/{name}.schema.json")
    assert document["title"]
    assert document["description"]


@pytest.mark.parametrize("name", NAMES)
def test_each_property_is_explained(name: str) -> None:
    silent = [
        path
        for path, entry in properties(json_schema.load(name), "$")
        if "$ref" not in entry and not (entry.get("title") and entry.get("description"))
    ]
    assert silent == []


@pytest.mark.parametrize("name", NAMES)
def test_references_stay_inside(name: str) -> None:
    text = json.dumps(json_schema.load(name))
    assert '"$ref": "http' not in text
    assert '"$dynamicRef"' not in text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("document", [None, 7, "text", [7]])
def test_nonsense_is_refused_by_each_schema(name: str, document: object) -> None:
    assert list(json_schema.faults(name, document))


def test_an_unknown_schema_names_those_that_exist() -> None:
    there = r"conversion, .*, terms, and those in sidecars/, tables/"
    with pytest.raises(SchemaError, match=rf"^no schema 'plans'; there are: {there}$"):
        json_schema.load("plans")


@pytest.mark.parametrize(
    "name", ["../plan", "plan.schema.json", "", "/etc/passwd", "sidecars", "sidecars/../plan"]
)
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(SchemaError, match=r"^no schema "):
        json_schema.load(name)


def test_faults_say_where_and_come_in_order() -> None:
    rows = [
        {"index": "0", "name": "background"},
        {"index": "-1", "name": " x"},
        {"name": "y", "color": "red"},
    ]
    found = list(json_schema.faults("label_table", rows))
    assert [fault.split(":")[0] for fault in found] == [
        "$[1].index",
        "$[1].name",
        "$[2]",
        "$[2].color",
    ]
    assert "'-1' does not match" in found[0]
    assert "'index' is a required property" in found[2]
    assert list(json_schema.faults("label_table", rows[:1])) == []


def properties(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All properties that a schema describes, at any depth."""
    if isinstance(node, dict):
        for kind in ("properties", "patternProperties"):
            for key, entry in node.get(kind, {}).items():
                if isinstance(entry, dict):
                    yield f"{path}.{key}", entry
        for key, child in node.items():
            if key not in ("if", "not"):  # a condition describes nothing
                yield from properties(child, f"{path}.{key}")
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from properties(child, f"{path}[{place}]")
