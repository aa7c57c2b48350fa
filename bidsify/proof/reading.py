"""What a proof reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..readers import tensors

#: Returns the content of a source file.
Read = Callable[[str], bytes]


_KEPT_BYTES = 64 << 20


def arrays(content: bytes, path: str) -> Any:
    """Parse a file of arrays, anew: what the writer did to its own arrays must not count.

    Raises:
        SourceError: It is none.
    """
    return _kept(content, path) if len(content) <= _KEPT_BYTES else tensors.load(content, path)


@lru_cache(maxsize=1)  # a file of arrays has half a dozen jobs, which come one after the other
def _kept(content: bytes, path: str) -> Any:
    return tensors.load(content, path)
