"""Write the layout of BraTS 2019: graded training cases, validation cases without a grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import brats, native
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(endings=brats.UNTIL_2021, values=brats.VALUES_UNTIL_2021)
HIGH_GRADE = Case(
    name="BraTS19_CBICA_AAB_1",
    lesions=(Lesion(centre=(0.4, 0.3, 0.2), size=0.5),),
)
_LOW_GRADE = (
    Case(
        name="BraTS19_2013_0_1",
        lesions=(Lesion(centre=(-0.4, 0.1, 0.25), size=0.46, turn=-40),),
        lengths=(10.2, 11.6, 7.8),
        shift=(0.3, -0.2, 0.1),
    ),
    # Many tumours of low grade do not enhance.
    Case(
        name="BraTS19_TCIA13_630_1",
        lesions=(
            Lesion(centre=(0.45, -0.3, 0.1), size=0.5, parts=("oedema", "necrosis"), turn=70),
        ),
        lengths=(10.6, 11.2, 8.1),
    ),
)
_VALIDATION = Case(
    name="BraTS19_CBICA_AAM_1",
    lesions=(Lesion(centre=(-0.35, 0.4, 0.15), size=0.44, turn=10),),
    is_labelled=False,
)
_MAPPING = """\
Grade,BraTS_2017_subject_ID,BraTS_2018_subject_ID,TCGA_TCIA_subject_ID,BraTS_2019_subject_ID
HGG,Brats17_CBICA_AAB_1,Brats18_CBICA_AAB_1,NA,BraTS19_CBICA_AAB_1
LGG,Brats17_2013_0_1,Brats18_2013_0_1,NA,BraTS19_2013_0_1
LGG,NA,NA,TCGA-XX-0630,BraTS19_TCIA13_630_1
"""
_SURVIVAL = """\
BraTS19ID,Age,Survival,ResectionStatus
BraTS19_CBICA_AAB_1,57.82,342,GTR
"""


def make(folder: Path) -> None:
    """Write three training cases and one validation case of BraTS 2019 below ``folder``."""
    training = folder / "MICCAI_BraTS_2019_Data_Training"
    _EDITION.save(training / "HGG", [HIGH_GRADE])
    _EDITION.save(training / "LGG", _LOW_GRADE)
    native.save(training / "name_mapping.csv", _MAPPING)
    native.save(training / "survival_data.csv", _SURVIVAL)
    _EDITION.save(folder / "MICCAI_BraTS_2019_Data_Validation", [_VALIDATION])
