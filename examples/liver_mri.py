"""A dataset of your own: abdominal MRI with liver and tumor, in the layout of many challenges.

imagesTr/liver_001.nii.gz      labelsTr/liver_001.nii.gz
imagesTs/liver_014.nii.gz      (no label)
"""

from bidsify.dataset import Column, Dataset, Image, Naming, Segmentation, Terms
from bidsify.labels import label_table

DATASET = Dataset(
    name="liver_mri",
    title="Liver MRI of our clinic",
    edition="2026",
    layout="""
imagesTr/liver_001.nii.gz -> sub-001/anat/sub-001_T1w.nii.gz
labelsTr/liver_001.nii.gz -> sub-001/anat/sub-001_dseg.nii.gz
""",
    # What stands in braces is a field; a field is letters and digits unless you say otherwise.
    fields={"set": "Tr|Ts", "case": r"\d{3}"},
    naming=Naming(subject="{case}", source_id="liver_{case}"),
    columns={
        "split": Column(
            description="Folder of the source: Tr for training, Ts for test.", value="{set}"
        ),
    },
    products=(
        Image(
            name="mri",
            source=("images{set}/liver_{case}.nii[.gz]",),
            suffix="T1w",
            sidecar={"SkullStripped": False, "BodyPart": "LIVER", "Description": "T1-weighted."},
        ),
        Segmentation(
            source=("labels{set}/liver_{case}.nii[.gz]",),
            of=("mri",),
            labels=label_table(__file__),  # liver_mri.tsv beside this file
            absent_where={"set": "Ts"},
            sidecar={"Manual": True, "Description": "Liver and tumor."},
        ),
    ),
    authors=("Your Name",),
    citation="not published",
    source_url="https://example.org/liver",
    terms=Terms(
        licence="not stated",
        summary="For use within the clinic.",
        redistribution="forbidden",
        evidence="the head of the department",
    ),
)
