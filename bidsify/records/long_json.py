"""JSON documents with long lists: written and read a part of a list at a time.

What is written has the layout of ``orjson.OPT_INDENT_2``, which lets a reader find the lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

_ENTRIES = 256  # of a list that are in memory at once
_BLOCK = 1 << 18  # bytes that are read at once


def pieces(document: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the text of a document. A list can be given as a function that yields its entries."""
    lead = b"{\n  "
    for name, value in document.items():
        yield lead + orjson.dumps(name) + b": "
        if callable(value):
            yield from _list(value())
        else:
            yield _text(value).replace(b"\n", b"\n  ")
        lead = b",\n  "
    yield b"\n}\n"


def _list(entries: Iterable[Any]) -> Iterator[bytes]:
    left = iter(entries)
    lead = b"["
    while batch := [*islice(left, _ENTRIES)]:
        yield lead + _text(batch)[1:-2].replace(b"\n", b"\n  ")
        lead = b","
    yield b"[]" if lead == b"[" else b"\n  ]"


def _text(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def read(path: Path, lists: Mapping[str, Callable[[Any], object]]) -> Any:
    """Return a document but for the entries of ``lists``, each of which goes to its function.

    Raises:
        ValueError: It is no JSON.
        KeyError: A list is not there.
    """
    starts = {b"  " + orjson.dumps(name) + b": [\n": take for name, take in lists.items()}
    rest: list[bytes] = []
    part: list[bytes] = []
    take = None
    with path.open("rb") as stream:
        while lines := stream.readlines(_BLOCK):
            for line in lines:
                if take is None:
                    rest.append(line)
                    take = starts.get(line)
                elif line.startswith(b"  ]"):
                    _give(part, take)
                    rest.append(line)
                    take = None
                else:
                    part.append(line)
                    if len(part) >= _BLOCK >> 5 and line == b"    },\n":
                        _give(part, take)
    document = orjson.loads(b"".join(rest))
    for name, taking in lists.items():
        entries, document[name] = document[name], []
        for entry in entries:  # of a document that somebody has laid out anew
            taking(entry)
    return document


def _give(lines: list[bytes], take: Callable[[Any], object]) -> None:
    """Parse whole entries, and forget their text."""
    for entry in orjson.loads(b"[" + b"".join(lines).rstrip(b",\n") + b"]"):
        take(entry)
    lines.clear()
