"""Hold files against our JSON Schemas: tables, sidecars of meshes, descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ... import json_schema
from ...citation_format import NAME as CITATION
from ...dataset import Dataset
from ...tree_description import read_description
from ..dataset import DESCRIPTION
from ..files.inheritance import Ambiguity, sidecar_of
from ..files.texts import read_json, read_table
from ..files.tree import File, Folder
from ..findings import finding
from ..issue import Finding, Located
from .quick import surely_fits

#: Suffix of a table -> schema of its rows.
_TABLES = {"dseg": "label_table", "points": "points", "regions": "regions"}
#: What BIDS forbids in the description, or advises against, where there is a citation file.
_IN_CITATION = {"Authors": [f"in {CITATION}"], "License": f"in {CITATION}"}
_MOST = 20  # faults of one file; more teach nothing
_LONGEST = 200  # characters of a message
_ROW = re.compile(r"\$\[(\d+)\](.*)", re.DOTALL)


def check_file(file: File) -> Iterator[Located]:
    """Check a table, or the metadata of a mesh."""
    suffix, extension = file.parts.suffix, file.parts.extension
    if extension == ".tsv" and suffix in _TABLES:
        table = read_table(file)
        if table.fault is None:  # a broken one is found by the rules of the standard
            names = list(table.columns)
            rows = [dict(zip(names, r, strict=True)) for r in zip(*table.columns.values())]  # noqa: B905  equal by construction
            for each in _row_faults(_TABLES[suffix], rows):
                yield file.path, each
    elif suffix == "mesh" and extension != ".json":
        yield from _check_mesh(file)


def check_document(file: File, schema: str) -> Iterator[Located]:
    """Check a JSON file on what the tree is and what may be done with it."""
    document = read_json(file)
    if document.fault:
        yield file.path, finding("PROFILE_RECORD", document.fault.message)
    else:
        for each in faults_of(schema, document.value, "PROFILE_RECORD"):
            yield file.path, each


def check_description(root: Folder, declared: Dataset | None) -> Iterator[Located]:
    """Check what the dataset says of itself, and that it states the terms of its source."""
    file = root.files.get(DESCRIPTION)
    if file is None:
        return
    # read anew: defaults have been filled into the one that the rules see
    stated, fault = read_description(Path(root.location))
    if fault:  # the rules of the standard say so
        return
    told = {**_IN_CITATION, **stated} if CITATION in root.files else stated
    for each in faults_of("dataset_description", told, "PROFILE_RECORD"):
        yield file.path, each
    if not declared:
        return
    licence = stated.get("License")
    if isinstance(licence, str) and licence != declared.terms.licence:
        message = f"the licence of {declared.title} is {declared.terms.licence!r}, not {licence!r}"
        yield file.path, finding("PROFILE_RECORD", message, "$.License")


def faults_of(schema: str, document: Any, code: str) -> Iterator[Finding]:
    """Return what in a document breaks a schema; ``where`` is its path in the JSON."""
    if surely_fits(schema, document):
        return
    for fault in islice(json_schema.faults(schema, document), _MOST):
        where, _, message = fault.partition(": ")
        yield finding(code, _short(message), where)


def _row_faults(schema: str, rows: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """Return what in the rows of a table breaks a schema.

    Which columns there are is the same for each row, and told once, of the first.
    """
    suspect = (n for n, row in enumerate(rows) if not surely_fits(schema, [row]))
    places = list(islice(suspect, _MOST))
    if rows and not places:
        return
    for fault in islice(json_schema.faults(schema, [rows[n] for n in places]), _MOST):
        where, _, message = fault.partition(": ")
        found = _ROW.fullmatch(where)
        if found is None:
            yield finding("PROFILE_TABLE", _short(message), where)
            continue
        place = places[int(found[1])]
        if found[2]:
            message = f"line {place + 2}: {_short(message)}"
            yield finding("PROFILE_TABLE", message, f"$[{place}]{found[2]}")
        elif place == places[0]:
            yield finding("PROFILE_TABLE", f"columns: {_short(message)}", f"$[{place}]")


def _short(message: str) -> str:
    """Cut what quotes a whole row."""
    return message if len(message) <= _LONGEST else f"{message[:80]} ... {message[-80:]}"


def _check_mesh(file: File) -> Iterator[Located]:
    sidecar = sidecar_of(file)
    if isinstance(sidecar, Ambiguity):
        return  # told by the rules of the standard
    if not sidecar.values:
        yield file.path, finding("PROFILE_TABLE", "no sidecar states its axes and its unit")
        return
    path = sidecar.only.file.path if sidecar.only else file.path
    for each in faults_of("meshes", dict(sidecar.values), "PROFILE_TABLE"):
        yield path, each
