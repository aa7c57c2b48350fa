"""What is known of the terms of datasets, by the route by which each is obtained."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson

from .. import datasets, json_schema
from ..errors import SchemaError, UsageError
from .licences import is_share_alike, judged
from .statement import Statement


@cache
def registry() -> tuple[Statement, ...]:
    """Return what is known of the routes by which datasets are obtained.

    Raises:
        SchemaError: Our own file does not fit its schema.
    """
    rows = orjson.loads((files(__package__) / "terms.json").read_bytes())
    for row in rows:
        if faults := list(json_schema.faults("terms", row)):
            msg = f"terms.json: {row.get('dataset')}: {faults[0]}"
            raise SchemaError(msg)
    return tuple(Statement(**row) for row in rows)


def of_dataset(name: str, route: str = "") -> tuple[Statement, ...]:
    """Return the terms of a dataset: of all routes that are known, where none is named.

    Raises:
        UsageError: It has no such route.
    """
    rows = tuple(row for row in registry() if row.dataset == name)
    if route:
        named = tuple(row for row in rows if row.route == route)
        if not named:
            known = ", ".join(row.route for row in rows) or "none"
            msg = f"no route {route!r} to {name!r} is known; known are: {known}"
            raise UsageError(msg)
        return named
    return rows or (_declared(name),)


def _declared(name: str) -> Statement:
    terms = datasets.load(name).terms
    spdx, _ = judged(terms.licence)
    return Statement(
        dataset=name,
        licence=terms.licence,
        summary=terms.summary,
        redistribution=terms.redistribution,
        evidence=terms.evidence,
        spdx=spdx,
        share_alike=is_share_alike(spdx),
    )
