"""MyoPS++ (CARE 2024): cardiac MRI of several centres, some without all sequences."""

from ..dataset import Column, Dataset, Ignored, Naming
from ..families import myops
from ..regions import region_table

STEM = "[Center{center}/]Case{case}/Case{case}"


DATASET = Dataset(
    name="myopspp",
    title="MyoPS++ (CARE 2024)",
    edition="2024",
    layout="""
CenterB/Case2001/Case2001_C0.nii.gz   -> sub-2001/anat/sub-2001_acq-bSSFP_desc-preproc_T2w.nii.gz
CenterB/Case2001/Case2001_LGE.nii.gz
    -> sub-2001/anat/sub-2001_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz
CenterB/Case2001/Case2001_T2.nii.gz   -> sub-2001/anat/sub-2001_acq-T2w_desc-preproc_T2w.nii.gz
CenterB/Case2001/Case2001_gd.nii.gz   -> sub-2001/anat/sub-2001_dseg.nii.gz
""",
    fields={"center": "[A-H]", "case": r"\d{4}"},
    naming=Naming(subject="{case}", source_id="Case{case}"),
    columns={
        "center": Column(description="Centre of the challenge, a letter.", value="{center}"),
    },
    products=myops.products(
        __file__,
        STEM,
        labels=f"{STEM}_gd.nii[.gz]",
        late=("LGE", "DE"),
        absent={"bSSFP": {"center": "A"}, "T2w": {"center": "[AEFG]"}},
        labels_absent={},
    ),
    regions=region_table(__file__),
    ignored=(
        Ignored(source="*encrypt*", reason="encrypted labels, for the organisers' program only"),
        Ignored(source="readme*", reason="text for human readers"),
    ),
    bidsignore=("regions.tsv",),
    descriptions=myops.DESCRIPTIONS,
    subjects={"": 200},
    authors=myops.AUTHORS,
    citation=myops.CITATION,
    source_url=myops.HOME,
    terms=myops.terms("none for this edition"),
    notes=(
        "Sequences are missing by design: centre A has LGE alone, so its labels tell nothing of "
        "edema and blood pools; E, F and G have no T2w."
    ),
    traps=(
        "Values reach 2221: an 8-bit copy holds 244, 88, 196, 173 instead and is refused.",
        "An absent label in a centre without the sequence that shows it is no negative.",
    ),
)
