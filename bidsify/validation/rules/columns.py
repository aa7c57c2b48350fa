"""Columns of tables: which must be there, in what order, and what their values may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..findings import finding
from ..issue import Finding, Located
from ..values import true
from .allowed import Values, effective, fits, of_definition, pattern_of

if TYPE_CHECKING:
    from ..context import Context
    from .rulebook import Rule

_NA = "n/a"
_LIKE_NA = re.compile(r"\s*(NA|na|nan|NaN|n/a)\s*\Z")
_EXTRA = {
    "not_allowed": "TSV_ADDITIONAL_COLUMNS_NOT_ALLOWED",
    "allowed_if_defined": "TSV_ADDITIONAL_COLUMNS_MUST_DEFINE",
}


def check_columns(rule: Rule, context: Context) -> Iterator[Located]:
    """Yield what is wrong with the columns of a table, with the path of the file at fault."""
    document = rule.document
    if "columns" not in document or context.extension not in {".tsv", ".tsv.gz"}:
        return
    yield from _check_presence(rule, context)
    if "initial_columns" in document:
        for found in _check_order(rule, context):
            yield context.relative, found
    if document.get("index_columns"):
        for found in _check_index(rule, context):
            yield context.relative, found


def _check_presence(rule: Rule, context: Context) -> Iterator[Located]:
    objects = context.schema["objects"]
    known = {objects["columns"][key]["name"]: key for key in rule.document["columns"]}
    for name in dict.fromkeys((*known, *context.columns)):
        definition = context.sidecar.get(name)
        if name not in known:
            level = str(rule.document.get("additional_columns", _NA))
            if level == "not_allowed" or not true(definition):
                code = _EXTRA.get(level, "TSV_ADDITIONAL_COLUMNS_UNDEFINED")
                message = f"column {name!r} is not described in a sidecar"
                yield context.relative, finding(code, message, name, rule.path)
                continue
            wanted = of_definition(definition)
        elif name not in context.columns:
            is_initial = known[name] in rule.document.get("initial_columns", ())
            if _level(rule, known[name]) == "required" and not is_initial:
                message = f"column {name!r} is missing"
                yield context.relative, finding("TSV_COLUMN_MISSING", message, name, rule.path)
            continue
        else:
            column = objects["columns"][known[name]]
            wanted, conflict = effective(column, definition)
            if conflict:
                found = finding("TSV_COLUMN_TYPE_REDEFINED", conflict, name, rule.path)
                yield context.origins[name].file.path, found
        for found in _check_values(name, context.columns[name], wanted, objects["formats"], rule):
            yield context.relative, found


def _check_values(
    name: str, column: Sequence[str], wanted: Values, formats: Mapping[str, Any], rule: Rule
) -> Iterator[Finding]:
    """Yield the first value that does not fit."""
    if wanted.is_anything:
        return
    pattern = pattern_of(wanted, formats)
    bad = {value for value in set(column) if not fits(value, wanted, pattern)}
    is_old = name == "age" and "89+" in bad
    bad -= {"89+"} if is_old else set()
    row = next((i for i, value in enumerate(column) if value in bad), len(column))
    if is_old and (old := column.index("89+")) < row:  # only above the first fault, as officially
        where = f"line {old + 2}"
        yield finding("TSV_PSEUDO_AGE_DEPRECATED", "write 89 for all ages above", where)
    if bad:
        hint = ", did you mean 'n/a'?" if _LIKE_NA.match(column[row]) else ""
        message = f"column {name!r}: {column[row]!r}{hint}"
        where = f"{name}, line {row + 2}"
        yield finding("TSV_VALUE_INCORRECT_TYPE", message, where, rule.path)


def _check_order(rule: Rule, context: Context) -> Iterator[Finding]:
    columns = context.schema["objects"]["columns"]
    names = list(context.columns)
    wanted = [(columns[key]["name"], _level(rule, key)) for key in rule.document["initial_columns"]]
    wanted = [(name, level) for name, level in wanted if level == "required" or name in names]
    for position, (name, _level_of) in enumerate(wanted):
        if name not in names:
            message = f"column {name!r} is missing; it should be column {position + 1}"
            yield finding("TSV_COLUMN_MISSING", message, name, rule.path)
        elif names.index(name) != position:
            message = f"{name!r} is column {names.index(name) + 1}, should be {position + 1}"
            yield finding("TSV_COLUMN_ORDER_INCORRECT", message, name, rule.path)


def _check_index(rule: Rule, context: Context) -> Iterator[Finding]:
    """Yield the rows whose index is that of an earlier row."""
    columns = context.schema["objects"]["columns"]
    names = [columns[key]["name"] for key in rule.document["index_columns"]]
    parts = [context.columns[name] for name in names if name in context.columns]
    rows = ["".join(row) for row in zip(*parts, strict=True)]
    if len(set(rows)) == len(rows):
        return
    seen: set[str] = set()
    for line, row in enumerate(rows, 2):
        if row in seen:
            yield finding("TSV_INDEX_VALUE_NOT_UNIQUE", f"{row!r}", f"line {line}", rule.path)
        seen.add(row)


def _level(rule: Rule, key: str) -> str:
    entry = rule.document["columns"].get(key, rule.document.get("additional_columns", _NA))
    return str(entry["level"] if isinstance(entry, Mapping) else entry)
