"""What verification finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Code = Literal["LOST", "CHANGED", "EXTRA"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with one file of the tree."""

    path: str
    code: Code
    message: str
