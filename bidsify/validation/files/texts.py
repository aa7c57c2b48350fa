"""Read the text files of a dataset: JSON, tables, gradient tables. Faults are values.

Each file is read once while its folder is open: a sidecar serves itself and all its images.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import orjson

from ..findings import finding
from ..issue import Finding
from ..values import is_deeper, kind
from .tree import File

Columns = Mapping[str, list[str]]
_BOM = b"\xef\xbb\xbf"
# Halves of surrogate pairs, which JSON allows and no other text; pairs and other escapes go by.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<half>u[dD][89a-fA-F]\w\w)|.)", re.DOTALL
)
# What git-annex leaves in place of content that was not fetched.
_POINTER, _LONGEST_POINTER = b"/annex/objects/", 32768
_DEEPEST = 200  # levels of lists and objects in a JSON file
_PIECE = 1 << 24
_MOST = 1 << 28  # bytes of text: those of a larger file would not fit into memory as columns


@dataclass(slots=True)
class Document:
    """A JSON file. ``checked`` names the keys whose values were already held against the schema."""

    file: File
    value: dict[str, Any] | None
    fault: Finding | None = None
    checked: set[str] = field(default_factory=set)
    origins: dict[str, Document] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Say of each key that it is from here."""
        self.origins = dict.fromkeys(self.value or (), self)


@dataclass(frozen=True, slots=True)
class Table:
    """A table by columns; empty where it has a fault."""

    columns: Columns
    fault: Finding | None = None


class _Fault(Exception):  # noqa: N818  never leaves this module
    """Carries a finding out of a parser."""


Read = TypeVar("Read")


def read_json(file: File) -> Document:
    """Read a JSON object."""
    return _once(file, "json", _read_json)


def read_table(file: File) -> Table:
    """Read a table whose first line names its columns."""
    return _once(file, "table", _read_table)


def read_headerless(file: File, names: Sequence[str], *, is_compressed: bool) -> Table:
    """Read a table that keeps its columns' names elsewhere."""
    try:
        data, is_whole = _bytes(file), True
        if is_compressed:
            data, is_whole = gunzip(data)
            data = _bounded(data if is_whole else data[: data.rfind(b"\n") + 1])
        columns = _columns(names, _lines(data), 0)
        if is_whole:
            return Table(columns)
    except _Fault as fault:  # of the lines before a cut, too
        return Table({}, fault.args[0])
    except zlib.error:
        pass
    return Table({}, finding("INVALID_GZIP"))


def read_numbers(file: File) -> list[list[str]] | None:
    """Read the rows of a ``.bval`` or ``.bvec``; None where there are none."""
    try:
        text = _bytes(file).decode("utf-8", "replace")
    except _Fault:
        return None
    # A blank in front of the first number makes a column of its own, as in the official validator.
    rows = [re.split(r"\s+", x.rstrip()) for x in re.split(r"\r\n|\r|\n", text) if x.strip()]
    return rows or None


def read_start(file: File, size: int) -> bytes | Finding:
    """Read up to ``size`` bytes; say why where that fails."""
    if file.is_absent:
        return finding("CONTENT_MISSING")
    try:
        handle = os.open(file.location, os.O_RDONLY)  # a third of the time that open() takes
        try:
            data = os.read(handle, min(size, _PIECE))
            while (
                len(data) < size and len(data) % _PIECE == 0 and (more := os.read(handle, _PIECE))
            ):
                data += more
        finally:
            os.close(handle)
    except OSError as error:
        return finding("FILE_READ", error.strerror or str(error))
    if data.startswith(_POINTER) and len(data) < _LONGEST_POINTER:
        file.is_absent = True
        return finding("CONTENT_MISSING")
    if data and not file.is_sized:
        file.size = len(data)
    return data


def gunzip(data: bytes) -> tuple[bytes, bool]:
    """Decompress up to one byte more than is read of any file; say whether nothing is cut off.

    Raises:
        zlib.error: damaged, or more follows: the official validator takes one member only.
    """
    member = zlib.decompressobj(31)
    out = member.decompress(data, _MOST + 1)
    if member.unused_data:
        raise zlib.error
    return out, member.eof or len(out) > _MOST


def _once(file: File, kind: str, read: Callable[[File], Read]) -> Read:
    key = f"{kind}/{file.name}"
    contents = file.parent.contents
    if key not in contents:
        contents[key] = read(file)
    return contents[key]  # type: ignore[return-value]  # stored under this kind only


def _bytes(file: File) -> bytes:
    data = read_start(file, _MOST + 1)
    if isinstance(data, Finding):
        raise _Fault(data)
    file.size = len(_bounded(data))
    return data


def _bounded(data: bytes) -> bytes:
    if len(data) > _MOST:
        raise _Fault(finding("FILE_READ", f"more than {_MOST >> 20} MiB of text: not read"))
    return data


def _read_json(file: File) -> Document:
    try:
        value = _parse(_bytes(file))
    except _Fault as fault:
        return Document(file, None, fault.args[0])
    if isinstance(value, dict):
        return Document(file, value)
    return Document(file, None, finding("JSON_NOT_AN_OBJECT", f"it holds a {kind(value)}"))


def _parse(data: bytes) -> Any:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _parse_leniently(data)
    opened = data.count(b"[") + data.count(b"{")
    if opened > _DEEPEST and is_deeper(value, _DEEPEST):
        raise _Fault(finding("JSON_INVALID", f"nested in more than {_DEEPEST} levels"))
    return value


def _parse_leniently(data: bytes) -> Any:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _Fault(finding("INVALID_JSON_ENCODING", f"byte {error.start} is no UTF-8")) from error
    if data.startswith(_BOM):
        raise _Fault(finding("INVALID_JSON_ENCODING", "it starts with a byte order mark"))
    try:
        text = _ESCAPE.sub(_whole, text)
        return json.loads(text, parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        line = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _Fault(finding("JSON_INVALID", str(error), line)) from error


def _whole(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape["half"] else escape[0]


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def _read_table(file: File) -> Table:
    try:
        lines = _lines(_bytes(file))
        header = lines[0].split("\t") if lines and lines[0] else []
        if len(set(header)) == len(header):
            return Table(_columns(header, lines[1:], 1))
    except _Fault as fault:
        return Table({}, fault.args[0])
    twice = next(name for name, count in Counter(header).items() if count > 1)
    return Table({}, finding("TSV_COLUMN_HEADER_DUPLICATE", f"{twice!r} is there twice"))


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Fault(finding("INVALID_FILE_ENCODING", f"byte {error.start} is no UTF-8")) from error
    *lines, rest = text.split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    return [*lines, rest] if rest else lines  # where no LF follows, a CR is part of the value


def _columns(names: Sequence[str], lines: list[str], above: int) -> Columns:
    """Cut lines into columns; one empty line at the end is let pass."""
    if lines and not lines[-1]:
        lines = lines[:-1]
    width = len(names)
    for number, line in enumerate(lines, above + 1):
        if not line:
            raise _Fault(finding("TSV_EMPTY_LINE", where=f"line {number}"))
        if (count := line.count("\t") + 1) != width:
            message = f"{count} values for {width} columns"
            raise _Fault(finding("TSV_EQUAL_ROWS", message, f"line {number}"))
    if not lines:
        return {name: [] for name in names}
    if width == 1:
        return {names[0]: lines}
    cells = "\t".join(lines).split("\t")  # one list for all rows takes half the memory
    return {name: cells[at::width] for at, name in enumerate(names)}
