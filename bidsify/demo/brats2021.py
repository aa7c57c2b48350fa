"""Write the layout of BraTS 2021, with the loose copies of one case that its mirror leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats, native
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(endings=brats.UNTIL_2021, values=brats.VALUES_UNTIL_2021)
_TWICE = Case(
    name="BraTS2021_00495",
    lesions=(Lesion(centre=(0.4, -0.25, 0.3), size=0.46, turn=-30),),
    lengths=(10.2, 11.5, 8.1),
)
_TRAINING = (
    Case(
        name="BraTS2021_00000",
        lesions=(Lesion(centre=(-0.42, 0.25, 0.15), size=0.5, turn=15),),
    ),
    # Not every case has an enhancing part.
    Case(
        name="BraTS2021_00002",
        lesions=(
            Lesion(centre=(0.42, 0.15, 0.1), size=0.48, parts=("oedema", "necrosis"), turn=45),
        ),
        lengths=(10.6, 11.3, 7.8),
        shift=(0.1, 0.2, -0.1),
    ),
    _TWICE,
)
_VALIDATION = Case(
    name="BraTS2021_00001",
    lesions=(Lesion(centre=(-0.4, -0.3, 0.2), size=0.44, turn=80),),
    is_labelled=False,
)


def make(folder: Path) -> None:
    """Write three training cases and one validation case of BraTS 2021 below ``folder``."""
    _EDITION.save(folder / "RSNA_ASNR_MICCAI_BraTS2021_TrainingData", _TRAINING)
    _EDITION.save(folder / "RSNA_ASNR_MICCAI_BraTS2021_ValidationData", [_VALIDATION])
    for name, content in _EDITION.files(_TWICE).items():
        native.save(folder / f"{name}.gz", native.gzipped(content))
