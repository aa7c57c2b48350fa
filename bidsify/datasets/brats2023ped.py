"""BraTS 2023 PED: paediatric brain tumours with three labels."""

from ..dataset import Dataset, Sign
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "PED",
    name="brats2023ped",
    title="BraTS 2023 PED",
    edition="2023, paediatric",
    example="ASNR-MICCAI-BraTS2023-PED-Challenge-TrainingData/BraTS-PED-00002-000",
    signs=(Sign(path="2023"),),
    subjects={"training": 99},
    authors=("Kazerooni A. F.", "Khalili N.", "Liu X."),
    citation=("Kazerooni A. F. et al., arXiv:2305.17033 (2023)"),
    source_url=brats_sources.SYNAPSE_2023,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        (
            "Three labels: 1 non-enhancing component, 2 edema, 3 enhancing tumour. The edition of "
            "2024 has four in another order, under the same file names: a label 4 tells."
        ),
    ),
)
