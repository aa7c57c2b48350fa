"""The official schema with our additions: both validators judge by it what BIDS has no name for."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bidsschematools
import orjson
import pytest
from conftest import Make, run

import bidsify
from bidsify import bids_schema
from bidsify.schema_export.overlay import overlay
from bidsify.validation.codes import official_codes
from bidsify.validation.rules.rulebook import Rulebook

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
WITH_BIDSIGNORE = ("chaos", "lumbosacral", "ssmspine")
MASKS = ("mask", "discrete_segmentation", "probabilistic_segmentation")

Found = set[tuple[str, str]]


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the merged schema as a user does."""
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    ran = run("schema", "bids", "--overlay")
    assert ran.code == 0
    path.write_text(ran.out, "utf-8")
    return path


def bare(own_tree: Make, name: str) -> Path:
    """Return a converted tree that hides nothing."""
    root = own_tree(name)
    (root / ".bidsignore").unlink()
    return root


def official(root: Path, schema: Path | None, severity: str = "error") -> Found:
    """Return what the official validator reports."""
    if not VALIDATOR.exists():
        pytest.skip("needs bids-validator-deno")
    rules = schema or official_schema()
    done = subprocess.run(
        [VALIDATOR, root, "--format", "json", "--max-rows=-1"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "BIDS_SCHEMA": rules.as_uri()},
    )  # fmt: skip
    issues = json.loads(done.stdout)["issues"]["issues"]
    return {(i["code"], i["location"].strip("/")) for i in issues if i["severity"] == severity}


def official_schema() -> Path:
    return Path(bidsschematools.__file__).parent / "data" / "schema.json"


def ours(root: Path, schema: Path | None, severity: str = "error") -> Found:
    """Return what we report under codes of the official validator."""
    issues = bidsify.validate(root, schema=schema).issues()
    known = official_codes()
    return {
        (i.code, i.path.strip("/")) for i in issues if i.severity == severity and i.code in known
    }


# Trees


@pytest.mark.parametrize("name", WITH_BIDSIGNORE)
def test_our_trees_are_valid_without_bidsignore(name: str, own_tree: Make, rules: Path) -> None:
    root = bare(own_tree, name)
    assert official(root, rules) == ours(root, rules) == set()
    assert official(root, rules, "warning") == ours(root, rules, "warning")


@pytest.mark.parametrize("name", WITH_BIDSIGNORE)
def test_without_the_overlay_they_are_not(name: str, own_tree: Make) -> None:
    root = bare(own_tree, name)
    found = official(root, None)
    assert {code for code, _ in found} == {"NOT_INCLUDED"}
    assert ours(root, None) == found


CT = "sub-CT01/ct/sub-CT01_acq-portal_ct.nii.gz"
POINTS = "sub-01/anat/sub-01_acq-CISS_label-cord_points.tsv"
MESH = "sub-01/anat/sub-01_acq-CISS_label-cord_mesh.stl"
SEVERAL = "ALL_FILENAME_RULES_HAVE_ISSUES"  # the suffix is one of several rules


@pytest.mark.parametrize(
    ("name", "move", "code"),
    [
        ("chaos", (CT, "sub-CT01/anat/sub-CT01_acq-portal_ct.nii.gz"), SEVERAL),
        ("chaos", (CT, "sub-CT01/ct/sub-CT01_acq-portal_T1w.nii.gz"), SEVERAL),
        ("chaos", (CT, "sub-CT01/ct/sub-CT01_echo-1_ct.nii.gz"), SEVERAL),
        ("chaos", (CT, "sub-CT01/ct/sub-CT01_acq-portal_ct.stl"), SEVERAL),
        ("lumbosacral", (POINTS, "sub-01/func/sub-01_label-cord_points.tsv"), "DATATYPE_MISMATCH"),
        ("lumbosacral", (POINTS, "sub-01/anat/sub-01_points.csv"), "EXTENSION_MISMATCH"),
        ("lumbosacral", (POINTS, "sub-01/anat/sub-01_task-x_points.tsv"), "ENTITY_NOT_IN_RULE"),
        ("lumbosacral", (MESH, "sub-01/anat/sub-01_mesh.nii.gz"), "EXTENSION_MISMATCH"),
        ("lumbosacral", (MESH, "sub-01/anat/sub-01_surf.stl"), "NOT_INCLUDED"),
    ],
)
def test_a_wrong_name_is_still_refused(
    name: str, move: tuple[str, str], code: str, own_tree: Make, rules: Path
) -> None:
    root = bare(own_tree, name)
    old, new = move
    (root / new).parent.mkdir(exist_ok=True)
    shutil.move(root / old, root / new)
    found = official(root, rules)
    assert (code, new) in found
    assert ours(root, rules) == found


