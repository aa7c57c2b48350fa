"""Write the layout of BraTS 2024 for paediatric glioma, with its own four label values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(
    endings=brats.SINCE_2023,
    values={"enhancing": 1, "solid": 2, "cyst": 3, "oedema": 4},
)
_ALL = ("oedema", "enhancing", "solid", "cyst")
_TRAINING = (
    Case(
        name="BraTS-PED-00001-000",
        lesions=(Lesion(centre=(0.05, -0.3, -0.35), size=0.5, parts=_ALL, turn=15),),
        lengths=(9.7, 10.7, 7.6),
    ),
    # Not every tumour of a child enhances or has a cyst.
    Case(
        name="BraTS-PED-00003-000",
        lesions=(Lesion(centre=(-0.4, 0.15, 0.2), size=0.5, parts=("oedema", "solid"), turn=-70),),
        lengths=(10.0, 11.0, 7.7),
        shift=(-0.1, 0.3, 0.1),
    ),
)
_VALIDATION = Case(
    name="BraTS-PED-00016-000",
    lesions=(Lesion(centre=(0.36, 0.1, 0.15), size=0.48, parts=_ALL, turn=35),),
    lengths=(9.8, 10.8, 7.7),
    is_labelled=False,
)


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    # How the real folders are called could not be established.
    _EDITION.save(folder / "BraTS-PEDs2024_Training", _TRAINING)
    _EDITION.save(folder / "BraTS-PEDs2024_Validation", [_VALIDATION])
