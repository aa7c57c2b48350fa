"""All that a BIDS schema states is known: one that states more is newer than this version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bids_trees import codes_at, image, raw, write
from builders import gzipped, nifti

from bidsify.bids_schema import schema
from bidsify.validation import associations
from bidsify.validation.rules import functions
from bidsify.validation.rules.expressions import compile_expression
from bidsify.validation.rules.rulebook import KINDS, NOTES, Rulebook

SCHEMA = schema()
RULES, OBJECTS = SCHEMA["rules"], SCHEMA["objects"]

GROUPS = {
    "checks", "common_principles", "directories", "entities", "errors", "files", "json",
    "metaentities", "modalities", "sidecars", "tabular_data",
}  # fmt: skip
OF_FILES = {"datatypes", "entities", "extensions", "level", "path", "stem", "suffixes", "selectors"}
OF_FOLDERS = {"entity", "level", "name", "opaque", "subdirs", "value"}
OF_KEYS = {"level", "level_addendum", "description_addendum", "issue"}
LEVELS = {"required", "recommended", "optional", "deprecated"}
OF_ISSUES = {"code", "level", "message"}
IN_WORDS = {"name", "display_name", "description", "unit", "definition"}
OF_VALUES = IN_WORDS | {
    "additionalProperties", "anyOf", "enum", "exclusiveMinimum", "format", "items", "maxItems",
    "maximum", "minItems", "minimum", "pattern", "properties", "recommended", "required", "type",
}  # fmt: skip
TARGETS = {"suffix", "extension", "entities"}

Located = tuple[str, Mapping[str, Any]]


def selecting(node: Mapping[str, Any], path: str = "rules") -> Iterator[Located]:
    """Yield all rules that have selectors."""
    for key, child in node.items():
        if isinstance(child, dict):
            if "selectors" in child:
                yield f"{path}.{key}", child
            else:
                yield from selecting(child, f"{path}.{key}")


def of_files(node: Mapping[str, Any], path: str = "rules.files") -> Iterator[Located]:
    for key, child in node.items():
        if isinstance(child, dict):
            if child.keys() & {"path", "stem", "suffixes"}:
                yield f"{path}.{key}", child
            else:
                yield from of_files(child, f"{path}.{key}")


def texts() -> Iterator[str]:
    """Yield every expression of the schema."""
    for path, rule in selecting(RULES):
        if not path.startswith("rules.files."):
            yield from rule["selectors"] or ()
        yield from rule.get("checks", ())
        if "issue" in rule:
            yield from re.findall(r"\{([^{}]*)\}", rule["issue"]["message"])
    for entry in SCHEMA["meta"]["associations"].values():
        yield from entry["selectors"]


def keywords(node: Any) -> Iterator[str]:
    """Yield the keywords of a definition of values; names of properties are no keywords."""
    if isinstance(node, list):
        for each in node:
            yield from keywords(each)
    elif isinstance(node, dict):
        for key, child in node.items():
            yield key
            if key == "properties":
                yield from keywords(list(child.values()))
            elif key in {"items", "additionalProperties", "anyOf", "oneOf", "allOf"}:
                yield from keywords(child)


def unknown(located: Iterator[Located], known: set[str]) -> set[tuple[str, str]]:
    return {(path, key) for path, entry in located for key in entry.keys() - known}


def test_no_kind_of_rule_is_new() -> None:
    assert set(RULES) <= GROUPS
    ours = ((p, r) for p, r in selecting(RULES) if not p.startswith("rules.files."))
    assert unknown(ours, {*KINDS, *NOTES}) == set()
    assert unknown(of_files(RULES["files"]), OF_FILES) == set()


def test_no_key_of_a_requirement_is_new() -> None:
    entries = [
        (f"{path}.{name}", {"level": entry} if isinstance(entry, str) else entry)
        for path, rule in selecting(RULES)
        for kind in ("fields", "columns")
        for name, entry in rule.get(kind, {}).items()
    ]
    assert len(entries) > 800
    assert unknown(iter(entries), OF_KEYS) == set()
    assert {entry["level"] for _, entry in entries} <= LEVELS
    stated = [rule["issue"] for _, rule in selecting(RULES) if "issue" in rule]
    assert {key for issue in stated for key in issue} == OF_ISSUES
    assert {issue["level"] for issue in stated} <= {"error", "warning"}
    extra = {rule.get("additional_columns", "n/a") for _, rule in selecting(RULES)}
    assert extra <= {"allowed", "allowed_if_defined", "n/a", "not_allowed"}


def test_no_key_of_a_folder_is_new() -> None:
    groups = RULES["directories"].items()
    rules = ((f"{kind}.{name}", rule) for kind, g in groups for name, rule in g.items())
    assert unknown(rules, OF_FOLDERS) == set()


@pytest.mark.parametrize("kind", ["metadata", "columns"])
def test_no_keyword_of_values_is_new(kind: str) -> None:
    found = {each for entry in OBJECTS[kind].values() for each in keywords(entry)}
    assert found - OF_VALUES == set()


@pytest.mark.parametrize("kind", ["metadata", "columns"])
def test_each_format_has_a_pattern(kind: str) -> None:
    def formats(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (v for k, v in node.items() if k == "format" and isinstance(v, str))
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                yield from formats(child)

    assert set(formats(OBJECTS[kind])) <= OBJECTS["formats"].keys()


def test_no_association_is_new() -> None:
    entries = SCHEMA["meta"]["associations"]
    assert unknown(iter(entries.items()), {"selectors", "target", "inherit"}) == set()
    assert {key for entry in entries.values() for key in entry["target"]} <= TARGETS
    wanted = SCHEMA["meta"]["context"]["properties"]["associations"]["properties"]
    read = {"events", "aslcontext", "bval", "bvec", "channels", "physio", "coordsystems"}
    assert read <= set(entries)
    only_paths = {n for n, e in wanted.items() if e["properties"].keys() <= {"path"}}
    assert set(entries) - read <= only_paths, "an association with values that nobody reads"
    assert associations.associate is not None


def test_no_name_or_function_is_new() -> None:
    known = functions.ROOTS | {"exists"}
    found = {root for text in texts() for root in compile_expression(text).roots}
    assert found - known == set()
    assert set(SCHEMA["meta"]["context"]["properties"]) <= functions.ROOTS | {"file"}


def test_all_expressions_compile() -> None:
    made = [compile_expression(text) for text in texts()]
    assert len(made) > 1000


def test_what_belongs_to_one_file_decides_nothing_for_its_like(tmp_path: Path) -> None:
    """Rules are sorted once for names that are alike; what lies beside them is not."""
    one, other = (f"sub-0{n}/dwi/sub-0{n}_dwi" for n in (1, 2))
    files = raw() | {f"{stem}.nii.gz": image(3, 4, 5, 6) for stem in (one, other)}
    files |= {f"{other}.bval": "0 1 2\n", f"{other}.bvec": "0 1 0\n" * 3}
    tree = write(tmp_path, files)
    assert "VOLUME_COUNT_MISMATCH" in codes_at(tree, f"{other}.nii.gz")
    assert "VOLUME_COUNT_MISMATCH" not in codes_at(tree, f"{one}.nii.gz")


@pytest.mark.parametrize(
    ("clean", "dirty"), [("sub-01", "sub-02"), ("sub-02", "sub-01")], ids=["first", "last"]
)
def test_files_of_one_header_have_each_its_own_gzip_header(
    tmp_path: Path, clean: str, dirty: str
) -> None:
    content = nifti(np.zeros((3, 4, 5), "i2"))
    paths = [f"{subject}/anat/{subject}_T2w.nii.gz" for subject in (clean, dirty)]
    files = raw() | {paths[0]: gzipped(content), paths[1]: gzipped(content, name="x", time=5)}
    tree = write(tmp_path, files)
    codes = {"GZIP_HEADER_MTIME", "GZIP_HEADER_FILENAME"}
    assert codes_at(tree, paths[1]) >= codes
    assert codes_at(tree, paths[0]) & codes == set()


def test_the_rulebook_has_all_rules_in_order() -> None:
    wanted = [
        path
        for path, rule in selecting(RULES)
        if rule.keys() & KINDS and not path.startswith("rules.files.")
    ]
    assert [rule.path for rule in Rulebook(SCHEMA).rules] == wanted
    assert len(wanted) > 350
