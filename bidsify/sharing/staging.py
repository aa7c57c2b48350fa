"""Folders in which a bag grows: gone when something goes wrong, at the latest with the next run."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARKER = ".bidsify-staging"
_MARK = b"bidsify share writes here\n"


@contextmanager
def staged(folder: Path) -> Iterator[None]:
    """Make a folder, and lock a file in it for as long as this process fills it.

    On any error the folder goes.
    """
    folder.mkdir()
    try:
        with (folder / MARKER).open("xb") as stream:
            with suppress(OSError):  # a file system without locks: nobody removes what has no mark
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stream.write(_MARK)
                stream.flush()
            yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_stale(folder: Path) -> None:
    """Remove what a run left that was killed: our mark is in it, and nobody holds its lock."""
    marker = folder / MARKER
    if folder.is_symlink() or not folder.is_dir() or marker.is_symlink():
        return
    with suppress(OSError), marker.open("rb") as stream:
        if stream.read(len(_MARK) + 1) == _MARK:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
