"""Seals: what lets a later run know a file of ours by its times, without reading it.

The fraction of a second in the time of modification of a file that we write is made from the
hash of its content. Whoever writes into the file sets another time; who puts that time back, and
who copies the file or renames another one into its place, leaves a later time of change, which
nobody can set. So a file with the right fraction, whose two times are next to each other, holds
what we wrote: needed for that are the file and its receipt alone, no clock of another machine and
no time of a run. The fraction is in microseconds, as not all file systems count in nanoseconds;
those of whole seconds lose it, and break all seals.

Bits that turn on the disk change no time, nor does who edits a file and puts the time of
modification back in the three seconds after it was written: ``verify`` reads every byte.
"""

from __future__ import annotations

import os
from pathlib import Path

_SECOND, _MICROSECOND = 10**9, 10**3
_NEAR = 3 * _SECOND  # one for the fraction, two for the way from staging into the tree


def seal(path: Path, sha256: str) -> None:
    """Set the time of modification of a file that was written just now."""
    status = path.stat()
    sealed = status.st_mtime_ns // _SECOND * _SECOND + _fraction(sha256)
    if sealed > status.st_mtime_ns:
        sealed -= _SECOND
    os.utime(path, ns=(status.st_atime_ns, sealed))


def is_sealed(status: os.stat_result, sha256: str) -> bool:
    """Say whether a file was sealed with this hash, and nothing was done to it since then."""
    elapsed = status.st_ctime_ns - status.st_mtime_ns
    return status.st_mtime_ns % _SECOND == _fraction(sha256) and 0 <= elapsed < _NEAR


def _fraction(sha256: str) -> int:
    return int(sha256[:16], 16) % (_SECOND // _MICROSECOND) * _MICROSECOND
