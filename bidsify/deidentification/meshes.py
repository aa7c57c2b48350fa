"""The free text of STL files: their header where they are binary, the name of each solid."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import IO

from ..printable import some
from .documents import kinds_in
from .programs import is_of_program
from .trace import FREE, Trace, label_of
from .unpacking import size_of

TEXT = 80  # bytes in front of the number of triangles
COLOR = re.compile(rb"COLOR=.{4}", re.DOTALL)  # of the whole mesh: red, green, blue and alpha
_HEAD = struct.Struct("<80sI")
_MOST = 1 << 26
_SOLID = re.compile(rb"^[ \t]*(?:end)?solid\b[ \t]*([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


def in_mesh(path: str, head: bytes, stream: IO[bytes]) -> Iterator[Trace]:
    """Yield the free text of an STL file, where no program writes such by itself."""
    if is_binary := is_binary_stl(head, size_of(stream)):
        texts = [COLOR.sub(b" ", head[:TEXT])]
    elif head.lstrip()[:5].lower() == b"solid":
        stream.seek(0)
        texts = list(dict.fromkeys(_SOLID.findall(stream.read(_MOST))))
    else:
        texts = [head[:TEXT].partition(b"\n")[0]]
    for raw in texts:
        text = " ".join(raw.replace(b"\0", b" ").decode("latin-1").split())
        text = text[len("solid") :].strip() if text.lower().startswith("solid ") else text
        own = f"sub-{label_of(path)}"  # the name of the file shows it anyway
        left = re.sub(rf"(?<!\w){re.escape(own)}(?:[ _-]|\Z)", "", text)
        if not left or is_of_program(left):
            continue
        if found := kinds_in(text):
            what = f"looks as if it held {some(found)}: {text[:80]!r}"
            yield Trace(path, "STL header", what, is_fixable=is_binary)
        else:
            what = f"{FREE}, may name a person: {text[:80]!r}"
            yield Trace(path, "STL header", what, is_fixable=is_binary, kind=FREE)


def is_binary_stl(head: bytes, size: int) -> bool:
    """Say whether a file is as long as a binary STL file with its number of triangles is."""
    return len(head) >= _HEAD.size and size == _HEAD.size + 50 * _HEAD.unpack_from(head)[1]
