"""CHAOS: abdominal CT and MRI with organs (ISBI challenge 2019)."""

from dataclasses import replace

from ..dataset import Column, Dataset, Ignored, Image, Naming, Segmentation, Suspect, Terms
from ..labels import label_table

SET = "[{split}_Sets/]"
CT = Naming(subject="CT{case:02}", source_id=SET + "CT/{case}")
MR = Naming(subject="MR{case:02}", source_id=SET + "MR/{case}")
LABELS = label_table(__file__)
WITHOUT_MASKS = {"split": "Test"}
DRAFT = Suspect(
    values=(80, 160),
    unless=(63, 126, 189, 252),
    reason=(
        "80, 160, 240, 255 is the coding of an early copy, in which 240 is another organ than in "
        "the release: get the release of Zenodo"
    ),
)


def mr_image(name: str, folder: str, suffix: str, entities: dict[str, str], text: str) -> Image:
    """Return an MR series."""
    return Image(
        name=name,
        naming=MR,
        source=(SET + "MR/{case}/" + folder + "/*.dcm",),
        reader="dicom",
        suffix=suffix,
        entities=entities,
        sidecar={"SkullStripped": False, "BodyPart": "ABDOMEN", "Description": text},
    )


def organs(naming: Naming, folder: str, of: str, acquisition: str) -> Segmentation:
    """Return the masks of a series; the test sets have none."""
    return Segmentation(
        naming=naming,
        source=(SET + folder + "/Ground/*.png",),
        reader="png",
        of=(of,),
        labels=LABELS,
        entities={"acquisition": acquisition},
        absent_where=WITHOUT_MASKS,
        sidecar={"Description": "Organs of the abdomen; in CT the liver alone."},
    )


DATASET = Dataset(
    name="chaos",
    title="CHAOS",
    edition="2019",
    layout="""
Train_Sets/CT/1/DICOM_anon/*.dcm                 -> sub-CT01/ct/sub-CT01_acq-portal_ct.nii.gz
Train_Sets/CT/1/Ground/*.png                     -> sub-CT01/ct/sub-CT01_acq-portal_dseg.nii.gz
Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase/*.dcm
    -> sub-MR01/anat/sub-MR01_acq-T1DUAL_rec-inphase_T1w.nii.gz
Train_Sets/MR/1/T1DUAL/DICOM_anon/OutPhase/*.dcm
    -> sub-MR01/anat/sub-MR01_acq-T1DUAL_rec-outphase_T1w.nii.gz
Train_Sets/MR/1/T1DUAL/Ground/*.png              -> sub-MR01/anat/sub-MR01_acq-T1DUAL_dseg.nii.gz
Train_Sets/MR/1/T2SPIR/DICOM_anon/*.dcm          -> sub-MR01/anat/sub-MR01_acq-T2SPIR_T2w.nii.gz
Train_Sets/MR/1/T2SPIR/Ground/*.png              -> sub-MR01/anat/sub-MR01_acq-T2SPIR_dseg.nii.gz
""",
    fields={"split": "Train|Test", "case": r"\d+"},
    naming=CT,
    columns={
        "split": Column(
            description="Set of the challenge.",
            levels={"Train": "with masks", "Test": "without masks"},
            value="{split}",
        ),
    },
    products=(
        Image(
            name="portal",
            naming=CT,
            source=(SET + "CT/{case}/DICOM_anon/*.dcm",),
            reader="dicom",
            datatype="ct",
            suffix="ct",
            entities={"acquisition": "portal"},
            plausible=(-2048, 4095),  # what CT scanners store; metal apart
            sidecar={
                "BodyPart": "ABDOMEN",
                "Units": "HU",
                "Description": "CT in the portal venous phase, in Hounsfield units.",
            },
        ),
        mr_image(
            "inphase",
            "T1DUAL/DICOM_anon/InPhase",
            "T1w",
            {"acquisition": "T1DUAL", "reconstruction": "inphase"},
            "In-phase image of a T1-weighted dual-echo acquisition.",
        ),
        mr_image(
            "outphase",
            "T1DUAL/DICOM_anon/OutPhase",
            "T1w",
            {"acquisition": "T1DUAL", "reconstruction": "outphase"},
            "Out-of-phase image of a T1-weighted dual-echo acquisition.",
        ),
        mr_image(
            "T2SPIR",
            "T2SPIR/DICOM_anon",
            "T2w",
            {"acquisition": "T2SPIR"},
            "T2-weighted image with fat suppression (SPIR).",
        ),
        replace(
            organs(CT, "CT/{case}", "portal", "portal"),
            datatype="ct",
            coding="source_value_ct",
            pairing="rank",
            may_be_empty=False,
        ),
        *(
            replace(
                organs(MR, "MR/{case}/" + name, of, name), coding="source_value", suspects=(DRAFT,)
            )
            for name, of in (("T1DUAL", "inphase"), ("T2SPIR", "T2SPIR"))
        ),
    ),
    ignored=(
        Ignored(source="NOTES_PLEASE_READ.txt", reason="text for human readers"),
        Ignored(source="definitions.txt", reason="text for human readers"),
    ),
    bidsignore=("**/ct",),
    authors=("Kavur A. E.", "Selver M. A.", "Dicle O.", "Baris M.", "Gezer N. S."),
    citation=(
        "Kavur A. E. et al., CHAOS Challenge - combined (CT-MR) healthy abdominal organ "
        "segmentation, Medical Image Analysis 69:101950 (2021), doi:10.1016/j.media.2020.101950"
    ),
    source_url="https://doi.org/10.5281/zenodo.3362844",
    source_doi="10.5281/zenodo.3362844",
    source_version="1.03",
    subjects={"Train": 40, "Test": 40},
    terms=Terms(
        licence="CC-BY-NC-SA-4.0",
        summary="Sharing under the same licence, not commercially, with attribution.",
        redistribution="noncommercial",
        evidence="metadata of the Zenodo record",
    ),
    notes=(
        "CT and MR cases of the same number are different people. BIDS has no CT yet: the folders "
        "ct/ are listed in .bidsignore."
    ),
    traps=(
        (
            "CT slices are stored from superior to inferior and the masks follow the file order: "
            "sorting slices by position but masks by name turns the masks upside down."
        ),
        "SliceThickness is not the distance of slices; positions are.",
        "CT masks are one-bit pictures, MR masks grey: 63, 126, 189, 252 within bands.",
        (
            "Two corner pixels of each slice of CT cases 4, 9, 10, 13, 14, 17 and 19 hold up to "
            "49944 HU; they are reported and kept."
        ),
        "MR masks with 80 or 160 are of an early copy with another coding, and refused.",
        "T1-DUAL has one mask for both echoes; EchoTime in the sidecars tells them apart.",
    ),
)
