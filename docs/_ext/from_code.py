"""What pages say that comes from code: put in when Sphinx reads them, and never committed.

A line ``<!-- from code: NAME -->`` of a page stands for the Markdown that ``PARTS[NAME]`` yields.
The index of datasets, which GitHub shows too, has no such line; its pages become its children.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bidsify import json_schema
from bidsify.markdown import code, inline, link, table
from bidsify.validation import codes

_DATASETS = "datasets/README"
_MARK = re.compile(r"^<!-- from code: (\w+) -->$", re.MULTILINE)
_SCHEMAS = "../../schemas"
_DEEPEST = 6  # levels of a schema that are shown


def setup(app: Any) -> Mapping[str, bool]:
    """Tell Sphinx what to do when it reads a page."""
    app.connect("source-read", _fill)
    app.connect("autodoc-process-signature", _readable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fill(_app: Any, page: str, source: list[str]) -> None:
    source[0] = _MARK.sub(lambda found: "\n".join(PARTS[found[1]]()), source[0])
    if page == _DATASETS:
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def _readable(*event: Any) -> tuple[str | None, str | None]:
    """Return a signature that Sphinx can parse: without functions as defaults."""
    *_, signature, returned = event
    text = (signature or "").replace("<factory>", "{}")
    return text.replace("<function <lambda>>", "...") or None, returned


def issue_codes() -> Iterator[str]:
    """Yield a section for each code that has its words in ``codes.tsv``."""
    for title, known in (
        ("Checks of bidsify", codes.OWN),
        ("Checks of the official validator outside of the schema", codes.OFFICIAL),
    ):
        yield from (f"## {title}", "")
        for name, entry in sorted(known.items()):
            yield from (f"### {name}", "", f"*{entry.severity}.* {inline(entry.meaning)}", "")
            if entry.matters:
                yield from (f"Why it matters: {inline(entry.matters)}", "")
            if entry.remedy:
                yield from (f"How to mend it: {inline(entry.remedy)}", "")


def declared_codes() -> Iterator[str]:
    """Yield a table of the codes that the BIDS schema declares."""
    names = sorted(codes.official_codes() - codes.OFFICIAL.keys())
    found = [entry for entry in map(codes.find, names) if entry]
    rows = ((code(each.code), each.severity, inline(each.meaning)) for each in found)
    yield from table(("code", "severity", "meaning"), rows)


def schemas() -> Iterator[str]:
    """Yield a section for each schema of ours that is written by hand."""
    for name in json_schema.names():
        document = json_schema.load(name)
        if "/" in name or "$comment" in document:
            continue
        yield from (f"## {name}", "", f"{inline(document['title'])}. {_described(document)}", "")
        yield from (f"File: {_file(name)}", "")
        rows = [*_rows(document, document, "", 0)]
        yield from table(("key", "type", "meaning"), rows)
        yield ""


def schemas_of_bids() -> Iterator[str]:
    """Yield a list of the schemas that are made from the BIDS schema."""
    made = {name: json_schema.load(name) for name in json_schema.names()}
    rows = (
        (_file(name), inline(document["title"]))
        for name, document in made.items()
        if "$comment" in document
    )
    yield from table(("schema", "governs"), rows)


PARTS: Mapping[str, Callable[[], Iterator[str]]] = MappingProxyType(
    {
        "issue_codes": issue_codes,
        "declared_codes": declared_codes,
        "schemas": schemas,
        "schemas_of_bids": schemas_of_bids,
    }
)


def _file(name: str) -> str:
    return link(name, f"{_SCHEMAS}/{name}.schema.json")


def _rows(root: Mapping[str, Any], node: Any, path: str, depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the keys below a part of a schema, with their types and meanings."""
    if depth > _DEEPEST:
        return
    items = node.get("items")
    if isinstance(items, dict):
        yield from _rows(root, _resolved(root, items), f"{path}[]", depth + 1)
    known = {**node.get("properties", {}), **node.get("patternProperties", {})}
    for name, child in known.items():
        here = f"{path}.{name}".removeprefix(".")
        found = _resolved(root, child)
        must = "" if name in node.get("required", ()) else " (optional)"
        yield code(here), f"{_kind(root, found)}{must}", _described(found)
        yield from _rows(root, found, here, depth + 1)


def _resolved(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        target = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _kind(root: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """Return what values of a part may be, in a few words."""
    if "const" in node:
        return code(str(node["const"]))
    if "enum" in node:
        return ", ".join(code(str(value)) for value in node["enum"])
    kinds = node.get("type", ())
    names = [kinds] if isinstance(kinds, str) else [*kinds]
    choices = [_resolved(root, one) for one in (*node.get("anyOf", ()), *node.get("oneOf", ()))]
    names += [_kind(root, one) for one in choices]
    return " or ".join(dict.fromkeys(filter(None, names)))


def _described(node: Mapping[str, Any]) -> str:
    return inline(str(node.get("description", "")))
