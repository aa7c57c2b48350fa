"""What is done about persons in a tree: find what tells who they are, and remove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..deidentification.fix import Deidentified
    from .sources import AnyPath


def deid_check(tree: AnyPath, *, fix: bool = False) -> Deidentified:
    """Look for what tells who a person is, in headers, sidecars and tables of any tree.

    Free text in headers that no program writes by itself is told too, as of the kind "free text".

    Args:
        tree: Any folder of files.
        fix: Remove it from NIfTI, gzip and STL headers and from JSON sidecars. Each file is
            proved to hold the same voxels and values before it takes the place of the old one.

    Raises:
        UsageError: There is no such folder.
    """
    from ..deidentification import fix as deidentification  # noqa: PLC0415

    root = Path(tree)
    return deidentification.fix(root) if fix else deidentification.find(root)
