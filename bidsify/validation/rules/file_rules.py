"""The rules of ``rules.files`` and ``rules.directories`` for one type of dataset, as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..files.names import Name
from .functions import regex

Located = tuple[str, Mapping[str, Any]]  # a rule and its path in the schema


@dataclass(frozen=True)
class FileRules:
    """The rules for file names of one schema, for one type of dataset."""

    schema: Mapping[str, Any]
    dataset_type: str

    def matching(self, relative: str, stem: str, suffix: str, datatype: str) -> list[Located]:
        """Return the rules that a file may be meant by: by path, by stem or by suffix."""
        return [
            (path, rule)
            for path, rule in self._rules
            if rule.get("path") == relative
            or ("stem" in rule and _has_stem(rule, stem, datatype))
            or suffix in rule.get("suffixes", ())
        ]

    @cached_property
    def _rules(self) -> tuple[Located, ...]:
        files = self.schema["rules"]["files"]
        groups = [g for g in files if g != "deriv" or self.dataset_type == "derivative"]
        return tuple(leaf for g in groups for leaf in _leaves(files[g], f"rules.files.{g}"))

    @cached_property
    def paths(self) -> frozenset[str]:
        """Return the paths that rules name."""
        return frozenset(rule["path"] for _, rule in self._rules if "path" in rule)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Return the stems that rules name: ``README``."""
        return frozenset(rule["stem"] for _, rule in self._rules if "stem" in rule)

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Return entity -> its key, in the order that names have."""
        entities = self.schema["objects"]["entities"]
        return {name: entities[name]["name"] for name in self.schema["rules"]["entities"]}

    @cached_property
    def patterns(self) -> Mapping[str, re.Pattern[str]]:
        """Return key of an entity -> what its labels look like."""
        objects = self.schema["objects"]
        return {
            entity["name"]: regex(f"^{objects['formats'][entity['format']]['pattern']}$")
            for entity in reversed(objects["entities"].values())
            if entity.get("format") in objects["formats"]
        }

    @cached_property
    def folders(self) -> tuple[re.Pattern[str], ...]:
        """Return the names that folders may have."""
        found = []
        objects = self.schema["objects"]
        for rule in self.schema["rules"]["directories"].get(self.dataset_type, {}).values():
            if "name" in rule:
                found.append(re.compile(re.escape(rule["name"]) + r"\Z"))
            if "entity" in rule:
                found.append(
                    re.compile(re.escape(objects["entities"][rule["entity"]]["name"]) + "-")
                )
            if "value" in rule:
                names = map(re.escape, objects[rule["value"] + "s"])
                found.append(re.compile(f"(?:{'|'.join(names)})\\Z"))
        return tuple(found)

    def allows(self, rule: Mapping[str, Any], parts: Name) -> bool:
        """Say whether a rule knows all entities and the extension of a name."""
        keys = {self.keys[name] for name in rule.get("entities") or ()}
        extensions = rule.get("extensions")
        return (not extensions or parts.extension in extensions) and (
            not rule.get("entities") or keys >= parts.entities.keys()
        )

    @cached_property
    def opaque(self) -> frozenset[str]:
        """Return the folders at the root whose content BIDS does not rule."""
        rules = self.schema["rules"]["directories"].get(self.dataset_type, {}).values()
        return frozenset(rule["name"] for rule in rules if rule.get("opaque") and "name" in rule)

    @cached_property
    def folder_extensions(self) -> frozenset[str]:
        """Return the extensions of folders that count as one file: ``.ds``."""
        values = (entry["value"] for entry in self.schema["objects"]["extensions"].values())
        return frozenset(value[:-1] for value in values if value.endswith("/"))


def _has_stem(rule: Mapping[str, Any], stem: str, datatype: str) -> bool:
    if rule["stem"] not in {"*", stem}:
        return False
    return not rule.get("datatypes") or datatype in rule["datatypes"]


def _leaves(node: Mapping[str, Any], path: str) -> Iterator[Located]:
    for key, child in node.items():
        if not isinstance(child, dict):
            continue
        if {"path", "stem", "suffixes"} & set(child):
            yield f"{path}.{key}", child
        else:
            yield from _leaves(child, f"{path}.{key}")
