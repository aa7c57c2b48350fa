"""What an export did, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Exported:
    """The folder that was written, and how many cases it names for each purpose.

    ``left_out`` says of each case why it is in none; ``notes`` what a user should know,
    ``failures`` what could not be read, ``commands`` what to run next.
    """

    folder: Path
    counts: Mapping[str, int]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
