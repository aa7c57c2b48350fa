"""BraTS 2023 SSA: adult glioma from Sub-Saharan Africa."""

from ..dataset import Dataset
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "SSA",
    name="brats2023ssa",
    title="BraTS 2023 SSA",
    edition="2023, Sub-Saharan Africa",
    example="ASNR-MICCAI-BraTS2023-SSA-Challenge-TrainingData/BraTS-SSA-00002-000",
    subjects={"training": 60, "validation": 15},
    authors=("Adewole M.", "Rudie J. D.", "Gbadamosi A."),
    citation=("Adewole M. et al., arXiv:2305.19369 (2023)"),
    source_url=brats_sources.SYNAPSE_2023,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        brats.TRAP_ENHANCING,
        brats.TRAP_ORDER,
    ),
)
