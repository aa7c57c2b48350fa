"""BraTS 2024 GLI: glioma after treatment, with the resection cavity as a fourth label."""

from ..dataset import Dataset, Sign
from ..families import brats, brats_sources

DATASET: Dataset = brats.by_time_point(
    __file__,
    "GLI",
    in_template=False,
    descriptions={
        "preproc": "Skull-stripped, registered and resampled to 1 mm by the organisers; sources do "
        "not agree on the template, so no space is stated."
    },
    name="brats2024",
    also=("brats2024gli", "brats2024-gli"),
    title="BraTS 2024 GLI",
    edition="2024, glioma after treatment",
    example="training_data1_v2/BraTS-GLI-00005-100",
    signs=(
        Sign(path=r"BraTS-GLI-\d{5}-1\d\d|BraTS2024|training_data1|training_data_additional"),
        Sign(label=4),
        Sign(shape=(182, 218, 182)),
    ),
    subjects={"training": 613},
    authors=("de Verdier M. C.", "Saluja R.", "Gagnon L.", "LaBella D."),
    citation=("de Verdier M. C. et al., arXiv:2405.18368 (2024)"),
    source_url=brats_sources.SYNAPSE_2024,
    terms=brats_sources.secondary("CC-BY-NC-4.0"),
    notes=(
        "Sessions are time points as the source numbers them, from 100 on. Split by subject, "
        "never by session. Whether a number means the same patient as in 2023 is not known."
    ),
    traps=(
        "4 is the resection cavity here, and enhancing tumour until 2022.",
        "1350 scans are of 613 patients with 1 to 10 time points.",
        "Few cases hold all four labels; an absent one is no fault.",
        (
            "The grid is 182 x 218 x 182; one source calls it SRI24, but it is that of MNI152: the "
            "files are named desc-preproc and no template is stated."
        ),
        "A guide that lists 1 as enhancing tumour is wrong.",
    ),
)
