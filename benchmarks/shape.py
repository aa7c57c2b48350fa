"""How large the pieces of a code base are, beside those of others.

    python benchmarks/shape.py                              this repository
    python benchmarks/shape.py ../older/bidsify:../older/tests check_jsonschema bids_validator

Each argument is a folder of modules, with ``:TESTS`` if it has tests, or the name of an installed
package. Lines of a function do not count its docstring; tests inside a package do not count.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONG = 60
HEAD = (
    "code", "modules", "lines", "module median/p90/max", "functions", "function median/p90/max",
    f"> {LONG} lines", "parameters max", "annotated", "public docstrings", "test lines a line",
)  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Shape:
    """The sizes of all modules and functions."""

    modules: list[int]
    functions: list[int]
    parameters: list[int]
    annotated: float
    documented: float


def main() -> None:
    """Print one row for each argument."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for text in sys.argv[1:] or [f"{ROOT / 'bidsify'}:{ROOT / 'tests'}"]:
        code, _, tests = text.partition(":")
        print(f"| {' | '.join(row(code, tests))} |")


def row(code: str, tests: str) -> Iterator[str]:
    """Yield the cells of one code base."""
    folder = Path(code) if Path(code).is_dir() else installed(code)
    shape = measure(sorted(folder.rglob("*.py")))
    lines = sum(shape.modules)
    yield from (folder.name, str(len(shape.modules)), str(lines), sizes(shape.modules))
    yield from (str(len(shape.functions)), sizes(shape.functions))
    yield f"{100 * sum(n > LONG for n in shape.functions) / len(shape.functions):.1f} %"
    yield str(max(shape.parameters))
    yield from (f"{100 * shape.annotated:.0f} %", f"{100 * shape.documented:.0f} %")
    count = sum(len(p.read_text("utf-8").splitlines()) for p in Path(tests).rglob("*.py"))
    yield f"{count / lines:.2f}" if tests else ""


def installed(name: str) -> Path:
    """Return the folder of a package."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        sys.exit(f"{name}: neither a folder nor an installed package")
    return Path(found.origin).parent


def measure(paths: Sequence[Path]) -> Shape:
    """Parse all modules, but for those of tests."""
    chosen = [p for p in paths if not {"tests", "test", "_version.py"} & {*p.parts}]
    texts = [path.read_text("utf-8") for path in chosen]
    trees = [ast.parse(text) for text in texts]
    functions = [n for tree in trees for n in ast.walk(tree) if isinstance(n, Function)]
    public = [n for tree in trees for n in ast.walk(tree) if is_public(n)]
    return Shape(
        [len(text.splitlines()) for text in texts],
        [length(one) for one in functions],
        [len(parameters(one)) for one in functions],
        sum(map(is_annotated, functions)) / len(functions),
        sum(bool(ast.get_docstring(n)) for n in public) / len(public),  # type: ignore[arg-type]
    )


def is_public(node: ast.AST) -> bool:
    """Say whether a function or class has a public name."""
    return isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")


def length(function: Function) -> int:
    """Count the lines without the docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function):
        first = function.body[0]
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def parameters(function: Function) -> list[ast.arg]:
    """Return all parameters but self."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [each for each in named if each.arg not in {"self", "cls"}]


def is_annotated(function: Function) -> bool:
    """Say whether each parameter and the result have a type."""
    return function.returns is not None and all(p.annotation for p in parameters(function))


def sizes(numbers: Sequence[int]) -> str:
    """Return median, ninth decile and maximum."""
    ranked = sorted(numbers)
    middle, high = ranked[len(ranked) // 2], ranked[len(ranked) * 9 // 10]
    return f"{middle} / {high} / {ranked[-1]}"


if __name__ == "__main__":
    main()
