"""What is installed is what is in the repository, and our schemas are sound."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from bidsify import json_schema
from bidsify.version import __version__

ROOT = Path(__file__).parents[1]
SCHEMAS = sorted((ROOT / "schemas").glob("*.schema.json"))
GENERATED = sorted((ROOT / "schemas").glob("*/*.schema.json"))
every_schema = pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)


def settings() -> configparser.ConfigParser:
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg")
    return found


def test_each_package_is_listed() -> None:
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for path in (ROOT / "bidsify").rglob("__init__.py")
    }
    listed = settings()["options"]["packages"].split()
    assert listed == sorted(listed)
    assert set(listed) == folders | {"bidsify.schemas"}


def test_each_kind_of_data_file_is_listed() -> None:
    listed = {
        (name, pattern)
        for name, patterns in settings()["options.package_data"].items()
        for pattern in patterns.split()
    }
    for path in sorted((ROOT / "bidsify").rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            package = path.parent.relative_to(ROOT).as_posix().replace("/", ".")
            assert any(n == package and path.match(p) for n, p in listed), path.name


def test_the_version_is_stated_once() -> None:
    assert settings()["metadata"]["version"] == "attr: bidsify.version.__version__"
    try:
        installed = version("bidsify-datasets")
    except PackageNotFoundError:
        pytest.skip("needs an installed bidsify: sh tests/run.sh")
    assert installed == __version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel, built without a network in a copy of what setup.cfg needs."""
    modern = (
        importlib.util.find_spec("setuptools") and int(version("setuptools").split(".")[0]) > 70
    )
    if not modern and not importlib.util.find_spec("wheel"):
        pytest.skip("needs setuptools 71 or later, or the package wheel, to build offline")
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("bidsify", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    build = ["wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", "dist", "-q"]
    subprocess.run(
        [sys.executable, "-m", "pip", *build, "--disable-pip-version-check"],
        cwd=folder, check=True, capture_output=True,
        env={**os.environ, "PIP_NO_INPUT": "1"},
    )  # fmt: skip
    (found,) = (folder / "dist").iterdir()
    return found


def test_the_wheel_has_what_the_repository_has(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    kinds = (".css", ".js", ".json", ".py", ".tsv", ".typed")
    code = {p for p in (ROOT / "bidsify").rglob("*") if p.suffix in kinds}
    expected = {path.relative_to(ROOT).as_posix() for path in code}
    schemas = {path.relative_to(ROOT).as_posix() for path in SCHEMAS + GENERATED}
    expected |= {f"bidsify/{name}" for name in schemas}
    assert files == expected
    assert "bidsify/py.typed" in files
    assert "bidsify/datasets/chaos.tsv" in files
    assert "bidsify/schemas/sidecars/T1w.schema.json" in files


def test_the_wheel_works_where_there_is_no_repository(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import bidsify, sys; from bidsify import datasets, json_schema;"
        "print(bidsify.__file__, *datasets.names(), *json_schema.names());"
        "[datasets.load(name) for name in datasets.names()]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    where, *names = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert {"chaos", "ssmspine", "label_table", "plan", "sidecars/T1w"} <= set(names)


# Schemas


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_the_schemas_are_those_of_the_program() -> None:
    folder = ROOT / "schemas"
    files = {path.relative_to(folder).as_posix() for path in SCHEMAS + GENERATED}
    assert files == {f"{name}.schema.json" for name in json_schema.names()}
    for path in SCHEMAS:
        assert f"`{path.name.removesuffix('.schema.json')}`" in (
            ROOT / "schemas/README.md"
        ).read_text("utf-8")


@every_schema
def test_a_schema_is_valid_by_the_metaschema(path: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = load(path)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@every_schema
def test_its_id_ends_with_its_file_name(path: Path) -> None:
    assert load(path)["$id"].endswith(f"/{path.name}")


@every_schema
def test_each_property_has_a_title_and_a_description(path: Path) -> None:
    schema = load(path)
    for where, node in properties(schema, "$"):
        resolved = node
        while "$ref" in resolved:
            resolved = schema["$defs"][resolved["$ref"].removeprefix("#/$defs/")]
        assert resolved.get("title"), where
        assert resolved.get("description"), where


def properties(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk over the schema itself, its properties, items and definitions."""
    if where == "$" or where.rpartition(".")[0].endswith(
        ("properties", "patternProperties", "$defs")
    ):
        yield where, node
    for key in ("properties", "patternProperties", "$defs"):
        for name, child in node.get(key, {}).items():
            yield from properties(child, f"{where}.{key}.{name}")
    if isinstance(node.get("items"), dict):
        yield f"{where}.items", node["items"]
        yield from properties(node["items"], f"{where}.items")


@every_schema
def test_each_reference_stays_in_the_file(path: Path) -> None:
    assert [one for one in references(load(path)) if not one.startswith("#/$defs/")] == []


def test_there_are_references_and_they_are_found() -> None:
    assert {path.name for path in SCHEMAS if any(references(load(path)))} >= {
        "conversion.schema.json",
        "points.schema.json",
    }


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


@pytest.mark.parametrize("name", [name for name in json_schema.names() if "/" not in name])
def test_a_schema_refuses_an_empty_document(name: str) -> None:
    empty: list[Any] = []
    assert list(json_schema.faults(name, empty if name in ("label_table", "regions") else {}))
