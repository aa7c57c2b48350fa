"""The limit of a verification: read source and target, inflate what is packed, and no more.

A stream that was kept is inflated once: the target of the same checksum and size is only read.

python inflate.py SOURCE TARGET [--jobs 1]
"""

from __future__ import annotations

import sys
from pathlib import Path

from packing import inflate, option, run


def opened(item: tuple[Path, bool]) -> None:
    """Read one file, and inflate it if that is wanted."""
    path, is_wanted = item
    content = path.read_bytes()
    if is_wanted:
        inflate(content)


def end(path: Path) -> bytes:
    """Return checksum and size of what a packed file holds; nothing for another file."""
    return path.read_bytes()[-8:] if path.suffix == ".gz" else b""


if __name__ == "__main__":
    source, target = (
        sorted(path for path in Path(word).rglob("*") if path.is_file()) for word in sys.argv[1:3]
    )
    packed = {end(path) for path in source}
    items = [(path, path.suffix == ".gz") for path in source]
    items += [(path, path.suffix == ".gz" and end(path) not in packed) for path in target]
    run(opened, items, int(option("--jobs", "1")))
