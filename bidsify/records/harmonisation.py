"""The record of second segmentations: what each was made from, and whether it still is that.

``code/bidsify/harmonised.json`` lists the files that bidsify may write anew and that are no
strangers to ``verify``. It holds no clock, no host and no user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from ..errors import UsageError

HARMONISED = "code/bidsify/harmonised.json"
_TEXTS = ("path", "sha256", "source", "source_sha256", "table_sha256")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file that was made from the segmentation ``source``.

    ``sha256`` is empty until it was written. ``mapping`` are pairs of voxel values, first and
    second; none for a text.
    """

    path: str
    sha256: str
    source: str
    source_sha256: str
    table_sha256: str
    mapping: tuple[tuple[int, int], ...] = ()


def read_harmonised(root: Path) -> dict[str, Entry]:
    """Return path -> entry; empty where there is no record.

    Raises:
        UsageError: There is one, but it cannot be read.
    """
    path = root / HARMONISED
    if not path.is_file():
        return {}
    try:
        found = [_entry(entry) for entry in orjson.loads(path.read_bytes())["files"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not a readable record of harmonised segmentations; remove it and them"
        raise UsageError(msg) from error
    return {entry.path: entry for entry in found}


def to_bytes(entries: Mapping[str, Entry]) -> bytes:
    """Format the record, the same each time."""
    files = [asdict(entries[path]) for path in sorted(entries)]
    return orjson.dumps({"files": files}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def faults(root: Path, entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """Yield the path of each file that is not as it was written, and why.

    A file that was removed is no fault: it can be made again, and nothing of the source is lost.
    """
    for path, entry in sorted(entries.items()):
        if not (root / path).is_file():
            continue
        if not entry.sha256:
            yield path, "the run that wrote it was cut off; harmonise again"
        elif sha256(root / path) != entry.sha256:
            yield path, "edited since it was harmonised; harmonise again to undo it"
        elif sha256(root / entry.source) != entry.source_sha256:
            yield path, f"{entry.source} has changed since it was harmonised; harmonise again"


def sha256(path: Path) -> str:
    """Hash a file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _entry(entry: Mapping[str, object]) -> Entry:
    pairs = entry["mapping"]
    texts = {name: entry[name] for name in _TEXTS}
    if not isinstance(pairs, list) or not all(isinstance(text, str) for text in texts.values()):
        raise TypeError
    mapping = tuple((int(first), int(second)) for first, second in pairs)
    return Entry(**{name: str(text) for name, text in texts.items()}, mapping=mapping)
