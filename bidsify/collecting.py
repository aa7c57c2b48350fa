"""The search of Python for reference cycles, which large plans and records do not have."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the search, which takes a third of the time where 100,000 objects are made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def frozen() -> Iterator[None]:
    """Leave what is there out of the search, here and in processes that are forked meanwhile.

    The search marks each object, so that memory that they share would be copied for each of them.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
