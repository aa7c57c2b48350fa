"""HED: annotations of events with tags, in a column ``HED`` or under the key ``HED`` of a sidecar.

The tags are those of the schemas that ``HEDVersion`` of the dataset names. The Python package
``hedtools`` judges them where it is installed (the extra ``hed``), with the schemas that it
brings along: nothing is ever fetched. Without it, or without ``HEDVersion``, one finding says so.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson

from .context import Context
from .findings import finding
from .issue import Finding, Located
from .values import true

_KEY = "HED"
_NOT_LOADED = "SCHEMA_LOAD_FAILED"
_NOT_CHECKED = "HED_NOT_CHECKED"
_VERSION = re.compile(r"(?:[a-zA-Z]+:)?(?:(?P<library>[a-zA-Z]+)_)?(?P<number>\d+\.\d+\.\d+)")
_REFERENCE = re.compile(r"\{([\w-]+)\}")
_EMPTY_REFERENCE = re.compile(r"\{\s*\}")
_COMBINATIONS = 1000  # of annotations that refer to one another; half a second
_WARNING = 10  # severity in hedtools; an error has 1
# What hedtools warns of and the official validator does not.
_SILENT = frozenset({"HED_UNKNOWN_COLUMN", "ONSETS_UNORDERED", "STYLE_WARNING"})
# Names of hedtools alone for what the specification of HED calls SIDECAR_INVALID.
_OF_SIDECARS = frozenset({"BLANK_HED_STRING", "UNKNOWN_COLUMN_TYPE", "WRONG_HED_DATA_TYPE"})
_PLACES = ("ec_sidecarColumnName", "ec_sidecarKeyName", "ec_column")


@dataclass(frozen=True, slots=True)
class _Sidecar:
    """A sidecar as hedtools reads it, and what is wrong with it."""

    value: Any
    issues: tuple[Finding, ...]


def has_hed(context: Context) -> bool:
    """Say whether a file has HED: a table by itself or by its sidecar, or a JSON file."""
    if context.extension == ".tsv":
        return _KEY in context.columns or _describes(context.sidecar)
    return context.extension == ".json" and _describes(context.json)


def check_hed(context: Context) -> Iterator[Located]:
    """Yield what is wrong with the HED of a file.

    What concerns the dataset is yielded for each of its files: see :func:`once`.
    """
    if not has_hed(context):
        return
    version = context.dataset.description.get("HEDVersion")
    if not true(version):
        message = "HED is used, but dataset_description.json has no HEDVersion"
        yield context.relative, finding("HED_ERROR", message, _NOT_LOADED)
    elif not _is_installed():
        yield "", finding(_NOT_CHECKED)
    else:
        wanted = orjson.dumps(version)
        schema = _schema(wanted)
        if isinstance(schema, Finding):
            yield "", schema
            return
        for found in _judge(context, wanted, schema):
            yield context.relative, found


def once(found: Iterable[Located]) -> Iterator[Located]:
    """Keep the first of the findings that concern the dataset as a whole, and all others."""
    met: set[str] = set()
    for path, each in found:
        if each.where == _NOT_LOADED or each.code == _NOT_CHECKED:
            if each.code in met:
                continue
            met.add(each.code)
        yield path, each


def _describes(values: Mapping[str, Any]) -> bool:
    if dict not in map(type, values.values()):  # most sidecars end here
        return False
    return any(type(value) is dict and _KEY in value for value in values.values())


@cache
def _is_installed() -> bool:
    return importlib.util.find_spec("hed") is not None


@lru_cache(maxsize=8)
def _schema(version: bytes) -> Any:
    """Load the schemas of a ``HEDVersion``, or say why that fails."""
    from hed.errors.exceptions import HedFileError  # noqa: PLC0415  two seconds, and not required
    from hed.schema import hed_cache, load_schema_version  # noqa: PLC0415  see above

    stated = orjson.loads(version)
    names = stated if isinstance(stated, list) else [stated]
    folder = Path(hed_cache.INSTALLED_CACHE_LOCATION)
    for name in names:
        parts = _VERSION.fullmatch(name) if isinstance(name, str) else None
        if parts is None:
            return finding("HED_ERROR", f"HEDVersion: {name!r} is no version", _NOT_LOADED)
        library = f"_{parts['library']}_" if parts["library"] else ""
        if not (folder / f"HED{library}{parts['number']}.xml").is_file():
            message = f"HEDVersion: hedtools brings no schema {name!r}, and none is fetched"
            return finding("HED_ERROR", message, _NOT_LOADED)
    if not names:
        return finding("HED_ERROR", "HEDVersion: it names no schema", _NOT_LOADED)
    try:
        return load_schema_version(list(dict.fromkeys(names)), xml_folder=str(folder))
    except HedFileError as error:
        return finding("HED_ERROR", f"HEDVersion: {error.message}", _NOT_LOADED)


def _judge(context: Context, version: bytes, schema: Any) -> Iterator[Finding]:
    from hed.errors.exceptions import HedFileError  # noqa: PLC0415  see above

    is_table = context.extension == ".tsv"
    try:
        sidecar = _sidecar(version, orjson.dumps(context.sidecar if is_table else context.json))
        yield from sidecar.issues
        if is_table and context.columns and not any(e.severity == "error" for e in sidecar.issues):
            yield from _table(context.columns, schema, sidecar.value)
    except (
        HedFileError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
        ValueError,
    ) as error:  # fmt: skip  # what strange strings may provoke in a package that is not ours
        message = f"hedtools fails on it: {type(error).__name__}: {error}"
        yield finding("HED_ERROR", message, "INTERNAL_ERROR")


@lru_cache(maxsize=64)
def _sidecar(version: bytes, text: bytes) -> _Sidecar:
    """Judge a sidecar, once for all the tables that have it."""
    from hed.models.sidecar import Sidecar  # noqa: PLC0415  see above

    values = orjson.loads(text)
    issues: dict[Finding, None] = {}  # a set that keeps the order
    for name, key, text_of in _strings(values):
        if _EMPTY_REFERENCE.search(text_of):
            message = f"empty braces (in {', '.join(map(repr, filter(None, (name, key))))})"
            issues[finding("HED_ERROR", message, "SIDECAR_BRACES_INVALID")] = None
    for part in _parts(_without_blanks(values)):
        sidecar = Sidecar(None)
        sidecar.loaded_dict = part
        issues.update(dict.fromkeys(_findings(sidecar.validate(_schema(version)))))
    whole = Sidecar(None)
    whole.loaded_dict = values
    return _Sidecar(whole, tuple(issues))


def _table(columns: Mapping[str, list[str]], schema: Any, sidecar: Any) -> Iterator[Finding]:
    import pandas as pd  # noqa: PLC0415  only where there is HED
    from hed.models.tabular_input import TabularInput  # noqa: PLC0415  see above
    from hed.validator.spreadsheet_validator import SpreadsheetValidator  # noqa: PLC0415

    table = TabularInput(pd.DataFrame(dict(columns), dtype=str), sidecar=sidecar)
    issues = SpreadsheetValidator(schema).validate(table, validate_sidecar=False)
    is_hed_wanted = _KEY not in columns and _KEY in sidecar.get_column_refs()
    for issue in issues:
        # Annotations may refer to columns that only some tables have; officially, all but HED.
        is_of_references = issue["code"] == "SIDECAR_KEY_MISSING" and "ec_column" not in issue
        if is_hed_wanted or not is_of_references:
            yield from _findings([issue])


def _strings(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the annotations of a sidecar: the column, the value in it if there is one, the text."""
    for name, value in values.items():
        annotation = value.get(_KEY) if isinstance(value, dict) else None
        if isinstance(annotation, str):
            yield name, "", annotation
        elif isinstance(annotation, dict):
            for key, each in annotation.items():
                if isinstance(each, str):
                    yield name, key, each


