"""Write a file that is no part of a tree: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import UsageError


def check_place(place: Path, root: Path, *, is_folder: bool = False) -> None:
    """Refuse a place in the tree itself, and one where something else is than what is written.

    Raises:
        UsageError: The place lies in the tree, or there is a link, a device or the like.
    """
    if place.resolve().is_relative_to(root.resolve()):
        msg = f"{place}: lies in the dataset, which it would make invalid; name another place"
        raise UsageError(msg)
    if not is_folder:
        _check_file(place)
    elif os.path.lexists(place) and not place.is_dir():
        msg = f"{place}: is no folder; name one"
        raise UsageError(msg)


def save(place: Path, content: bytes) -> None:
    """Write beside the place, then rename; what was there is replaced.

    Raises:
        UsageError: A folder, a link, a device or the like is in the place.
    """
    _check_file(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    # In a folder that nobody else knows, so no file and no link of others is written to.
    with TemporaryDirectory(prefix=".bidsify-", dir=place.parent) as folder:
        staged = Path(folder) / "part"
        staged.write_bytes(content)
        staged.replace(place)


def _check_file(place: Path) -> None:
    """Refuse to replace what is no regular file: the node of a device would be gone."""
    what = ""
    if place.is_symlink():
        what = "a link; name the file itself"
    elif place.is_dir():
        what = "a folder; name a file"
    elif os.path.lexists(place) and not place.is_file():
        what = "no regular file and is not replaced; name a file"
    if what:
        msg = f"{place}: is {what}"
        raise UsageError(msg)
