"""Judge the selectors of a rule for all files of a kind at once, without any of the files.

A selector is settled by what is known of the files, or it is a question to the sidecar that JSON
Schema can ask, or it stays open: it depends on what neither of the two holds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .document import Json

#: True, False, a question to the sidecar as a JSON Schema, or None for an open one.
Answer: TypeAlias = "bool | Json | None"
Verdict: TypeAlias = "tuple[Json, ...] | Literal['never', 'open']"

_TOKEN = re.compile(r"""("[^"]*"|'[^']*')|(!(?!=))|\b(null|true|false)\b""")
_WORDS = {"!": " not ", "null": "None", "true": "True", "false": "False"}
_DATASET_TYPE = "dataset.dataset_description.DatasetType"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files that are the same as far as selectors can tell without looking inside.

    ``required`` are the keys of entities that each has, ``possible`` those that some have.
    """

    dataset_type: str
    datatype: str
    modality: str
    suffix: str
    extension: str
    required: frozenset[str]
    possible: frozenset[str]


def verdict(selectors: Sequence[str], files: Files) -> Verdict:
    """Say when a rule holds: under these conditions on the sidecar, never, or nobody knows."""
    answers = [answer(selector, files) for selector in selectors]
    if any(found is False for found in answers):
        return "never"
    if any(found is None for found in answers):
        return "open"
    return tuple(found for found in answers if isinstance(found, dict))


def answer(selector: str, files: Files) -> Answer:
    """Judge one selector.

    >>> files = Files(dataset_type="raw", datatype="func", modality="mri", suffix="bold",
    ...     extension=".nii", required=frozenset({"task"}), possible=frozenset({"task"}))
    >>> answer('suffix == "bold"', files), answer('!("echo" in entities)', files)
    (True, True)
    >>> answer('"VolumeTiming" in sidecar', files)
    {'required': ['VolumeTiming']}
    """
    try:
        body = ast.parse(_TOKEN.sub(_python, selector).strip(), mode="eval").body
    except SyntaxError:  # "&&" and the like
        return None
    return _judge(body, files)


def _python(token: re.Match[str]) -> str:
    # Texts hold patterns, whose backslashes are none of Python's business.
    return f"r{token[1]}" if token[1] else _WORDS[token[0]]


def _judge(node: ast.expr, files: Files) -> Answer:  # noqa: PLR0911  one case, one answer
    match node:
        case ast.Constant(value=bool() as settled):
            return settled
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _inverse(_judge(inner, files))
        case ast.Compare(left=ast.Constant(value=str() as key), ops=[ast.In()], comparators=[into]):
            return _is_in(key, ast.unparse(into), files)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            return _equals(left, value, files)
        case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[ast.Constant(value=value)]):
            return _inverse(_equals(left, value, files))
        case ast.Call(func=ast.Name(id="intersects"), args=[left, ast.List(elts=elements)]):
            values = [one.value for one in elements if isinstance(one, ast.Constant)]
            return _intersects(left, values, files) if len(values) == len(elements) else None
        case ast.Call(func=ast.Name(id="match"), args=[ast.Name(id=name), ast.Constant(value=p)]):
            known = _known(name, files)
            return None if known is None else re.search(str(p), known) is not None
    return None


def _inverse(found: Answer) -> Answer:
    if found is None:
        return None
    return {"not": found} if isinstance(found, dict) else not found


def _is_in(key: str, into: str, files: Files) -> Answer:
    if into == "sidecar":
        return {"required": [key]}
    if into != "entities":
        return None
    if key in files.required:
        return True
    return None if key in files.possible else False


def _equals(left: ast.expr, value: Any, files: Files) -> Answer:
    text = ast.unparse(left)
    known = _known(text, files)
    if known is not None:
        return bool(known == value)
    if text.startswith("entities.") and value is None:
        return _inverse(_is_in(text.removeprefix("entities."), "entities", files))
    if field := _field(text):
        return _null(field) if value is None else _asked(field, {"const": value})
    kind = re.fullmatch(r"type\(sidecar\.(\w+)\)", text)
    if kind and isinstance(value, str):
        return _null(kind[1]) if value == "null" else _asked(kind[1], {"type": value})
    return None


def _intersects(left: ast.expr, values: list[Any], files: Files) -> Answer:
    one = left.elts[0] if isinstance(left, ast.List) and len(left.elts) == 1 else left
    text = ast.unparse(one)
    known = _known(text, files)
    if known is not None:
        return known in values
    if field := _field(text):
        among: Json = {"enum": values}
        if one is left:  # a list itself, or a text that counts as a list of one
            among = {"anyOf": [among, {"type": "array", "contains": among}]}
        return _asked(field, among)
    return None


def _known(name: str, files: Files) -> str | None:
    names = ("datatype", "modality", "suffix", "extension")
    if name == _DATASET_TYPE:
        return files.dataset_type
    return str(getattr(files, name)) if name in names else None


def _field(text: str) -> str | None:
    found = re.fullmatch(r"sidecar\.(\w+)", text)
    return found[1] if found else None


def _asked(field: str, among: Json) -> Json:
    return {"required": [field], "properties": {field: among}}


def _null(field: str) -> Json:
    return {"properties": {field: {"type": "null"}}}
