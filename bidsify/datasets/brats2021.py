"""BraTS 2021: brain tumours, four contrasts. BraTS 2022 published the same files again."""

from ..dataset import Dataset, Naming, SubjectTable
from ..families import brats, brats_sources
from ..regions import region_table

CASE = "BraTS2021_{number}"


DATASET = Dataset(
    name="brats2021",
    also=("brats2022",),
    title="BraTS 2021",
    edition="2021 (2022 published the same files)",
    layout=brats.layout(
        "RSNA_ASNR_MICCAI_BraTS2021_TrainingData", "BraTS2021_00000", "sub-00000", brats.OLD
    ),
    fields={"split": brats.SPLIT, "number": r"\d{5}"},
    naming=Naming(subject="{number}", source_id=CASE),
    columns={"split": brats.SPLIT_COLUMN},
    tables=(SubjectTable(source="*Mapping*.csv"),),
    products=brats.products(
        CASE,
        brats.OLD,
        brats.segmentation(
            __file__,
            brats.sources(CASE, "_seg", brats.SPLIT_FOLDER),
            absent_where={"split": "[Vv]al.*|[Tt]est.*"},
            suspects=(brats.NNUNET,),
        ),
        folder=brats.SPLIT_FOLDER,
    ),
    regions=region_table(__file__),
    ignored=brats.SIDE_FILES,
    bidsignore=("regions.tsv",),
    subjects={"training": 1251, "validation": 219, "testing": 570},
    authors=("Baid U.", "Ghodasara S.", "Mohan S.", "Bilello M.", "Bakas S."),
    citation=(
        "Baid U. et al., arXiv:2107.02314 (2021); Menze B. H. et al., IEEE Transactions on Medical "
        "Imaging 34(10):1993-2024 (2015), doi:10.1109/TMI.2014.2377694; Bakas S. et al., "
        "Scientific Data 4:170117 (2017), doi:10.1038/sdata.2017.117"
    ),
    source_url="https://www.synapse.org/#!Synapse:syn25829067",
    terms=brats_sources.secondary("CC-BY-NC-SA-4.0"),
    notes=(
        "BraTS 2022 added hidden test data only: its public files are these. Numbers of training "
        "and validation share one range and have gaps."
    ),
    traps=(
        "Enhancing tumour is 4; 3 is not used. From 2023 on, enhancing tumour is 3.",
        (
            "A mirror ships small archives whose files lie loose at the top: copies, each compared "
            "with the file in the folder of its case."
        ),
        "Not every case has all parts of the tumour; an absent part is no fault.",
        "A source whose masks hold 3 and never 4 was converted for nnU-Net and is refused.",
    ),
)
