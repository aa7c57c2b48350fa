"""BraTS 2024 PED: paediatric brain tumours with four labels."""

from ..dataset import Dataset, Sign
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "PED",
    name="brats2024ped",
    title="BraTS 2024 PED",
    edition="2024, paediatric",
    example="BraTS-PEDs2024_Training/BraTS-PED-00001-000",
    signs=(Sign(path="2024"), Sign(label=4)),
    subjects={},
    authors=("Kazerooni A. F.", "Khalili N.", "Liu X."),
    citation=("Kazerooni A. F. et al., arXiv:2404.15009 (2024)"),
    source_url=brats_sources.SYNAPSE_2024,
    terms=brats_sources.TERMS,
    notes=brats.NOTE_TIME_POINTS,
    traps=(
        (
            "Four labels: 1 enhancing tumour, 2 non-enhancing tumour, 3 cyst, 4 edema. The "
            "edition of 2023 has three in another order, under the same file names."
        ),
        "The number of cases was not established.",
    ),
)
