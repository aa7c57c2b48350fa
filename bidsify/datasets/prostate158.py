"""Prostate158: prostate MRI with zones and lesions, drawn by one or two readers."""

from ..dataset import Column, Dataset, Ignored, Image, Naming, Segmentation, SubjectTable, Terms
from ..labels import label_table
from ..patterns import Fields

CASE = "{split}/{case}/"
COMMON = {
    "SkullStripped": False,
    "BodyPart": "PROSTATE",
    "Manufacturer": "Siemens",
    "MagneticFieldStrength": 3.0,
}
PREPROC = {"description": "preproc"}
LISTS = {"train": "train.csv", "valid": "valid.csv", "test": "test.csv"}
#: Cases of the published valid.csv; in the download they lie beside the training cases.
VALID = {20, 21, 22, 23, 38, 41, 46, 47, 51, 56, 60, 61, 77, 84, 87, 99, 109, 114, 118, 127}


def split(fields: Fields) -> str:
    """Return the set of a case: the folder train/ holds the validation cases too."""
    if fields["split"] == "train" and int(fields["case"] or 0) in VALID:
        return "valid"
    return str(fields["split"])


def drawn(file: str, name: str, of: str, text: str, **more: str) -> Segmentation:
    """Return the masks that readers drew on an image."""
    return Segmentation(
        source=(f"{CASE}{file}_reader{{reader}}.nii[.gz]",),
        of=(of,),
        labels=label_table(__file__, name),
        coding=None if name == "zones" else "source_value",
        entities={"segmentation": name, "description": "reader{reader}"},
        is_optional=name != "zones",
        states={} if name == "zones" else {"lesion": "present"},
        sidecar={"Manual": True, "Description": text},
        **more,  # type: ignore[arg-type]
    )


DATASET = Dataset(
    name="prostate158",
    title="Prostate158",
    edition="2022",
    layout="""
train/024/t2.nii.gz   -> sub-024/anat/sub-024_desc-preproc_T2w.nii.gz
train/024/adc.nii.gz  -> sub-024/dwi/sub-024_desc-preproc_ADC.nii.gz
train/024/dwi.nii.gz  -> sub-024/dwi/sub-024_desc-preproc_trace.nii.gz
train/024/t2_anatomy_reader1.nii.gz
    -> sub-024/anat/sub-024_seg-zones_desc-reader1_dseg.nii.gz
train/024/t2_tumor_reader1.nii.gz
    -> sub-024/anat/sub-024_seg-tumorT2w_desc-reader1_dseg.nii.gz
train/024/adc_tumor_reader1.nii.gz
    -> sub-024/dwi/sub-024_seg-tumorADC_desc-reader1_dseg.nii.gz
train/020/empty.nii.gz -> lesion "none" in participants.tsv
""",
    fields={"split": "train|valid|test", "case": r"\d{1,3}", "reader": r"\d"},
    naming=Naming(subject="{case:03}", source_id="{case:03}"),
    columns={
        "split": Column(
            description="Set of the publication.",
            levels={"train": "training", "valid": "validation", "test": "test, read twice"},
            value=split,
        ),
        "lesion": Column(
            description="Whether the readers found a lesion; n/a where files contradict.",
            levels={
                "present": "there are masks of lesions",
                "none": "the source ships an empty mask: a negative, not a missing mask",
            },
            value="{lesion}",
        ),
    },
    tables=tuple(
        SubjectTable(source=name, states={"split": part}, is_list=True)
        for part, name in LISTS.items()
    ),
    products=(
        Image(
            name="t2",
            source=(f"{CASE}t2.nii[.gz]",),
            suffix="T2w",
            entities=PREPROC,
            sidecar={**COMMON, "Description": "T2-weighted image."},
        ),
        Image(
            name="adc",
            source=(f"{CASE}adc.nii[.gz]",),
            datatype="dwi",
            suffix="ADC",
            entities=PREPROC,
            sidecar={**COMMON, "Description": "Apparent diffusion coefficient."},
        ),
        Image(
            name="dwi",
            source=(f"{CASE}dwi.nii[.gz]",),
            datatype="dwi",
            suffix="trace",
            entities=PREPROC,
            sidecar={
                **COMMON,
                "Description": "Diffusion-weighted image of the high b-value, which is not stated.",
            },
        ),
        drawn("t2_anatomy", "zones", "t2", "Zones of the prostate."),
        drawn("t2_tumor", "tumorT2w", "t2", "Lesions, drawn on the T2-weighted image."),
        drawn("adc_tumor", "tumorADC", "adc", "Lesions, drawn on the ADC map.", datatype="dwi"),
    ),
    ignored=(
        Ignored(
            source=f"{CASE}empty.nii[.gz]",
            reason="an empty mask says that the case has no lesion: participants.tsv, lesion",
            states={"lesion": "none"},
            is_empty_mask=True,
        ),
        Ignored(source="interrater.csv", reason="measures of agreement, not data of a subject"),
    ),
    descriptions={
        "preproc": "Resampled to the grid of the T2-weighted image and cropped by the authors.",
        "reader1": "Drawn by the first reader.",
        "reader2": "Drawn by the second reader.",
    },
    subjects={"train": 119, "valid": 20, "test": 19},
    authors=("Adams L. C.", "Makowski M. R.", "Engel G.", "Bressem K. K."),
    citation=(
        "Adams L. C. et al., Prostate158, Computers in Biology and Medicine 148:105817 (2022), "
        "doi:10.1016/j.compbiomed.2022.105817; data: doi:10.5281/zenodo.6481141, "
        "doi:10.5281/zenodo.6592345"
    ),
    source_url="https://doi.org/10.5281/zenodo.6481141",
    source_doi="10.5281/zenodo.6481141",
    terms=Terms(
        licence="not established; read the Zenodo record",
        summary="The licence of the data was not found in any copy that was seen.",
        redistribution="unknown",
        evidence="none",
    ),
    traps=(
        "Lesions are 3 in the T2 masks and 1 in the ADC masks; both become 1, see source_value.",
        (
            "empty.nii.gz is a negative: the readers found no lesion. It becomes the column lesion "
            "of participants.tsv, and no mask."
        ),
        "Masks of T2 and ADC differ in extent, and so do the readers: none are merged.",
        "Label 1 of the zones is the central gland (central and transition zone), not TZ alone.",
        "Masks are stored as floats; they are checked to be whole numbers.",
        "The csv files write case 024 as 24; validation cases lie in the folder train/.",
    ),
)
