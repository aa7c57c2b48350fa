"""BraTS 2023: adult glioma before treatment; names from here on hold a time point."""

from ..dataset import Dataset, Sign
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "GLI",
    name="brats2023",
    also=("brats2023gli",),
    title="BraTS 2023 GLI",
    edition="2023, adult glioma",
    example="ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData/BraTS-GLI-00000-000",
    signs=(Sign(path=r"BraTS-GLI-\d{5}-0\d\d|BraTS2023"), Sign(shape=(240, 240, 155))),
    subjects={"training": 1251, "validation": 219},
    authors=("Baid U.", "Ghodasara S.", "Mohan S.", "Bilello M.", "Bakas S."),
    citation=(
        "Baid U. et al., arXiv:2107.02314 (2021); Menze B. H. et al., IEEE Transactions on Medical "
        "Imaging 34(10):1993-2024 (2015), doi:10.1109/TMI.2014.2377694"
    ),
    source_url=brats_sources.SYNAPSE_2023,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        brats.TRAP_ENHANCING,
        (
            "Files of 2024 have the same names; time points from 100 on are after treatment. A "
            "label 4 or a grid of 182 x 218 x 182 tells them apart, and 2023 fails on the label 4."
        ),
        "The gzip headers of some files hold a name and a time; they are left out.",
    ),
)
