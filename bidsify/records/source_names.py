"""How files of a tree name those of the source, whatever the folders above the data are called.

Tables name a source file by its path in the source, and that begins with folders that are the
user's: two people who convert the same download agree but for these.
"""

from __future__ import annotations

import json

#: The file that names tables of the source in sentences.
_PEOPLE = "participants.json"


def names_sources(path: str) -> bool:
    """Say whether a file of a tree may name files of the source, by its path."""
    return path == _PEOPLE or path.endswith(".tsv")


def named_below(content: bytes, path: str, base: str) -> bytes:
    """Return a file of a tree as it would be without the folders above the data of the source.

    ``base`` are these folders, ``""`` or ``"a/b/"``; see :attr:`.conversion.Record.base`.
    """
    if not base:
        return content
    if path == _PEOPLE:
        names = {json.dumps(base)[1:-1], json.dumps(base, ensure_ascii=False)[1:-1]}
        for name in names:
            content = content.replace(f" in {name}".encode(), b" in ")
        return content
    if not path.endswith(".tsv"):
        return content
    start = base.encode()
    lines = (line.split(b"\t") for line in content.split(b"\n"))
    return b"\n".join(b"\t".join(_rest(cell, start) for cell in cells) for cells in lines)


def _rest(cell: bytes, start: bytes) -> bytes:
    """Return a cell without its start; of a series, which is named by its folder, that may be all.

    Nothing is left of a folder that is the base itself but a dot, as tables say of the source.
    """
    if cell + b"/" == start:
        return b"."
    return cell.removeprefix(start)
