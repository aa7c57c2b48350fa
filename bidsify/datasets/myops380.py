"""MyoPS380: bSSFP, LGE and T2w cardiac MRI with myocardial pathology (Renji Hospital)."""

from ..dataset import Column, Dataset, Ignored, Image, Naming, Segmentation, Terms
from ..labels import label_table
from ..patterns import Fields

COMMON = {"SkullStripped": False, "BodyPart": "HEART", "InstitutionName": "Renji Hospital"}
TEST_EVERY = 5


def split(fields: Fields) -> str:
    """Return the split of the authors' code: each fifth case from the first is a test case."""
    return "test" if (int(fields["case"] or 0) - 1) % TEST_EVERY == 0 else "train"


DATASET = Dataset(
    name="myops380",
    title="MyoPS380",
    edition="2025",
    layout="""
Raw_data/bSSFP/case0001.nii.gz     -> sub-0001/anat/sub-0001_acq-bSSFP_desc-preproc_T2w.nii.gz
Raw_data/LGE/case0001.nii.gz
    -> sub-0001/anat/sub-0001_acq-LGE_ce-gadolinium_desc-preproc_T1w.nii.gz
Raw_data/T2w/case0001.nii.gz       -> sub-0001/anat/sub-0001_acq-T2w_desc-preproc_T2w.nii.gz
Raw_data/label/case0001_gt.nii.gz  -> sub-0001/anat/sub-0001_dseg.nii.gz
""",
    fields={"case": r"\d{4}"},
    naming=Naming(subject="{case}", source_id="case{case}"),
    columns={
        "split": Column(
            description="Split of the authors' code: each fifth case is a test case.",
            levels={"train": "training case", "test": "test case"},
            value=split,
        ),
    },
    products=(
        Image(
            name="bSSFP",
            source=("bSSFP/case{case}.nii[.gz]",),
            suffix="T2w",
            entities={"acquisition": "bSSFP", "description": "preproc"},
            sidecar={
                **COMMON,
                "Description": "Balanced SSFP frame, registered and cropped by the authors.",
                "PulseSequenceType": "bSSFP",
                "PulseSequenceDetails": "T2/T1-weighted; T2w is the nearest suffix that BIDS has.",
            },
        ),
        Image(
            name="LGE",
            source=("LGE/case{case}.nii[.gz]",),
            suffix="T1w",
            entities={"acquisition": "LGE", "ceagent": "gadolinium", "description": "preproc"},
            sidecar={
                **COMMON,
                "Description": "Late gadolinium enhancement, registered by the authors.",
                "PulseSequenceType": "LGE",
                "ContrastBolusIngredient": "GADOLINIUM",
            },
        ),
        Image(
            name="T2w",
            source=("T2w/case{case}.nii[.gz]",),
            suffix="T2w",
            entities={"acquisition": "T2w", "description": "preproc"},
            sidecar={
                **COMMON,
                "Description": "T2-weighted image, registered and cropped by the authors.",
            },
        ),
        Segmentation(
            source=("label/case{case}_gt.nii[.gz]",),
            of=("bSSFP", "LGE", "T2w"),
            labels=label_table(__file__),
            coding="source_value",
            sidecar={"Manual": True, "Description": "Myocardium and its pathology."},
        ),
    ),
    ignored=(
        Ignored(
            source="Process[ed]_data/*/*/case{case}*",
            reason="slices that the authors derived from Raw_data, scaled to [0, 1]",
        ),
    ),
    descriptions={
        "preproc": "Resampled, registered to one grid, cropped and scaled to 0-255 by the authors."
    },
    subjects={"": 380},
    authors=("Fang et al.", "Renji Hospital, Shanghai Jiao Tong University"),
    citation=(
        "Fang et al., Incorporating modality-specific intensity prior as text prompt for "
        "multimodal myocardial pathology segmentation, Medical Image Analysis (2026), "
        "doi:10.1016/j.media.2026.104072"
    ),
    source_url="https://github.com/zzzzzzl24/I_MMSeg",
    terms=Terms(
        licence="MyoPS380 Dataset Release Agreement (signed, no redistribution)",
        summary=(
            "Academic and non-commercial use after a signed agreement. No redistribution in any "
            "form, modified or not, not even within an institution; no raw image may be shown "
            "or published; citation required."
        ),
        redistribution="forbidden",
        evidence="the release agreement in the authors' repository",
    ),
    description_extra={
        "EthicsApprovals": ["Renji Hospital, Approval No. [2018]093"],
        "GeneratedBy": [{"Name": "Manual", "Description": "Labels drawn by the dataset authors."}],
    },
    traps=(
        "Affines are the identity and the unit is unknown: voxel sizes are not measured.",
        "Labels are stored as floats; they are checked to be whole numbers.",
        "Label 3 is edema outside the scar; the paper's figures call the union of 2 and 3 edema.",
        "Caches of other projects swap 2 and 3; the integers alone do not tell.",
    ),
)
