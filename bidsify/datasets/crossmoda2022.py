"""crossMoDA 2022: as 2021, with cases of a second centre."""

from ..dataset import Column, Dataset, Naming, SubjectTable
from ..families import crossmoda
from ..labels import label_table

CASE = "crossmoda{year}_{site}_{number}"

DATASET = Dataset(
    name="crossmoda2022",
    title="crossMoDA 2022",
    edition="2022",
    layout="""
training_source/crossmoda2021_ldn_1_ceT1.nii.gz
    -> sub-ldn001/anat/sub-ldn001_ce-gadolinium_T1w.nii.gz
training_source/crossmoda2021_ldn_1_Label.nii.gz -> sub-ldn001/anat/sub-ldn001_dseg.nii.gz
training_target/crossmoda2022_etz_105_hrT2.nii.gz
    -> sub-etz105/anat/sub-etz105_acq-hr_T2w.nii.gz
""",
    fields={**crossmoda.FIELDS, "year": "2021|2022"},
    naming=Naming(subject="{site}{number:03}", source_id=CASE),
    columns={
        **crossmoda.COLUMNS,
        "center": Column(description="Centre.", levels=crossmoda.CENTERS, value="{site}"),
        "koos": Column(
            description="Koos grade of the tumour, or 'post-operative-london', as in the source."
        ),
    },
    tables=(SubjectTable(source="infos*.csv"),),
    products=crossmoda.products(
        f"[*{{split}}*/][*{{domain}}*/]{CASE}", ("hrT2", "T2"), label_table(__file__)
    ),
    subjects={"training": 420, "validation": 64},
    authors=crossmoda.AUTHORS,
    citation=crossmoda.CITATION,
    source_url="https://doi.org/10.5281/zenodo.6504722",
    source_doi="10.5281/zenodo.6504722",
    terms=crossmoda.LICENSED,
    notes=(
        "Cases crossmoda2021_ldn_N are crossmoda_N of the edition of 2021, and people of "
        "Vestibular-Schwannoma-SEG: do not pool them."
    ),
    traps=(
        crossmoda.TRAP_UNPAIRED,
        (
            "Masks of Tilburg decode to 0.9999999997671694 instead of 1; cut off, the tumour is "
            "gone. Values within a thousandth of a whole number are rounded, others refused."
        ),
    ),
)
