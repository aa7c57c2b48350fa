"""A folder that appears whole or not at all, and paths from it into a tree."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UsageError


@contextmanager
def new_folder(dest: Path, tree: Path) -> Iterator[Path]:
    """Yield a folder beside ``dest`` to write into; it becomes ``dest`` if no error occurs.

    Raises:
        UsageError: There is something at ``dest``, or it lies in the tree.
    """
    dest = Path(os.path.realpath(dest))
    root = Path(os.path.realpath(tree))
    if dest.is_relative_to(root) and not dest.is_relative_to(root / "derivatives"):
        msg = f"{dest}: lies in the tree that is read; choose a folder outside of it"
        raise UsageError(msg)
    if dest.exists() and not (dest.is_dir() and not any(dest.iterdir())):
        msg = f"{dest}: there is something already; choose a new or empty folder"
        raise UsageError(msg)
    dest.parent.mkdir(parents=True, exist_ok=True)
    staging = dest.parent / f".{dest.name}-{os.getpid()}.part"
    staging.mkdir()
    try:
        yield staging
        if dest.exists():
            dest.rmdir()
        staging.rename(dest)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def way(tree: Path, folder: Path) -> str:
    """Return the relative path from a folder to a tree, both as they are without links."""
    return Path(os.path.relpath(os.path.realpath(tree), os.path.realpath(folder))).as_posix()


def write_json(path: Path, document: Any) -> None:
    """Write a document with its keys in their order, which for some readers has a meaning."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def link(path: Path, target: str) -> None:
    """Make a relative link; ``target`` is as seen from the folder of ``path``.

    Raises:
        UsageError: The link would lie in its own target, and who follows links go in a circle.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    around = Path(os.path.realpath(path.parent / target))
    if Path(os.path.realpath(path.parent)).is_relative_to(around):
        msg = f"{around}: a link to this folder cannot lie in it; choose a folder outside of it"
        raise UsageError(msg)
    path.symlink_to(target)
