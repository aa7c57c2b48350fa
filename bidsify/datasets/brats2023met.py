"""BraTS 2023 MET: brain metastases."""

from ..dataset import Dataset
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "MET",
    name="brats2023met",
    title="BraTS 2023 MET",
    edition="2023, metastases",
    example="ASNR-MICCAI-BraTS2023-MET-Challenge-TrainingData/BraTS-MET-00002-000",
    subjects={"training": 238},
    authors=("Moawad A. W.", "Janas A.", "Baid U."),
    citation=("Moawad A. W. et al., arXiv:2306.00838 (2023)"),
    source_url=brats_sources.SYNAPSE_2023,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        brats.TRAP_ENHANCING,
        brats.TRAP_ORDER,
    ),
)
