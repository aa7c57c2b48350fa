"""BraTS 2019: brain tumours, four contrasts; training cases lie below HGG/ or LGG/."""

from ..dataset import Column, Dataset, Naming
from ..families import brats, brats_sources
from ..patterns import Fields
from ..regions import region_table

CASE = "BraTS19_{institution}_{code}_{number}"
GRADE = "[{grade}/]"


def split(fields: Fields) -> str:
    """Return the set of a case: only training cases lie below a folder of their grade."""
    return "training" if fields.get("grade") else "validation"


DATASET = Dataset(
    name="brats2019",
    title="BraTS 2019",
    edition="2019",
    layout=brats.layout("HGG", "BraTS19_CBICA_AAB_1", "sub-CBICAAAB", brats.OLD),
    fields={
        "grade": "HGG|LGG",
        "institution": "[0-9A-Za-z]+",
        "code": "[0-9A-Za-z]+",
        "number": r"\d+",
    },
    naming=Naming(subject="{institution}{code}", source_id=CASE),
    columns={
        "split": Column(
            description="Set of the challenge.",
            levels={"training": "with labels", "validation": "labels were not published"},
            value=split,
        ),
        **brats.CLINICAL,
        "grade": Column(
            description="Grade of the glioma, the folder of the case: HGG high, LGG lower grade.",
            value="{grade}",
        ),
    },
    tables=brats.TABLES,
    products=brats.products(
        CASE,
        brats.OLD,
        brats.segmentation(
            __file__,
            brats.sources(CASE, "_seg", GRADE),
            absent_where={"grade": ""},
            suspects=(brats.NNUNET,),
        ),
        folder=GRADE,
    ),
    regions=region_table(__file__),
    ignored=brats.SIDE_FILES,
    bidsignore=("regions.tsv",),
    subjects={"training": 335, "validation": 125},
    authors=brats_sources.AUTHORS,
    citation=brats_sources.CITATION,
    source_url="https://www.med.upenn.edu/cbica/brats2019/tasks.html",
    terms=brats_sources.AGREEMENT,
    notes=(
        "All 335 training subjects are in the training set of BraTS 2020 too, under other names: "
        "do not pool the two editions without its name_mapping.csv."
    ),
    traps=(
        "Enhancing tumour is 4; 3 is not used. From 2023 on, enhancing tumour is 3.",
        "Files of the validation set lie in no folder HGG or LGG: their grade is not known.",
        "A source whose masks hold 3 and never 4 was converted for nnU-Net and is refused.",
    ),
)
