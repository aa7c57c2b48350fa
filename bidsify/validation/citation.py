"""CITATION.cff against the schema of the Citation File Format."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from .dataset import Dataset
from .findings import finding
from .issue import Finding

NAME = "CITATION.cff"
_MOST = 10_000  # parts of a document
_CONSTRUCTORS = (ValueError, TypeError, KeyError, AttributeError)  # what PyYAML lets through
_SCHEMA = ("check_jsonschema", "builtin_schemas/vendor/citation-file-format.json")


def check_citation(dataset: Dataset) -> Iterator[tuple[str, Finding]]:
    """Yield what is wrong with the citation file of a dataset, if there is one."""
    file = dataset.root.files.get(NAME)
    if file is None:
        return
    import yaml  # noqa: PLC0415  most datasets have none

    try:
        text = Path(file.location).read_text("utf-8", "replace")
        document = _plain(yaml.load(text, _loader()), [_MOST])  # noqa: S506  a safe loader
    except (OSError, yaml.YAMLError, RecursionError, *_CONSTRUCTORS) as error:
        yield NAME, finding("FILE_READ", " ".join(str(error).split()))
        return
    for fault in _validator().iter_errors(document):
        where = "".join(f"/{part}" for part in fault.instance_path)
        yield NAME, finding("CITATION_CFF_VALIDATION_ERROR", fault.message, where)


def _plain(value: Any, left: list[int]) -> Any:
    """Return a YAML document as JSON knows it. Aliases can make a short text endless.

    Raises:
        ValueError: it has more parts than ``left`` counts down from.
    """
    left[0] -= 1
    if left[0] < 0:
        msg = "it has too many parts"
        raise ValueError(msg)
    if isinstance(value, dict):
        return {_text(key): _plain(each, left) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, left) for each in value]
    return value if isinstance(value, int | float | None) else _text(value)


def _text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


@cache
def _validator() -> Any:
    from jsonschema_rs import Draft7Validator  # noqa: PLC0415

    package, name = _SCHEMA
    found = importlib.util.find_spec(package)
    origin = Path(found.origin) if found and found.origin else Path()
    return Draft7Validator(json.loads((origin.parent / name).read_text("utf-8")))


@cache
def _loader() -> Any:
    import yaml  # noqa: PLC0415

    class Loader(yaml.SafeLoader):
        """Keeps dates as text, which is what the schema wants."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, regex) for tag, regex in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
