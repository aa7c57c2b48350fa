"""A folder that is a tree, but for some files that are changed; nothing is copied."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def overlaid(root: Path, changed: Mapping[str, bytes]) -> Iterator[Path]:
    """Give the folder; it is gone afterwards."""
    if not changed:
        yield root
        return
    with tempfile.TemporaryDirectory() as name:
        _lay(root.resolve(), Path(name), changed)
        yield Path(name)


def _lay(root: Path, place: Path, changed: Mapping[str, bytes]) -> None:
    inner: dict[str, dict[str, bytes]] = {}
    for path, content in changed.items():
        first, _, rest = path.partition("/")
        if rest:
            inner.setdefault(first, {})[rest] = content
        else:
            (place / first).write_bytes(content)
    for entry in root.iterdir():
        if entry.name in inner:
            (place / entry.name).mkdir()
            _lay(entry, place / entry.name, inner[entry.name])
        elif entry.name not in changed:
            (place / entry.name).symlink_to(entry)
