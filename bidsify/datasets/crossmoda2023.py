"""crossMoDA 2023: tumours in two parts; which integer is which part, sources do not agree."""

from ..dataset import Column, Dataset, Naming, SubjectTable, Terms
from ..families import crossmoda
from ..labels import UNSTATED

CASE = "crossmoda2023_{site}_{number}"

DATASET = Dataset(
    name="crossmoda2023",
    title="crossMoDA 2023",
    edition="2023",
    layout="""
TrainingSource/crossmoda2023_etz_1_ceT1.nii.gz
    -> sub-etz001/anat/sub-etz001_ce-gadolinium_T1w.nii.gz
TrainingSource/crossmoda2023_etz_1_Label.nii.gz -> sub-etz001/anat/sub-etz001_dseg.nii.gz
TrainingTarget/crossmoda2023_ldn_3_T2.nii.gz -> sub-ldn003/anat/sub-ldn003_acq-hr_T2w.nii.gz
""",
    fields=crossmoda.FIELDS,
    naming=Naming(subject="{site}{number:03}", source_id=CASE),
    columns={
        **crossmoda.COLUMNS,
        "center": Column(description="Centre.", levels=crossmoda.CENTERS, value="{site}"),
    },
    tables=(SubjectTable(source="infos*.csv"),),
    products=crossmoda.products(f"[*{{split}}*/][*{{domain}}*/]{CASE}", ("T2", "hrT2"), UNSTATED),
    subjects={"training": 522, "validation": 96},
    authors=crossmoda.AUTHORS,
    citation=crossmoda.CITATION,
    source_url="https://doi.org/10.1016/j.media.2022.102628",
    terms=Terms(
        licence="not established",
        summary="The terms of this edition were not seen; those of 2022 are CC-BY-NC-SA-4.0.",
        redistribution="unknown",
        evidence="none for this edition",
    ),
    notes=(
        "The label table was stated by whoever converted the dataset: the sources contradict "
        "each other on which integer is the intra- and which the extra-meatal part."
    ),
    traps=(
        crossmoda.TRAP_UNPAIRED,
        (
            "Give the label table with --label-table. The extra-meatal part is the larger one by "
            "far (27 against 1 cubic centimetres at most): compare volumes before you decide."
        ),
    ),
)
