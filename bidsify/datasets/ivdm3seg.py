"""IVDM3Seg: Dixon MRI of the lower spine with intervertebral discs (MICCAI challenge 2018)."""

from ..dataset import Dataset, Image, Naming, Segmentation, Terms
from ..labels import label_table

CONTRASTS = {
    "fat": ("fat", "Fat image of a Dixon acquisition."),
    "inn": ("inphase", "In-phase image of a Dixon acquisition."),
    "opp": ("outphase", "Opposed-phase image of a Dixon acquisition."),
    "wat": ("water", "Water image of a Dixon acquisition."),
}


def image(name: str, reconstruction: str, text: str) -> Image:
    """Return one of the four reconstructions."""
    return Image(
        name=name,
        source=(f"{{case}}/{{case}}_{name}.nii[.gz]", f"{{case}}_{name}.nii[.gz]"),
        suffix="T1w",
        entities={"acquisition": "dixon", "reconstruction": reconstruction},
        sidecar={
            "SkullStripped": False,
            "BodyPart": "SPINE",
            "Description": f"{text} The source does not state the weighting; T1w is a choice.",
        },
    )


DATASET = Dataset(
    name="ivdm3seg",
    title="IVDM3Seg",
    edition="2018",
    layout="""
Training/01/01_fat.nii     -> sub-01/anat/sub-01_acq-dixon_rec-fat_T1w.nii.gz
Training/01/01_inn.nii     -> sub-01/anat/sub-01_acq-dixon_rec-inphase_T1w.nii.gz
Training/01/01_opp.nii     -> sub-01/anat/sub-01_acq-dixon_rec-outphase_T1w.nii.gz
Training/01/01_wat.nii     -> sub-01/anat/sub-01_acq-dixon_rec-water_T1w.nii.gz
Training/01/01_Labels.nii  -> sub-01/anat/sub-01_acq-dixon_dseg.nii.gz
dataset/, label/           -> copies of the same files, compared and left out
""",
    fields={"case": "0[1-9]|1[0-6]"},
    naming=Naming(subject="{case}", source_id="{case}"),
    products=(
        *(image(name, rec, text) for name, (rec, text) in CONTRASTS.items()),
        Segmentation(
            source=("{case}/{case}_Labels.nii[.gz]", "{case}_Labels.nii[.gz]"),
            of=tuple(CONTRASTS),
            labels=label_table(__file__),
            entities={"acquisition": "dixon"},
            may_be_empty=False,
            sidecar={"Description": "All intervertebral discs as one label."},
        ),
    ),
    subjects={"": 16},
    authors=("Zheng G.", "Belavy D.", "Li S."),
    citation=(
        "Computational Methods and Clinical Applications for Spine Imaging, CSI 2018, "
        "LNCS 11397, doi:10.1007/978-3-030-13736-6_14"
    ),
    source_url="https://ivdm3seg.weebly.com/",
    terms=Terms(
        licence="IVDM3Seg access agreement; licence text not known",
        summary="Access by a signed form; third parties treat the data as not redistributable.",
        redistribution="unknown",
        evidence="the access form on the challenge page; its text was not available",
    ),
    notes=(
        "A subject here is a case of the source. The 16 cases are 8 people at 2 points in time, "
        "but which belong together is not published: do not count them as 16 people."
    ),
    traps=(
        (
            "The label of case 16 lies on another grid than its images; it is kept as stored and "
            "its sidecar says GridDiffersFromSources."
        ),
        "The folders dataset/ and label/ repeat the files; each copy is compared.",
        "Labels hold all discs as 1; discs are not told apart.",
    ),
)
