"""Write the layout of BraTS 2023 for metastases: several small tumours in a brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case

if TYPE_CHECKING:
    from pathlib import Path

_CASES = (
    Case(
        name="BraTS-MET-00002-000",
        lesions=(
            Lesion(centre=(0.5, 0.3, 0.3), size=0.37, turn=-15),
            Lesion(centre=(-0.45, -0.35, 0.25), size=0.26, parts=("oedema", "enhancing")),
            Lesion(centre=(-0.3, 0.55, 0.1), size=0.2, parts=("enhancing",)),
        ),
    ),
    Case(
        name="BraTS-MET-00013-000",
        lesions=(
            Lesion(centre=(-0.48, 0.1, 0.32), size=0.4, turn=40),
            Lesion(centre=(0.35, -0.55, -0.45), size=0.24, parts=("oedema", "enhancing")),
        ),
        lengths=(10.3, 11.2, 8.1),
        shift=(0.2, 0.2, -0.1),
    ),
    Case(
        name="BraTS-MET-00015-000",
        lesions=(
            Lesion(centre=(0.45, -0.2, 0.3), size=0.37, turn=60),
            Lesion(centre=(0.3, 0.6, 0.0), size=0.22, parts=("oedema", "enhancing")),
        ),
        is_labelled=False,
    ),
)


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    brats.save_cohort(folder, "MET", _CASES)
