"""Give a file of the tree the blocks of a file of the source, so that they take no space twice."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)


def link_file(origin: Path, place: Path) -> bool:
    """Make ``place``, which is not there, a clone of ``origin`` or else a hard link; say if it is.

    A clone shares blocks until one of the two is changed (btrfs, xfs and others); a hard link is
    the same file by another name. Neither goes from one file system to another.
    """
    return _clone(origin, place) or _hard_link(origin, place)


def _clone(origin: Path, place: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        with origin.open("rb") as one, place.open("xb") as other:
            fcntl.ioctl(other.fileno(), _FICLONE, one.fileno())
    except OSError:  # the file system, or this pair of them, cannot
        place.unlink(missing_ok=True)
        return False
    return True


def _hard_link(origin: Path, place: Path) -> bool:
    if ".git" in origin.parts:  # git-annex owns it
        return False
    try:
        os.link(origin, place)
    except OSError:
        return False
    return True
