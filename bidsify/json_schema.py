"""Our JSON Schemas: find them, check documents against them. Nothing is ever fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import SchemaError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_ENDING = ".schema.json"


@cache
def names() -> tuple[str, ...]:
    """List the schemas by name; those below a folder as ``sidecars/T1w``."""
    found = (p.relative_to(_folder()).as_posix() for p in _folder().rglob(f"*{_ENDING}"))
    return tuple(sorted(name.removesuffix(_ENDING) for name in found))


def load(name: str) -> Mapping[str, Any]:
    """Return one schema as a document."""
    if name not in names():
        some = ", ".join(one for one in names() if "/" not in one)
        folders = ", ".join(sorted({one.split("/")[0] + "/" for one in names() if "/" in one}))
        msg = f"no schema {name!r}; there are: {some}, and those in {folders}"
        raise SchemaError(msg)
    document: Mapping[str, Any] = json.loads((_folder() / f"{name}{_ENDING}").read_text("utf-8"))
    return document


def faults(name: str, document: Any) -> Iterator[str]:
    """Say in one sentence each what in ``document`` breaks the schema ``name``."""
    for error in sorted(_validator(name).iter_errors(document), key=lambda e: e.json_path):
        yield f"{error.json_path}: {error.message}"


@cache
def _validator(name: str) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  0.1 s that --help need not pay

    return Draft202012Validator(load(name))


@cache
def _folder() -> Path:
    """Return ``schemas/`` of the installed package, or of the checkout."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "schemas"
