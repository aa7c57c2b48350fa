"""Write the layout of BraTS 2023 for paediatric glioma, often about the brain stem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case

if TYPE_CHECKING:
    from pathlib import Path

_CASES = (
    Case(
        name="BraTS-PED-00002-000",
        lesions=(Lesion(centre=(0.05, -0.25, -0.4), size=0.46, turn=12),),
        lengths=(9.6, 10.6, 7.6),
    ),
    Case(
        name="BraTS-PED-00007-000",
        lesions=(Lesion(centre=(-0.36, 0.2, 0.2), size=0.48, turn=-55),),
        lengths=(10.0, 10.9, 7.7),
        shift=(0.2, -0.3, 0.1),
    ),
    Case(
        name="BraTS-PED-00011-000",
        lesions=(Lesion(centre=(0.2, -0.4, -0.3), size=0.45, turn=40),),
        lengths=(9.8, 10.8, 7.6),
        is_labelled=False,
    ),
)


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    brats.save_cohort(folder, "PED", _CASES)
