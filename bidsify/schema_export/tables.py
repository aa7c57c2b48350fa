"""Tables: the rows as objects of texts, one schema for each rule of the BIDS schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .document import Json, label, level_of, sentence
from .values import text

_ADDITIONAL = {
    "allowed": "Other columns are allowed.",
    "allowed_if_defined": "Other columns are allowed if the JSON beside the table defines them.",
    "not_allowed": "Other columns are not allowed.",
    "n/a": "Other columns are a matter of the main rule of this table.",
}


def documents(bids: Mapping[str, Any]) -> dict[str, Json]:
    """Return the schemas of tables, by the name of their rule."""
    return {
        name: _document(f"rules.tabular_data.{group}.{name}", rule, bids)
        for group, name, rule in _rules(bids["rules"]["tabular_data"])
    }


def _rules(node: Mapping[str, Any], group: str = "") -> list[tuple[str, str, Mapping[str, Any]]]:
    found = []
    for key, child in node.items():
        if "columns" in child:
            found.append((group, key, child))
        else:
            found.extend(_rules(child, f"{group}.{key}".strip(".")))
    return found


def _document(path: str, rule: Mapping[str, Any], bids: Mapping[str, Any]) -> Json:
    columns = bids["objects"]["columns"]
    others = rule.get("additional_columns", "n/a")
    return {
        "title": f"Table: {path.rpartition('.')[2]}",
        "description": f"Rows of a table, as text, where {path} applies: "
        f"{' and '.join(rule['selectors'])}. {_ADDITIONAL[others]} Values are those of a table "
        "whose JSON does not define its columns anew. Not stated here: the order of columns, "
        "and which values must differ between rows.",
        "type": "array",
        "items": {
            "title": "Row",
            "description": "Column name to text; n/a where a value is missing.",
            "type": "object",
            "required": [
                columns[column]["name"]
                for column, requirement in rule["columns"].items()
                if level_of(requirement) == "required"
            ],
            "properties": {
                columns[column]["name"]: _column(columns[column], level_of(requirement), bids)
                for column, requirement in rule["columns"].items()
            },
            "additionalProperties": False if others == "not_allowed" else {"type": "string"},
        },
    }


def _column(entry: Mapping[str, Any], level: str, bids: Mapping[str, Any]) -> Json:
    known = label(entry, f"{sentence(entry)} {level.capitalize()}.".strip())
    return known | text(entry, bids["objects"]["formats"])
