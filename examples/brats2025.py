"""BraTS 2025, imagined: a further edition of a known family takes one entry and its tables.

Patterns, names, sidecars and traps come from the family; what is new are the name, the numbers,
the citation and what the labels mean. Check each of them against the release before use.
"""

from bidsify.dataset import Dataset
from bidsify.families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "GLI",
    in_template=False,
    name="brats2025",
    title="BraTS 2025 GLI",
    edition="2025, glioma before and after treatment",
    example="BraTS2025-GLI-TrainingData/BraTS-GLI-00005-100",
    subjects={},
    authors=("Organisers of BraTS 2025", "see their page"),
    citation="The publication that the organisers ask for",
    source_url="https://www.synapse.org",
    terms=brats_sources.TERMS,
    descriptions={"preproc": "Skull-stripped, registered and resampled by the organisers."},
)
