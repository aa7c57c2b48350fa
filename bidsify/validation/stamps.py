"""Tell whether the files of a folder are what they were, without reading them."""

from __future__ import annotations

import hashlib
import os
import stat

MARGIN = 2 * 10**9  # nanoseconds: a change in the same tick of a coarse clock leaves no trace
_DEEPEST = 256


def stamp_of(location: str, started: int) -> str | None:
    """Return a digest of the names, sizes, times and inodes of a folder and all that is below it.

    None where that is no proof: something was changed when validation began or after, is a link
    or no file, or cannot be looked at.
    """
    if os.name == "nt":  # which keeps no time of change that programs cannot set
        return None
    lines: list[str] = []
    newest = _look(location, "", lines, 0)
    if newest is None or newest + MARGIN >= started:
        return None
    return hashlib.sha256("\0".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _look(location: str, path: str, lines: list[str], depth: int) -> int | None:
    """Add a line for a folder and each thing in it; return the newest time of change."""
    try:
        own = os.lstat(location)
        if depth > _DEEPEST or not stat.S_ISDIR(own.st_mode):
            return None
        with os.scandir(location) as entries:
            found = sorted((e.name, e.stat(follow_symlinks=False)) for e in entries)
    except OSError:
        return None
    lines.append(f"{path}/ {own.st_mtime_ns} {own.st_ctime_ns} {own.st_ino} {own.st_mode}")
    newest = own.st_ctime_ns
    for name, status in found:
        if stat.S_ISDIR(status.st_mode):
            inner = _look(f"{location}/{name}", f"{path}/{name}", lines, depth + 1)
            if inner is None:
                return None
            newest = max(newest, inner)
        elif stat.S_ISREG(status.st_mode):
            size, mtime, ctime = status.st_size, status.st_mtime_ns, status.st_ctime_ns
            lines.append(f"{path}/{name} {size} {mtime} {ctime} {status.st_ino}")
            newest = max(newest, ctime)
        else:
            return None
    return newest
