"""What to validate, and how deep to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Level = Literal["names", "headers", "voxels"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True)
class Options:
    """How deep to look: names alone, headers and texts too, or all voxels.

    ``skip_missing``: files of a clone whose content was not fetched are no error. ``voxels_in``
    are the folders at the root whose voxels are read, where not all are.
    """

    level: Level = "headers"
    nifti_headers: bool = True
    skip_missing: bool = False
    voxels_in: frozenset[str] | None = None

    @property
    def opens_files(self) -> bool:
        """Say whether files are read at all."""
        return self.level != "names"

    def reads_voxels(self, path: str) -> bool:
        """Say whether the voxels of a file are read."""
        if self.level != "voxels":
            return False
        return self.voxels_in is None or path.partition("/")[0] in self.voxels_in


@dataclass(frozen=True, slots=True)
class Request:
    """What to validate, and how: the same for all processes."""

    root: str
    schema: str | None = None
    options: Options = field(default_factory=Options)
    profile: str | None = None
