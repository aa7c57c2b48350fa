"""What to validate, and how deep to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import UsageError

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

    @property
    def of_headers(self) -> tuple[bool, bool]:
        """Return what is the same for all folders, whatever their level."""
        return self.nifti_headers, self.skip_missing

    def reads_voxels(self, path: str) -> bool:
        """Say whether the voxels of a file are read."""
        return self.level_in(path.partition("/")[0]) == "voxels"

    def level_in(self, folder: str) -> Level:
        """Return how deep to look into a folder at the root."""
        if self.level == "voxels" and self.voxels_in is not None and folder not in self.voxels_in:
            return "headers"
        return self.level


def require_content(level: Level, cache: object) -> None:
    """Refuse a cache where no file is opened.

    Raises:
        UsageError: There would be nothing in it.
    """
    if cache is not None and level == "names":
        msg = "a cache holds what was read, and the level of names reads nothing: leave it out"
        raise UsageError(msg)


@dataclass(frozen=True, slots=True)
class Request:
    """What to validate, and how: the same for all processes."""

    root: str
    schema: str | None = None
    options: Options = field(default_factory=Options)
    profile: str | None = None
