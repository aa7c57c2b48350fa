"""The expression language of the BIDS schema, compiled to Python functions.

The language looks like JavaScript and means what JavaScript means: reading a member of nothing
makes the whole expression nothing (``meta.expression_tests`` of the schema states the cases).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...errors import SchemaError
from .. import values
from . import functions
from .grammar import Node, parse

Value = Callable[[Any], Any]

_YIELD_BOOL = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "!", "match"})
_COMPARE = {"<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
_ARITHMETIC = {"-": "minus", "*": "times", "/": "divided", "%": "modulo", "**": "power"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. ``roots`` are the names of the context that it reads.

    ``entities`` and ``keys`` are the entities and the keys of sidecars that it reads, ``*`` where
    that is not plain; functions that look at the file tree count as the root ``exists``.
    ``prefix`` is set where it holds only for paths that start with this: ``README``.
    """

    text: str
    roots: frozenset[str]
    entities: frozenset[str]
    keys: frozenset[str]
    prefix: str | None
    value: Value
    holds: Callable[[Any], bool]


@cache
def compile_expression(text: str) -> Expression:
    """Compile one expression; equal texts share one result.

    Raises:
        SchemaError: the text is not in the language, or calls a function that is not known.
    """
    node = parse(text)
    source = _source(node)
    names = {"values": values, "functions": functions}
    value = eval(compile(f"lambda c: {source}", "<schema>", "eval"), names)  # noqa: S307  our own source, see _source
    evaluate, holds = _guard(
        value, is_bool=node[0] in {"unary", "binary"} and node[1] in _YIELD_BOOL
    )
    entities = frozenset(_members(node, "entities"))
    keys = frozenset(_members(node, "sidecar"))
    roots = frozenset(_roots(node))
    return Expression(text, roots, entities, keys, _prefix(node), evaluate, holds)


@cache
def compile_message(text: str) -> Callable[[Any], str]:
    """Compile a message in which ``{entities.sub}`` stands for a value of the context."""
    parts = re.split(r"\{([^{}]*)\}", text)
    if len(parts) == 1:
        return lambda _context: text
    pieces: list[Any] = [compile_expression(p).value if i % 2 else p for i, p in enumerate(parts)]
    return lambda c: "".join(p if isinstance(p, str) else values.text(p(c)) for p in pieces)


def _guard(value: Value, *, is_bool: bool) -> tuple[Value, Callable[[Any], bool]]:
    """Make a failed evaluation nothing, as a value and as a condition."""

    def evaluate(context: Any) -> Any:
        try:
            return value(context)
        except (values.NothingError, TypeError, ArithmeticError, RecursionError):
            return None

    def holds(context: Any) -> bool:
        try:
            return bool(value(context)) if is_bool else values.true(value(context))
        except (values.NothingError, TypeError, ArithmeticError, RecursionError):
            return False

    return evaluate, holds


def _source(node: Node) -> str:
    """Write Python for a node. Only names, literals and our own functions reach the source."""
    match node:
        case ("literal", value):
            source = repr(value)
        case ("object",):
            source = "{}"
        case ("list", items):
            source = f"[{', '.join(map(_source, items))}]"
        case ("name", name):
            source = f"c.{name}" if name in functions.ROOTS else "None"
        case ("get", ("name", root), name) if root in functions.MAPPINGS:
            source = f"c.{root}.get({name!r})"
        case ("get", inner, name):
            source = f"values.member({_source(inner)}, {name!r})"
        case ("item", inner, key):
            source = f"values.item({_source(inner)}, {_source(key)})"
        case ("call", name, arguments):
            source = _call(name, arguments)
        case (_, operator, *operands):
            source = _operation(operator, *operands)
    return source


def _call(name: str, arguments: tuple[Node, ...]) -> str:
    if name not in functions.NAMES:
        msg = f"the BIDS schema calls {name!r}, which this version of bidsify does not know"
        raise SchemaError(msg)
    given = ["c"] * (name == "exists") + [_source(each) for each in arguments]
    return f"functions.{functions.NAMES[name]}({', '.join(given)})"


def _operation(operator: str, left: Node, right: Node | None = None) -> str:
    if right is None:
        kind = "not values.true" if operator == "!" else "-values.number"
        return f"({kind}({_source(left)}))"
    a, b = _source(left), _source(right)
    if operator in {"&&", "||"}:
        return f"values.{'both' if operator == '&&' else 'either'}({a}, lambda: {b})"
    if operator in {"==", "!="}:
        if right == ("literal", None):
            same = f"({a} is None)"
        elif left[0] == "name" and left[1] in functions.TEXTS and isinstance(right[1], str):
            same = f"({a} == {b})"
        else:
            same = f"values.equal({a}, {b})"
        return same if operator == "==" else f"(not {same})"
    if operator == "in":
        return f"values.contains({b}, {a})"
    if operator == "+":
        return f"values.plus({a}, {b})"
    name = _COMPARE.get(operator) or _ARITHMETIC[operator]
    return f"values.{name}({_zero(left, a)}, {_zero(right, b)})"


def _zero(node: Node, source: str) -> str:
    """Let ``null`` count as 0: what a function answers that finds nothing."""
    return f"values.or_zero({source})" if node[0] == "call" else source


def _roots(node: Node) -> Iterator[str]:
    match node:
        case ("name", name):
            yield name
        case ("call", name, arguments):
            if name == "exists":
                yield name
            for each in arguments:
                yield from _roots(each)
        case ("list", items):
            for each in items:
                yield from _roots(each)
        case (_, *rest):
            for each in rest:
                if isinstance(each, tuple):
                    yield from _roots(each)


def _members(node: Node, root: str) -> Iterator[str]:
    """Yield the members of a root whose values are read: ``entities.task``.

    Whether a member is there at all (``"task" in entities``) does not count.
    """
    match node:
        case ("get", ("name", name), member) if name == root:
            yield member
        case ("binary", "in", left, ("name", name)) if name == root:
            yield from _members(left, root)
        case ("name", name) if name == root:
            yield "*"
        case (_, *rest):
            for each in rest:
                if isinstance(each, tuple):
                    nodes = (each,) if each and isinstance(each[0], str) else each
                    for inner in nodes:
                        yield from _members(inner, root)


def _prefix(node: Node) -> str | None:
    """Return how a path must start, without its first slash."""
    match node:
        case ("binary", "==", ("name", "path"), ("literal", str(path))) if path[:1] == "/":
            return path[1:]
        case ("call", "match", (("name", "path"), ("literal", str(pattern)))):
            found = re.match(r"\^/(\w+)(?![*?{])", pattern, re.ASCII)
            return found[1] if found else None
    return None
