"""Write the crossMoDA 2023 layout: three hospitals, and the tumour in two parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import cerebellopontine, native
from .cerebellopontine import Head, schwannoma, stack
from .crossmoda import Person

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: What the label values of these synthetic files mean. It is no fact about the distributed files:
#: for those the order of the two parts of the tumour is not known.
LABEL_TABLE = """\
index\tname\tabbreviation
0\tBackground\tBG
1\tExtra-meatal vestibular schwannoma\tEMVS
2\tIntra-meatal vestibular schwannoma\tIMVS
3\tCochlea\tCO
"""

_ETZ = stack((37, 32, 9), (1.95, 1.9, 1.5), (-1.0, -25.0, 12.0), (-3.0, 2.0, 4.0))
_LDN = stack((36, 33, 8), (2.0, 1.9, 1.5), (2.0, -20.0, -33.0))
_UKM = stack((34, 31, 7), (2.1, 2.0, 2.0), (0.5, -12.0, -20.0), (2.0, 5.0, -1.0))
_T2 = stack((38, 34, 10), (1.9, 1.8, 1.0), (1.0, -18.0, -40.0))
_SOURCE = {
    "crossmoda2023_etz_1": Person(
        stack=_ETZ, head=Head(tumour=schwannoma(1.1, (-0.4, 0.0, 0.2)), side=-1)
    ),
    "crossmoda2023_ldn_1": Person(stack=_LDN, head=Head(tumour=schwannoma())),
    "crossmoda2023_ukm_1": Person(
        stack=_UKM, head=Head(tumour=schwannoma(0.9, (0.2, 0.3, 0.1)), side=-1)
    ),
}
_TARGET = {
    "crossmoda23_training/TrainingTarget/crossmoda2023_etz_106": Person(
        stack=_T2, head=Head(tumour=schwannoma(0.9))
    ),
    "crossmoda23_training/TrainingTarget/crossmoda2023_ukm_60": Person(
        stack=_T2, head=Head(tumour=schwannoma(1.05, (0.0, 0.5, 0.0)), side=-1)
    ),
    "crossmoda23_validation/crossmoda2023_ldn_211": Person(
        stack=_T2, head=Head(tumour=schwannoma(0.85, (0.5, 0.0, -0.3)))
    ),
}


def make(folder: Path) -> None:
    """Write three labelled and three unlabelled cases of crossMoDA 2023 below ``folder``."""
    source = folder / "crossmoda23_training" / "TrainingSource"
    for name, person in _SOURCE.items():
        native.save(source / f"{name}_ceT1.nii.gz", person.scan("ceT1"))
        native.save(source / f"{name}_Label.nii.gz", person.encoded(_labels(person)))
    for case, person in _TARGET.items():
        native.save(folder / f"{case}_T2.nii.gz", person.scan("T2"))


def _labels(person: Person) -> NDArray[np.uint8]:
    (outside, inside), cochleae = cerebellopontine.parts(person.points(), person.head)
    return np.asarray(outside + 2 * inside + 3 * cochleae, dtype=np.uint8)
