"""Write and remove files of the tree: whole or not at all, and nowhere else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..errors import SourceError
from .journal import STAGING


def write_file(root: Path, target: str, content: bytes) -> None:
    """Write a file at once or not at all."""
    place = root / target
    if not place.parent.resolve().is_relative_to(root.resolve()) or place.is_dir():
        msg = f"{target}: a link out of the output folder, or a folder, is in its place; remove it"
        raise SourceError(msg)
    place.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(target.encode()).hexdigest()  # processes of two machines share numbers
    staged = root / STAGING / f"{name}-{os.getpid()}.part"
    staged.write_bytes(content)
    staged.replace(place)


def remove_file(root: Path, target: str) -> bool:
    """Remove a file, if it is there; say whether its place is in the tree. Others stay."""
    path = root / target
    is_inside = path.resolve().is_relative_to(root.resolve())
    if is_inside:
        path.unlink(missing_ok=True)
    return is_inside


def is_own_file(root: Path, target: str) -> bool:
    """Say whether a file is in the tree itself, or in its annex where git-annex keeps it."""
    path = root / target
    if path.is_symlink():
        annex = root.resolve() / ".git" / "annex" / "objects"
        return path.resolve().is_relative_to(annex) and path.is_file()
    return path.is_file()


def write_if_changed(root: Path, target: str, content: bytes) -> bool:
    """Write a file unless it holds this content; say whether it was written."""
    path = root / target
    changed = not is_own_file(root, target) or path.read_bytes() != content
    if changed:
        write_file(root, target, content)
    return changed
