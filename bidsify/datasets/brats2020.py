"""BraTS 2020: brain tumours, four contrasts; numbers of training and validation restart."""

from ..dataset import Dataset, Naming
from ..families import brats, brats_sources
from ..regions import region_table

CASE = "BraTS20_{split}_{number}"
LABELS = (
    *brats.sources(CASE, "_seg"),
    f"{CASE}/W39_1998.09.19_Segm.nii[.gz]",  # the mask of case 355 in the mirrors
)


DATASET = Dataset(
    name="brats2020",
    title="BraTS 2020",
    edition="2020",
    layout=brats.layout(
        "MICCAI_BraTS2020_TrainingData", "BraTS20_Training_001", "sub-Training001", brats.OLD
    )
    + """
BraTS20_Training_355/W39_1998.09.19_Segm.nii
    -> sub-Training355/anat/sub-Training355_space-SRI24_dseg.nii.gz
""",
    fields={"split": "Training|Validation|Testing", "number": r"\d{3}"},
    naming=Naming(subject="{split}{number}", source_id=CASE),
    columns={"split": brats.SPLIT_COLUMN, **brats.CLINICAL},
    tables=brats.TABLES,
    products=brats.products(
        CASE,
        brats.OLD,
        brats.segmentation(
            __file__,
            LABELS,
            absent_where={"split": "Validation|Testing"},
            suspects=(brats.NNUNET,),
        ),
    ),
    regions=region_table(__file__),
    ignored=brats.SIDE_FILES,
    bidsignore=("regions.tsv",),
    subjects={"training": 369, "validation": 125, "testing": 166},
    authors=brats_sources.AUTHORS,
    citation=brats_sources.CITATION,
    source_url="https://www.med.upenn.edu/cbica/brats2020/data.html",
    terms=brats_sources.AGREEMENT,
    notes=(
        "The 335 training subjects of BraTS 2019 are among these 369; participants.tsv has their "
        "names of that edition, from name_mapping.csv."
    ),
    traps=(
        "Enhancing tumour is 4; 3 is not used. From 2023 on, enhancing tumour is 3.",
        "Mirrors name the mask of case 355 W39_1998.09.19_Segm.nii; it is taken as its labels.",
        "Survival is not always a number: 'ALIVE (361 days later)' stays as it is.",
        "The column of ids is Brats20ID, BraTS20ID or BraTS_2020_subject_ID: found by content.",
        "Mirrors hold .nii and double the top folder; both are read.",
        "A source whose masks hold 3 and never 4 was converted for nnU-Net and is refused.",
    ),
)
