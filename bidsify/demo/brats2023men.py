"""Write the layout of BraTS 2023 for meningioma: tumours at the surface of the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case

if TYPE_CHECKING:
    from pathlib import Path

_CASES = (
    Case(
        name="BraTS-MEN-00000-000",
        lesions=(Lesion(centre=(0.66, 0.2, 0.3), size=0.46, turn=5),),
    ),
    # A meningioma often enhances throughout.
    Case(
        name="BraTS-MEN-00004-000",
        lesions=(
            Lesion(centre=(-0.2, 0.62, 0.4), size=0.44, parts=("oedema", "enhancing"), turn=-50),
        ),
        lengths=(10.4, 11.3, 8.1),
        shift=(0.1, -0.2, 0.0),
    ),
    Case(
        name="BraTS-MEN-00012-000",
        lesions=(Lesion(centre=(-0.62, -0.25, 0.25), size=0.42, turn=35),),
        is_labelled=False,
    ),
)


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    brats.save_cohort(folder, "MEN", _CASES)
