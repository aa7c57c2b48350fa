"""Write the crossMoDA 2021 layout: ceT1 with labels, and hrT2 of other people without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import native
from .cerebellopontine import Head, schwannoma, stack
from .crossmoda import Person

if TYPE_CHECKING:
    from pathlib import Path

_CET1 = stack((36, 32, 8), (2.0, 1.9, 1.5), (3.0, -21.0, -35.0))
_OBLIQUE = stack((36, 31, 9), (2.0, 1.95, 1.5), (-2.0, -14.0, -28.0), (4.0, -2.0, 3.0))
_HRT2 = stack((38, 34, 10), (1.9, 1.8, 1.0), (1.0, -18.0, -40.0))
_SOURCE = {
    "1": Person(stack=_CET1, head=Head(tumour=schwannoma())),
    "2": Person(stack=_OBLIQUE, head=Head(tumour=schwannoma(0.8, (0.5, -0.5, 0.3)), side=-1)),
}
_TARGET = {
    "crossmoda_training/target_training/crossmoda_106": Person(
        stack=_HRT2, head=Head(tumour=schwannoma(1.1, (-0.5, 0.4, 0.0)))
    ),
    "crossmoda_validation/target_validation/crossmoda_211": Person(
        stack=_HRT2, head=Head(tumour=schwannoma(0.9), side=-1)
    ),
}


def make(folder: Path) -> None:
    """Write two labelled and two unlabelled cases of crossMoDA 2021 below ``folder``."""
    source = folder / "crossmoda_training" / "source_training"
    for number, person in _SOURCE.items():
        native.save(source / f"crossmoda_{number}_ceT1.nii.gz", person.scan("ceT1"))
        native.save(source / f"crossmoda_{number}_Label.nii.gz", person.labels())
    for case, person in _TARGET.items():
        native.save(folder / f"{case}_hrT2.nii.gz", person.scan("T2"))
