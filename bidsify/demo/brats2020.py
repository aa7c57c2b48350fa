"""Write the layout of BraTS 2020 as its mirror has it: plain files, each top folder twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import brats, brats2019, native
from .brain import Lesion
from .brats import Case, Edition

if TYPE_CHECKING:
    from pathlib import Path

_EDITION = Edition(endings=brats.UNTIL_2021, values=brats.VALUES_UNTIL_2021)
_TRAINING = (
    # The edition of 2020 contains the patients of 2019.
    replace(brats2019.HIGH_GRADE, name="BraTS20_Training_001"),
    Case(
        name="BraTS20_Training_002",
        lesions=(Lesion(centre=(-0.42, -0.2, 0.2), size=0.5, turn=-20),),
        lengths=(10.3, 11.4, 8.0),
        shift=(-0.2, 0.2, 0.0),
        label_type=np.float32,
    ),
    Case(
        name="BraTS20_Training_355",
        lesions=(Lesion(centre=(0.36, 0.1, 0.35), size=0.42, turn=60),),
        lengths=(10.6, 11.3, 7.9),
    ),
)
_VALIDATION = Case(
    name="BraTS20_Validation_001",
    lesions=(Lesion(centre=(0.45, 0.2, 0.0), size=0.45, turn=-65),),
    is_labelled=False,
)
# One mask has kept the name from its hospital.
_RENAMED = {"BraTS20_Training_355_seg.nii": "W39_1998.09.19_Segm.nii"}
_EARLIER = "BraTS_2017_subject_ID,BraTS_2018_subject_ID,TCGA_TCIA_subject_ID,BraTS_2019_subject_ID"
_TABLES = {
    "Training/name_mapping.csv": f"""\
Grade,{_EARLIER},BraTS_2020_subject_ID
HGG,Brats17_CBICA_AAB_1,Brats18_CBICA_AAB_1,NA,BraTS19_CBICA_AAB_1,BraTS20_Training_001
HGG,NA,NA,NA,NA,BraTS20_Training_002
LGG,NA,NA,NA,NA,BraTS20_Training_355
""",
    "Training/survival_info.csv": """\
Brats20ID,Age,Survival_days,Extent_of_Resection
BraTS20_Training_001,57.82,342,GTR
BraTS20_Training_002,49.35,ALIVE (361 days later),STR
""",
    "Validation/name_mapping_validation_data.csv": f"""\
{_EARLIER},BraTS_2020_subject_ID
NA,NA,NA,NA,BraTS20_Validation_001
""",
    "Validation/survival_evaluation.csv": """\
BraTS20ID,Age,ResectionStatus
BraTS20_Validation_001,63.47,GTR
""",
}


def make(folder: Path) -> None:
    """Write three training cases and one validation case of BraTS 2020 below ``folder``."""
    for case in (*_TRAINING, _VALIDATION):
        root = _root(folder, "Training" if case.is_labelled else "Validation")
        for name, content in _EDITION.files(case).items():
            native.save(root / case.name / _RENAMED.get(name, name), content)
    for path, table in _TABLES.items():
        split, name = path.split("/")
        native.save(_root(folder, split) / name, table)


def _root(folder: Path, split: str) -> Path:
    return folder / f"BraTS2020_{split}Data" / f"MICCAI_BraTS2020_{split}Data"
