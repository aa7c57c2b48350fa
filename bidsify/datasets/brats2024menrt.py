"""BraTS 2024 MEN-RT: meningioma before radiotherapy, one contrast in native space."""

from ..dataset import Dataset, Image, Naming, Segmentation
from ..families import brats, brats_sources
from ..labels import label_table

CASE = "BraTS-MEN-RT-{number}-{timepoint}"


DATASET = Dataset(
    name="brats2024menrt",
    title="BraTS 2024 MEN-RT",
    edition="2024, meningioma radiotherapy",
    layout="""
BraTS-MEN-RT-Train-v2/BraTS-MEN-RT-0402-1/BraTS-MEN-RT-0402-1_t1c.nii.gz
    -> sub-MENRT0402/ses-1/anat/sub-MENRT0402_ses-1_ce-gadolinium_T1w.nii.gz
BraTS-MEN-RT-Train-v2/BraTS-MEN-RT-0402-1/BraTS-MEN-RT-0402-1_gtv.nii.gz
    -> sub-MENRT0402/ses-1/anat/sub-MENRT0402_ses-1_dseg.nii.gz
""",
    fields={"number": r"\d{4}", "timepoint": r"\d+", "split": brats.SPLIT},
    naming=Naming(
        subject="MENRT{number}",
        source_id="BraTS-MEN-RT-{number}",
        session="{timepoint}",
        session_source_id=CASE,
    ),
    columns={"split": brats.SPLIT_COLUMN},
    products=(
        Image(
            name="t1ce",
            source=brats.sources(CASE, "_t1c", brats.SPLIT_FOLDER),
            suffix="T1w",
            entities={"ceagent": "gadolinium"},
            sidecar={
                "SkullStripped": False,
                "BodyPart": "BRAIN",
                "ContrastBolusIngredient": "GADOLINIUM",
                "Description": "T1-weighted image after a contrast agent, as acquired.",
            },
        ),
        Segmentation(
            source=brats.sources(CASE, "_gtv", brats.SPLIT_FOLDER),
            of=("t1ce",),
            labels=label_table(__file__),
            sidecar={"Description": "Gross tumour volume.", "SpatialReference": "orig"},
            absent_where={"split": "[Vv]al.*|[Tt]est.*"},
        ),
    ),
    ignored=brats.SIDE_FILES,
    subjects={"training": 500, "validation": 70},
    authors=("LaBella D.", "Schumacher K.", "Mix M."),
    citation="LaBella D. et al., arXiv:2405.18383 (2024)",
    source_url=brats_sources.SYNAPSE_2024,
    terms=brats_sources.secondary("CC-BY-NC-4.0"),
    notes="The heads are not skull-stripped: faces may be recognised. Treat as identifiable.",
    traps=(
        "Grids and voxel sizes vary; nothing is resampled.",
        "The time point is written without leading zeros here; it is kept as it is.",
        "Case 0402-1 was replaced in February 2025: check the date of a download.",
    ),
)
