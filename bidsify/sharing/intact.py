"""Whether files of a bag are as its manifest says."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import UsageError
from ..printable import printable
from .bag import MANIFEST, PAYLOAD

_PIECE = 1 << 20
_LARGEST = 1 << 28  # bytes of a manifest


def bag_of(place: Path) -> Path | None:
    """Return the bag that a folder is, or that a file of the payload lies in; None for none."""
    path = place.resolve()
    folders = [path] if path.is_dir() else []
    folders += [path.parent] if path.name == PAYLOAD else []
    folders += [path.parent.parent] if path.parent.name == PAYLOAD else []
    return next((one for one in folders if (one / MANIFEST).is_file()), None)


def require_intact(folder: Path, names: tuple[str, ...]) -> None:
    """Compare payload files of a bag with its manifest; a name that ends in ``/`` is a folder.

    Raises:
        UsageError: One is changed, gone or not listed.
    """
    path = folder / MANIFEST
    if path.stat().st_size > _LARGEST:
        msg = f"{path}: too large for a manifest; get the folder again"
        raise UsageError(msg)
    folders = tuple(name for name in names if name.endswith("/"))
    unlisted = {name for name in names if (folder / PAYLOAD / name).is_file()}
    for line in path.read_text("utf-8", "replace").splitlines():
        sha256, _, place = line.partition("  ")
        name = place.removeprefix(f"{PAYLOAD}/").replace("%25", "%")
        if name not in names and not name.startswith(folders):
            continue
        unlisted.discard(name)
        if ".." in name.split("/") or _hash_of(folder / PAYLOAD / name) != sha256:
            raise UsageError(_said(folder, name))
    for name in sorted(unlisted):
        raise UsageError(_said(folder, name))


def _said(folder: Path, name: str) -> str:
    place = printable(str(folder / PAYLOAD / name))
    return f"{place}: not as {MANIFEST} says; get the folder again"


def _hash_of(path: Path) -> str:
    """Return the SHA-256 of a file; empty where there is none."""
    if not path.is_file():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
