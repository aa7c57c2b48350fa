"""BraTS 2023 MEN: intracranial meningioma."""

from ..dataset import Dataset
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "MEN",
    name="brats2023men",
    title="BraTS 2023 MEN",
    edition="2023, meningioma",
    example="ASNR-MICCAI-BraTS2023-MEN-Challenge-TrainingData/BraTS-MEN-00000-000",
    subjects={"training": 1000},
    authors=("LaBella D.", "Adewole M.", "Alonso-Basanta M."),
    citation=("LaBella D. et al., arXiv:2305.07642 (2023)"),
    source_url=brats_sources.SYNAPSE_2023,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        brats.TRAP_ENHANCING,
        brats.TRAP_ORDER,
    ),
)
