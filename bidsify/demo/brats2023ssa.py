"""Write the layout of BraTS 2023 for glioma in Sub-Saharan Africa."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case

if TYPE_CHECKING:
    from pathlib import Path

_CASES = (
    Case(
        name="BraTS-SSA-00002-000",
        lesions=(Lesion(centre=(-0.4, 0.2, 0.25), size=0.54, turn=20),),
    ),
    Case(
        name="BraTS-SSA-00007-000",
        lesions=(Lesion(centre=(0.4, -0.1, 0.2), size=0.56, turn=-35),),
        lengths=(10.7, 11.2, 7.9),
        shift=(-0.2, 0.1, 0.0),
    ),
    Case(
        name="BraTS-SSA-00126-000",
        lesions=(Lesion(centre=(0.38, 0.32, 0.15), size=0.5, turn=75),),
        is_labelled=False,
    ),
)


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    brats.save_cohort(folder, "SSA", _CASES)
