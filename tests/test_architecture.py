"""The shape of the code: who imports whom, and how long a thing may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from bidsify import datasets

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bidsify"
MODULES = tuple(sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
LONGEST_MODULE, LONGEST_FUNCTION = 250, 40
MOST_PARAMETERS = 6
TOP = {
    ".ci",
    ".git",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "action.yml",
    "benchmarks",
    "bidsify",
    "docs",
    "examples",
    "pyproject.toml",
    "ruff.toml",
    "schemas",
    "setup.cfg",
    "tests",
}
SCRIPTS = tuple(sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.js")))
every_module = pytest.mark.parametrize("name", MODULES)


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((PACKAGE / name).read_text("utf-8"))


@cache
def imports(name: str) -> frozenset[str]:
    """Return the modules of ours that a module imports anywhere, as ``readers.nifti``."""
    found = set(_imports(tree(name), name))
    return frozenset(one for one in found if one and is_ours(one))


def _imports(module: ast.AST, name: str) -> Iterator[str]:
    package = ["bidsify", *name.removesuffix(".py").split("/")][:-1]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.removeprefix("bidsify").removeprefix(".")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            path = [*base, *(node.module.split(".") if node.module else [])]
            if path[:1] == ["bidsify"]:
                yield ".".join(path[1:])
                yield from (".".join([*path[1:], alias.name]) for alias in node.names)


def is_ours(name: str) -> bool:
    path = PACKAGE / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def reached(name: str) -> set[str]:
    """Return all modules of ours that a module imports, at any remove."""
    todo, found = [name], set()
    while todo:
        for one in imports(todo.pop()):
            path = one.replace(".", "/")
            path += "/__init__.py" if (PACKAGE / path).is_dir() else ".py"
            if one not in found:
                found.add(one)
                todo.append(path)
    return found


def part(name: str) -> str:
    """Return the part of the architecture that a module belongs to."""
    first = name.replace("/", ".").removesuffix(".py").split(".")[0]
    return first if (PACKAGE / first).is_dir() or first == "layout" else "vocabulary"


@cache
def rules() -> dict[str, set[str]]:
    """Read the table of parts, and of what they may import, from the page for developers."""
    lines = (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    stated = {row[0].strip(): row[2].strip() for row in rows[1:]}
    everything = {*stated}
    words = {"everything": everything, "everything but cli": everything - {"cli"}, "": set[str]()}
    return {name: words.get(text) or {*text.split(", ")} - {""} for name, text in stated.items()}


@cache
def in_backticks() -> tuple[str, ...]:
    """Return what the page for developers names as code."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return tuple(sorted({*re.findall(r"`([^`\n]+)`", page)}))


def paths_of_the_page() -> Iterator[str]:
    """Yield what looks like a module or a folder of ours; ``NAME`` stands for any name."""
    for text in in_backticks():
        if re.fullmatch(r"[\w/]+(\.py|\.tsv|/)", text):
            yield text


def names_a_path(text: str) -> bool:
    """Tell whether a path leads somewhere from the root, from the package, or from a part."""
    if (ROOT / text).exists():
        return True
    pattern = text.removeprefix("bidsify/").rstrip("/").replace("NAME", "*")
    return any(PACKAGE.rglob(pattern))


def targets(name: str) -> set[str]:
    """Return the modules that a module imports, without the packages that hold them."""
    found = imports(name)
    return {one for one in found if not any(other.startswith(f"{one}.") for other in found)}


def test_the_look_at_imports_sees_them() -> None:
    assert {"recognition.survey", "engine.run"} <= imports("conversion/convert.py")
    assert {"readers.tensors"} <= imports("proof/reading.py")
    assert "readers.nifti" in reached("conversion/convert.py")


def test_the_look_at_the_page_sees_paths_and_decorators() -> None:
    assert {*paths_of_the_page()} >= {
        "bidsify/datasets/NAME.py", "drafts.py", "recognition/detection.py", "source/",
        "validation/codes.tsv",
    }  # fmt: skip
    assert any(text.startswith("@") for text in in_backticks())
    assert not any(map(names_a_path, ("engine/drafts.py", "nothing/", "nothing/NAME.py")))


@pytest.mark.parametrize("path", sorted({*paths_of_the_page()}))
def test_each_path_of_the_page_exists(path: str) -> None:
    assert names_a_path(path)


@pytest.mark.parametrize("text", [text for text in in_backticks() if text.startswith("@")])
def test_each_decorator_of_the_page_is_a_function(text: str) -> None:
    assert text[1:] in functions()


@cache
def functions() -> set[str]:
    """Return the names of all functions of ours."""
    return {
        node.name
        for name in MODULES
        for node in ast.walk(tree(name))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def test_the_parts_are_those_of_the_page() -> None:
    found = {part(name) for name in MODULES if name not in {"__init__.py", "__main__.py"}}
    assert rules().keys() == found


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name not in {"__init__.py", "__main__.py"}]
)
def test_a_part_imports_what_the_page_allows(name: str) -> None:
    own = part(name)
    found = {part(one) for one in targets(name)} - {own}
    assert found - rules()[own] == set(), f"{own} may import {sorted(rules()[own])}"


def test_no_part_imports_one_that_imports_it() -> None:
    order: list[str] = []
    left = {name: {*allowed} - {name} for name, allowed in rules().items()}
    while free := sorted(name for name, allowed in left.items() if allowed <= {*order}):
        order += free
        left = {name: allowed for name, allowed in left.items() if name not in free}
    assert left == {}


def test_no_module_imports_one_that_imports_it() -> None:
    """Also not for types, and not inside of functions."""
    left = {name: {*_files(targets(name))} - {name} for name in MODULES if name != "__init__.py"}
    while free := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in free}
    assert sorted(left) == []


def _files(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        path = name.replace(".", "/")
        yield f"{path}/__init__.py" if (PACKAGE / path).is_dir() else f"{path}.py"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("readers/")])
def test_readers_know_nothing_of_what_is_made_of_a_file(name: str) -> None:
    allowed = {"errors", "gz", "volume", "readers"}
    assert {one for one in imports(name) if one.split(".")[0] not in allowed} == set()


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name.startswith(("datasets/", "families/"))]
)
def test_a_declaration_is_data(name: str) -> None:
    allowed = {"dataset", "families", "labels", "patterns", "regions"}
    allowed |= {one for one in imports(name) if one.startswith("families.")}
    if name == "datasets/__init__.py":
        allowed = {"dataset", "declaration", "errors"}
    assert imports(name) <= allowed


@pytest.mark.parametrize("name", [f"datasets/{name}.py" for name in datasets.names()])
def test_a_declaration_opens_nothing_but_its_table(name: str) -> None:
    calls = {
        n.func.id
        for n in ast.walk(tree(name))
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not calls & {"open", "exec", "eval", "__import__"}
    modules = {a.name for n in ast.walk(tree(name)) if isinstance(n, ast.Import) for a in n.names}
    assert modules == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("proof/")])
def test_a_proof_shares_no_reader_with_the_writer(name: str) -> None:
    """But for the one of torch files, which the tests compare with torch."""
    shared = {one for one in imports(name) if one.startswith("readers.")}
    assert shared <= {"readers.tensors"}
    assert imports(name) & {"gz", "label_values"} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("validation/")])
def test_validation_shares_nothing_with_the_writer(name: str) -> None:
    """It judges any tree, and may read declarations and records but nothing that makes trees."""
    makers = {"conversion", "planning", "recognition", "verification", "proof", "api"}
    assert {one.split(".")[0] for one in reached(name)} & makers == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("planning/")])
def test_a_plan_opens_no_file_of_the_source(name: str) -> None:
    assert {one.split(".")[0] for one in reached(name)} & {"source", "readers"} == set()


@pytest.mark.parametrize("name", [*MODULES, *SCRIPTS])
def test_no_module_is_long(name: str) -> None:
    assert len((PACKAGE / name).read_text("utf-8").splitlines()) <= LONGEST_MODULE


@every_module
def test_no_function_is_long(name: str) -> None:
    """Docstrings do not count."""
    long = {}
    for node in ast.walk(tree(name)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node):
                length -= (first.end_lineno or 0) - first.lineno + 1
            if length > LONGEST_FUNCTION:
                long[node.name] = length
    assert long == {}


@every_module
def test_no_function_takes_more_than_six_parameters(name: str) -> None:
    """But for options of commands, and for the verbs of the library, which have the same ones."""
    if name.startswith(("api/", "cli/")):
        return
    many = {}
    for node in ast.walk(tree(name)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(each.arg not in {"self", "cls"} for each in given)
            if count > MOST_PARAMETERS:
                many[node.name] = count
    assert many == {}


@every_module
def test_each_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(name))


@pytest.mark.parametrize("name", [*MODULES, *SCRIPTS])
def test_no_module_is_named_after_nothing(name: str) -> None:
    assert Path(name).stem not in {"utils", "helpers", "common", "base", "misc", "manager"}


#: Progress, and how long batches take on a cluster: nothing of it gets into a file.
TIMED = {
    "cli/progress.py", "demo/native.py", "engine/cluster.py", "engine/cluster_worker.py",
    "validation/run.py",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*MODULES} - TIMED))
def test_the_writer_has_no_clock_and_no_chance(name: str) -> None:
    """The same source gives the same bytes."""
    modules = {a.name for n in ast.walk(tree(name)) if isinstance(n, ast.Import) for a in n.names}
    modules |= {
        n.module for n in ast.walk(tree(name)) if isinstance(n, ast.ImportFrom) and n.module
    }
    assert not modules & {"time", "datetime", "random", "uuid", "getpass", "socket", "platform"}


def test_the_top_level_has_nothing_else() -> None:
    left_out = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line]
    found = {path.name for path in ROOT.iterdir()}
    strange = {n for n in found - TOP if not any(fnmatchcase(n, pattern) for pattern in left_out)}
    assert strange == set()
