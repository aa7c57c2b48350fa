"""Names: which entities, suffixes, extensions and data types go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .document import Json, label, level_of, sentence
from .values import portable

_ROOT = {"$ref": "#/$defs/at_root"}


def document(bids: Mapping[str, Any]) -> Json:
    """Return the schema of a file name that is taken apart."""
    return {
        "title": "File name",
        "description": "A file name with entities, taken apart. Names of derivative datasets may "
        "follow the rules for raw ones too; $defs/raw alone is for raw datasets. "
        "The order of entities is not stated here: sub comes first, see rules.entities of BIDS.",
        "type": "object",
        "additionalProperties": False,
        "required": ["entities", "suffix", "extension"],
        "properties": {
            "entities": {
                "title": "Entities",
                "description": "Key to value: {'sub': '01', 'task': 'rest'}.",
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    bids["objects"]["entities"][name]["name"]: _entity(name, bids)
                    for name in bids["rules"]["entities"]
                },
            },
            "suffix": _text("Suffix", "What follows the last underscore: T1w.", minLength=1),
            "extension": _text("Extension", "From the first point on; folders end with /."),
            "datatype": _text(
                "Data type",
                "Folder that the file lies in; absent or empty above such folders.",
                enum=["", *(one["value"] for one in bids["objects"]["datatypes"].values())],
            ),
        },
        "anyOf": [{"$ref": "#/$defs/raw"}, {"$ref": "#/$defs/derivative"}],
        "$defs": _definitions(bids),
    }


def _definitions(bids: Mapping[str, Any]) -> Json:
    files = bids["rules"]["files"]
    rules = {
        group: list(_rules(files[group], f"rules.files.{group}", bids))
        for group in ("raw", "common", "deriv")
    }
    return {
        "at_root": {
            "title": "At the root",
            "description": "A file at the root stands for many: it need not have all entities.",
            "not": {
                "anyOf": [
                    {"required": ["datatype"], "properties": {"datatype": {"minLength": 1}}},
                    {"properties": {"entities": {"anyOf": [_needs("sub"), _needs("tpl")]}}},
                ]
            },
        },
        "raw": {
            "title": "Raw",
            "description": "Rules for raw datasets.",
            "anyOf": rules["raw"] + rules["common"],
        },
        "derivative": {
            "title": "Derivative",
            "description": "Rules for derivative datasets only.",
            "anyOf": rules["deriv"],
        },
    }


def _needs(*keys: str) -> Json:
    return {"required": list(keys)}


def _rules(node: Mapping[str, Any], path: str, bids: Mapping[str, Any]) -> Iterator[Json]:
    for name, child in node.items():
        if "suffixes" in child:
            yield _rule(f"{path}.{name}", child, bids)
        elif "stem" not in child and "path" not in child:
            yield from _rules(child, f"{path}.{name}", bids)


def _rule(path: str, rule: Mapping[str, Any], bids: Mapping[str, Any]) -> Json:
    keys = {name: bids["objects"]["entities"][name]["name"] for name in rule["entities"]}
    levels = {keys[name]: entry for name, entry in rule["entities"].items()}
    limited = {
        key: _text(key, "A value that this rule names.", enum=entry["enum"])
        for key, entry in levels.items()
        if isinstance(entry, Mapping) and "enum" in entry
    }
    entities = _text("Entities", "Those of this rule.", propertyNames={"enum": list(levels)})
    made: Json = {
        "title": path,
        "properties": {
            "suffix": _text("Suffix", "One of this rule.", enum=rule["suffixes"]),
            "extension": _text("Extension", "One of this rule.", **_extensions(rule)),
            "entities": entities | ({"properties": limited} if limited else {}),
        },
    }
    if "datatypes" in rule:
        made["properties"]["datatype"] = _text(
            "Data type", "One of this rule.", enum=["", *rule["datatypes"]]
        )
    needed = [key for key, entry in levels.items() if level_of(entry) == "required"]
    if needed:
        present = _text("Entities", "Those that a file has.", required=needed)
        made["anyOf"] = [_ROOT, {"properties": {"entities": present}}]
    return made


def _extensions(rule: Mapping[str, Any]) -> Json:
    # ".*" stands for any extension: the formats of digitizers are open.
    return {"pattern": "^[.]."} if ".*" in rule["extensions"] else {"enum": rule["extensions"]}


def _entity(name: str, bids: Mapping[str, Any]) -> Json:
    entry = bids["objects"]["entities"][name]
    pattern = bids["objects"]["formats"][entry["format"]]["pattern"]
    made = label(entry, sentence(entry)) | {"type": "string"}
    if "enum" in entry:
        values = [one if isinstance(one, str) else one["name"] for one in entry["enum"]]
        return made | {"enum": values}
    return made | {"pattern": portable(f"^{pattern}$")}


def _text(title: str, description: str, **more: Any) -> Json:
    kind = {} if "propertyNames" in more or "required" in more else {"type": "string"}
    return {"title": title, "description": description, **kind, **more}