def _without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out empty annotations of values, which are none officially."""
    filled = dict(values)
    for name, value in values.items():
        annotation = value.get(_KEY) if isinstance(value, dict) else None
        if isinstance(annotation, dict) and ("" in annotation.values() or not annotation):
            kept = {key: each for key, each in annotation.items() if each != ""}
            filled[name] = {**value, _KEY: kept} if kept else {}
    return filled


def _parts(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a sidecar in parts that have each of its annotations at least once.

    Where one annotation refers to several columns, hedtools tries their values in all
    combinations, which may never end.
    """
    sizes = {name: 0 for name, _, _ in _strings(values)}
    for name, _, _ in _strings(values):
        sizes[name] += 1
    referred = [_REFERENCE.findall(text) for _, _, text in _strings(values)]
    if all(math.prod(sizes.get(n, 1) for n in names) <= _COMBINATIONS for names in referred):
        yield values
        return
    reduced = {name for names in referred for name in names if name in sizes}
    for number in range(max(sizes[name] for name in reduced)):
        yield {
            name: {**value, _KEY: _one(value[_KEY], number)} if name in reduced else value
            for name, value in values.items()
        }


def _one(annotation: Any, number: int) -> Any:
    if not isinstance(annotation, dict):
        return annotation
    items = list(annotation.items())
    return dict([items[number % len(items)]])


def _findings(issues: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    for issue in issues:
        if issue["code"] not in _SILENT:
            code = "HED_WARNING" if issue["severity"] == _WARNING else "HED_ERROR"
            place = ", ".join(repr(issue[key]) for key in _PLACES if key in issue)
            message = " ".join(issue["message"].split()) + (f" (in {place})" if place else "")
            where = "SIDECAR_INVALID" if issue["code"] in _OF_SIDECARS else issue["code"]
            row = issue.get("ec_row")
            yield finding(code, message, f"{where}, line {row}" if row else where)
