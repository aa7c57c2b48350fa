"""crossMoDA 2021: vestibular schwannoma and cochlea in ceT1, and T2 without labels."""

from ..dataset import Column, Dataset, Naming
from ..families import crossmoda
from ..labels import label_table

DATASET = Dataset(
    name="crossmoda2021",
    title="crossMoDA 2021",
    edition="2021",
    layout="""
source_training/crossmoda_1_ceT1.nii.gz  -> sub-ldn001/anat/sub-ldn001_ce-gadolinium_T1w.nii.gz
source_training/crossmoda_1_Label.nii.gz -> sub-ldn001/anat/sub-ldn001_dseg.nii.gz
target_training/crossmoda_106_hrT2.nii.gz -> sub-ldn106/anat/sub-ldn106_acq-hr_T2w.nii.gz
""",
    fields=crossmoda.FIELDS,
    naming=Naming(subject="ldn{number:03}", source_id="crossmoda_{number}"),
    columns={
        **crossmoda.COLUMNS,
        "center": Column(
            description="Centre; all cases of this edition are from London.",
            levels=crossmoda.CENTERS,
            value="ldn",
        ),
    },
    products=crossmoda.products(
        "[{domain}_{split}/]crossmoda_{number}", ("hrT2",), label_table(__file__)
    ),
    subjects={"training": 210, "validation": 32},
    authors=crossmoda.AUTHORS,
    citation=crossmoda.CITATION,
    source_url="https://doi.org/10.5281/zenodo.6504722",
    source_doi="10.5281/zenodo.6504722",
    terms=crossmoda.LICENSED,
    notes=(
        "Case N is crossmoda2021_ldn_N of the edition of 2022, and its people are also in "
        "Vestibular-Schwannoma-SEG, under numbers that were not published: do not pool them."
    ),
    traps=(crossmoda.TRAP_UNPAIRED,),
)
