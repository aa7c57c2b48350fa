"""Have the C library keep memory that is freed for the next volume, not ask for it anew each time.

Fresh pages for each volume cost a sixth of the time. What is set here holds for a whole process,
and has no effect where the C library is another one than glibc.
"""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of malloc.h
_KEPT = 1 << 30  # bytes at the top of the heap


@cache
def keep_memory() -> None:
    """Keep volumes of any size; for a process that is ours."""
    _c_library("mallopt", _MMAP_MAX, 0)
    _c_library("mallopt", _TRIM_THRESHOLD, _KEPT)


@cache
def keep_small_memory() -> None:
    """Keep blocks up to 32 MiB, as far as glibc goes by itself; for a process of anybody.

    It does so for blocks up to the size of the largest that was freed; a buffer that shrinks
    before it is freed, as an inflated volume does, never counts with its full size.
    """
    bytes(31 << 20)  # its pages are never touched


def give_back() -> None:
    """Return to the system what was kept."""
    _c_library("malloc_trim", 0)


def _c_library(name: str, *arguments: int) -> None:
    """Call a function of the C library, where it has one of this name."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
