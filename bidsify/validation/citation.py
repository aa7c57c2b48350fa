"""CITATION.cff against the schema of the Citation File Format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..citation_format import NAME, schema
from .dataset import Dataset
from .findings import finding
from .issue import Located

_MOST = 10_000  # parts of a document
_CONSTRUCTORS = (ValueError, TypeError, KeyError, AttributeError)  # what PyYAML lets through
_YAML_1_1 = frozenset({"timestamp", "bool", "value"})  # what plain text meant in old YAML


def check_citation(dataset: Dataset) -> Iterator[Located]:
    """Yield what is wrong with the citation file of a dataset, if there is one."""
    file = dataset.root.files.get(NAME)
    if file is None:
        return
    import yaml  # noqa: PLC0415  most datasets have none

    try:
        text = Path(file.location).read_text("utf-8", "replace")
        if text.startswith("\ufffd"):
            yield NAME, finding("FILE_READ", "it is no UTF-8 text")
            return
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

    return Draft7Validator(dict(schema()))


@cache
def _loader() -> Any:
    import yaml  # noqa: PLC0415

    class Loader(yaml.SafeLoader):
        """Keeps dates as text, which is what the schema wants; ``NO`` is a country (YAML 1.2)."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
            keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
            if len(set(keys)) < len(keys):
                raise yaml.constructor.ConstructorError(problem="a key is there twice")
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, regex) for tag, regex in resolvers if tag.rpartition(":")[2] not in _YAML_1_1]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    words = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", words, list("tTfF"))
    return Loader
