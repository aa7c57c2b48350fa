"""Write the layout of BraTS 2024 for glioma after treatment: 4 is the resection cavity here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(
    endings=brats.SINCE_2023,
    values={"necrosis": 1, "oedema": 2, "enhancing": 3, "cavity": 4},
    shape=(20, 24, 18),
    steps=(-1.0, 1.0, 1.0),
    corner=(90.0, -126.0, -72.0),
)
_LENGTHS = (8.7, 10.6, 8.0)
_TRAINING = (
    Case(
        name="BraTS-GLI-00005-100",
        lesions=(
            Lesion(
                centre=(0.38, 0.2, 0.2),
                size=0.5,
                parts=("oedema", "enhancing", "necrosis", "cavity"),
                turn=20,
            ),
        ),
        lengths=_LENGTHS,
    ),
    Case(
        name="BraTS-GLI-00005-101",
        lesions=(
            Lesion(
                centre=(0.4, 0.22, 0.2),
                size=0.54,
                parts=("oedema", "enhancing", "cavity"),
                turn=22,
            ),
        ),
        lengths=_LENGTHS,
        shift=(0.1, -0.1, 0.0),
    ),
    Case(
        name="BraTS-GLI-00006-101",
        lesions=(
            Lesion(centre=(-0.42, -0.2, 0.25), size=0.48, parts=("oedema", "cavity"), turn=-110),
        ),
        lengths=(8.5, 10.8, 7.9),
    ),
)
_VALIDATION = Case(
    name="BraTS-GLI-00021-100",
    lesions=(
        Lesion(
            centre=(-0.4, 0.25, 0.15),
            size=0.46,
            parts=("oedema", "enhancing", "cavity"),
            turn=50,
        ),
    ),
    lengths=_LENGTHS,
    is_labelled=False,
)


def make(folder: Path) -> None:
    """Write three training cases and one validation case of BraTS 2024 below ``folder``."""
    _EDITION.save(folder / "training_data1_v2", _TRAINING)
    _EDITION.save(folder / "validation_data", [_VALIDATION])
