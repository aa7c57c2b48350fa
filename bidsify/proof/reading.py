"""What a proof reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..readers import tensors

#: Returns the content of a source file.
Read = Callable[[str], bytes]


@lru_cache(maxsize=1)  # a file of arrays has half a dozen jobs, which come one after the other
def arrays(content: bytes, path: str) -> Any:
    """Parse a file of arrays.

    Raises:
        SourceError: It is none.
    """
    return tensors.load(content, path)
