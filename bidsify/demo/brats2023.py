"""Write the layout of BraTS 2023 for adult glioma: names end with the time point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats, native
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(endings=brats.SINCE_2023, values=brats.VALUES_OF_2023)
# The tumour of the first patient grows; of the second, the first time point was not published.
_CASES = (
    Case(
        name="BraTS-GLI-00000-000",
        lesions=(Lesion(centre=(0.38, 0.3, 0.22), size=0.44, turn=30),),
        lengths=(10.3, 11.5, 8.0),
    ),
    Case(
        name="BraTS-GLI-00000-001",
        lesions=(Lesion(centre=(0.4, 0.27, 0.22), size=0.5, turn=32),),
        lengths=(10.3, 11.5, 8.0),
        shift=(0.1, 0.0, -0.1),
    ),
    Case(
        name="BraTS-GLI-00017-001",
        lesions=(Lesion(centre=(-0.4, -0.15, 0.3), size=0.46, turn=-25),),
        lengths=(10.6, 11.2, 8.0),
    ),
    Case(
        name="BraTS-GLI-01733-000",
        lesions=(Lesion(centre=(-0.36, 0.35, 0.1), size=0.45, turn=65),),
        is_labelled=False,
    ),
)
# This gzip header keeps a name and a time, as in real downloads.
_NAMED = "BraTS-GLI-00017-001-t1c.nii"
_FORMER = "00000071_brain_t1ce.nii"
_PACKED = 1620000000


def make(folder: Path) -> None:
    """Write three training cases and one validation case of BraTS 2023 below ``folder``."""
    for case in _CASES:
        split = "Training" if case.is_labelled else "Validation"
        root = folder / f"ASNR-MICCAI-BraTS2023-GLI-Challenge-{split}Data"
        for name, content in _EDITION.files(case).items():
            is_named = name == _NAMED
            packed = native.gzipped(
                content, name=_FORMER if is_named else "", time=_PACKED if is_named else 0
            )
            native.save(root / case.name / f"{name}.gz", packed)
