"""MyoPS 2020: bSSFP, LGE and T2w cardiac MRI with scar and edema (MICCAI challenge)."""

from ..dataset import Column, Dataset, Ignored, Naming
from ..families import myops
from ..patterns import Fields
from ..regions import region_table

CASE = "myops_{split}_{case}"


def split(fields: Fields) -> str:
    """Return the set of a case: numbers from 201 on, whatever copies call them."""
    return "test" if str(fields["case"]).startswith("2") else "training"


DATASET = Dataset(
    name="myops2020",
    title="MyoPS 2020",
    edition="2020",
    layout="""
train25/myops_training_101_C0.nii.gz  -> sub-101/anat/sub-101_acq-bSSFP_desc-preproc_T2w.nii.gz
train25/myops_training_101_DE.nii.gz
    -> sub-101/anat/sub-101_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz
train25/myops_training_101_T2.nii.gz  -> sub-101/anat/sub-101_acq-T2w_desc-preproc_T2w.nii.gz
train25_myops_gd/myops_training_101_gd.nii.gz  -> sub-101/anat/sub-101_dseg.nii.gz
""",
    fields={"split": "training|test", "case": r"\d{3}"},
    naming=Naming(subject="{case}", source_id=CASE),
    columns={
        "split": Column(
            description="Set of the challenge.",
            levels={"training": "with labels", "test": "labels are encrypted"},
            value=split,
        ),
    },
    products=myops.products(
        __file__,
        CASE,
        labels=f"{CASE}_gd.nii[.gz]",
        late=("DE", "LGE"),
        absent={},
        labels_absent={"case": r"2\d\d"},
    ),
    regions=region_table(__file__),
    ignored=(
        Ignored(source="*encrypt*", reason="encrypted labels, for the organisers' program only"),
        Ignored(source="readme.txt", reason="text for human readers"),
        Ignored(source="zhxCardMyoPSEvaluate*", reason="the organisers' program"),
    ),
    bidsignore=("regions.tsv",),
    descriptions=myops.DESCRIPTIONS,
    subjects={"training": 25, "test": 20},
    authors=myops.AUTHORS,
    citation=myops.CITATION,
    source_url=myops.HOME,
    terms=myops.terms("the readme of the download, as quoted by others"),
    traps=(
        "Values reach 2221: an 8-bit copy holds 244, 88, 196, 173 instead and is refused.",
        "The native suffix of LGE is _DE; _LGE is used by copies. Both are read, and compared.",
        "Edema is 1220 outside of the scar; the challenge scores edema and scar together: ES.",
        "Labels of the test set are encrypted and never converted.",
    ),
)