def test_a_raw_dataset_may_hold_ct(own_tree: Make, rules: Path) -> None:
    root = bare(own_tree, "chaos")
    for folder in root.glob("sub-*"):
        if folder.name != "sub-CT03":  # it has no segmentation
            shutil.rmtree(folder)
    for path in (*root.glob("dseg.*"), root / "participants.tsv", root / "participants.json"):
        path.unlink()
    (root / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.11.1", "DatasetType": "raw", "License": "CC0"}', "utf-8"
    )
    assert official(root, rules) == ours(root, rules) == set()
    assert ("NOT_INCLUDED", "sub-CT03/ct/sub-CT03_acq-portal_ct.nii.gz") in ours(root, None)


# The document


def test_the_schema_itself_stays_as_it_is() -> None:
    before = copy.deepcopy(bids_schema.schema())
    merged = overlay(bids_schema.schema())
    assert bids_schema.schema() == before
    assert merged["schema_version"] == before["schema_version"] + "+bidsify"
    assert merged["bids_version"] == before["bids_version"]
    assert merged["rules"]["modalities"]["ct"] == {"datatypes": ["ct"]}


def test_only_what_is_new_differs() -> None:
    merged = overlay(bids_schema.schema())
    found = dict(changes(bids_schema.schema(), merged))
    widened = {f"rules.files.deriv.imaging.anat_{name}.datatypes" for name in MASKS}
    assert {path for path, is_new in found.items() if not is_new} == {*widened, "schema_version"}
    assert len(found) < 20


def changes(one: Any, other: Any, path: str = "") -> Any:
    """Yield what differs: the path, and whether it is in the second document only."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        if one != other:
            yield path, False
        return
    assert one.keys() <= other.keys()
    for key, value in other.items():
        inner = f"{path}.{key}".removeprefix(".")
        if key in one:
            yield from changes(one[key], value, inner)
        else:
            yield inner, True


def test_what_a_later_schema_defines_is_taken_from_there() -> None:
    later: Any = copy.deepcopy(bids_schema.schema())
    official_ct = {"value": "ct", "display_name": "CT", "description": "Official."}
    later["objects"]["suffixes"]["ct"] = official_ct
    later["rules"]["files"]["deriv"]["imaging"]["anat_mask"]["datatypes"].append("ct")
    merged = overlay(later)
    assert merged["objects"]["suffixes"]["ct"] == official_ct
    mask = merged["rules"]["files"]["deriv"]["imaging"]["anat_mask"]
    assert mask["datatypes"] == ["anat", "ct"]


def test_twice_is_once() -> None:
    once = overlay(bids_schema.schema())
    assert overlay(once) == once


def test_our_rulebook_understands_it() -> None:
    assert "ct" in Rulebook(overlay(bids_schema.schema())).datatypes


# The command


def test_the_command_prints_the_official_schema() -> None:
    ran = run("schema", "bids")
    assert orjson.loads(ran.out) == bids_schema.schema()


def test_the_command_has_no_overlay_of_other_schemas() -> None:
    ran = run("schema", "label_table", "--overlay")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error == "--overlay goes with: bidsify schema bids"
