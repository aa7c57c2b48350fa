"""Vestibular-Schwannoma-SEG: DICOM with contours of tumour and cochlea, from TCIA."""

from ..dataset import Attachment, Dataset, Ignored, Image, Masks, Product, Segmentation, Series
from ..families import vsseg
from ..labels import label_table

RAW = "VS-SEG-{number}/*/*/*.dcm"
#: Names of structures in the source, case and blanks aside. What is not listed (the tumour at
#: other times, brainstem, tests) has no label, and is in the probseg.
STRUCTURES = {
    1: ("TV", "AN", "tumour", "Rt AN", "TvT1"),
    2: ("Cochlea", "Cochlea_c", "Cochlea_d"),
    3: ("Men",),
}


def drawn(weighting: str, image: str, entities: dict[str, str]) -> tuple[Product, ...]:
    """Return what was drawn on a series, and what maps it to the other one."""
    folder = f"vs_gk_{{number}}_{weighting}"
    return (
        Segmentation(
            source=(f"{folder}/RTSS.dcm",),
            reader="rtstruct",
            of=(image,),
            labels=label_table(__file__),
            structures=STRUCTURES,
            entities=entities,
            sidecar={
                "Manual": True,
                "Description": "Tumour and cochlea. SourceStructures has the names of the source.",
            },
        ),
        Masks(
            source=(f"{folder}/RTSS.dcm",),
            reader="rtstruct",
            of=(image,),
            structures=STRUCTURES,
            entities=entities,
            sidecar={
                "Manual": True,
                "SpatialReference": "orig",
                "Description": "All structures, one channel each, where the label table has no "
                "row for some, or they overlap. Some are the tumour at other times.",
            },
        ),
        *_attached(folder, entities),
    )


def _attached(folder: str, entities: dict[str, str]) -> tuple[Product, ...]:
    """Return the authors' own files beside a series."""
    return (
        Attachment(
            source=(f"{folder}/contours.json",),
            suffix="contours",
            extension=".json",
            entities=entities,
            is_optional=True,
            sidecar={
                "Description": "Contours as the authors export them, not all within a slice.",
                "CoordinateSystem": "LPS",
                "Units": "mm",
            },
        ),
        Attachment(
            source=(f"{folder}/inv_*.tfm",),
            suffix="xfm",
            extension=".tfm",
            entities=entities,
            is_optional=True,
            sidecar={
                "Description": "ITK transform between the two images, byte for byte. As the "
                "authors name it: that of T1 resamples T1 onto the grid of T2.",
                "CoordinateSystem": "LPS",
            },
        ),
    )


DATASET = Dataset(
    name="vsseg",
    title="Vestibular-Schwannoma-SEG",
    edition="DICOM, 2021",
    layout="""
vs_gk_1_t1/IMG*.dcm   -> sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz
vs_gk_1_t2/IMG*.dcm   -> sub-001/anat/sub-001_acq-hr_T2w.nii.gz
vs_gk_1_t1/RTSS.dcm   -> sub-001/anat/sub-001_dseg.nii.gz
                      -> sub-001/anat/sub-001_probseg.nii.gz (where labels are not enough)
vs_gk_1_t2/RTSS.dcm   -> sub-001/anat/sub-001_acq-hr_dseg.nii.gz
vs_gk_1_t1/contours.json                -> sub-001/anat/sub-001_contours.json
vs_gk_1_t1/inv_T1_LPS_to_T2_LPS.tfm     -> sub-001/anat/sub-001_xfm.tfm
VS-SEG-001/<study>/<series>/*.dcm       -> the same; the headers say which series is which
""",
    fields=vsseg.FIELDS,
    naming=vsseg.NAMING,
    columns=vsseg.COLUMNS,
    series=(
        Series(source=RAW, modality="MR", description=r"(?i)\bt1", name="vs_gk_{number}_t1/IMG*"),
        Series(source=RAW, modality="MR", description=r"(?i)\bt2", name="vs_gk_{number}_t2/IMG*"),
        Series(source=RAW, modality="RTSTRUCT", name="RTSS.dcm"),
        Series(source=RAW, modality="RTPLAN", name="RTPLAN.dcm"),
        Series(source=RAW, modality="RTDOSE", name="RTDOSE.dcm"),
    ),
    products=(
        Image(
            name="ceT1",
            source=("vs_gk_{number}_t1/IMG*.dcm",),
            reader="dicom",
            suffix="T1w",
            entities={"ceagent": "gadolinium"},
            sidecar=vsseg.T1,
        ),
        Image(
            name="hrT2",
            source=("vs_gk_{number}_t2/IMG*.dcm",),
            reader="dicom",
            suffix="T2w",
            entities={"acquisition": "hr"},
            sidecar=vsseg.T2,
        ),
        *drawn("t1", "ceT1", {}),
        *drawn("t2", "hrT2", {"acquisition": "hr"}),
    ),
    ignored=(
        Ignored(source="RTPLAN.dcm", reason="a radiotherapy plan, no image"),
        Ignored(source="RTDOSE.dcm", reason="a radiation dose, no image of the patient"),
        Ignored(source="DirectoryNamesMappingModality.csv", reason="a list of the download"),
        Ignored(source="metadata.csv", reason="a list of the download"),
        Ignored(source="*.tcia", reason="a list of the download"),
        Ignored(source="LICENSE", reason="the licence is in the declaration"),
    ),
    bidsignore=("*_contours.json", "contours.json", "*_xfm.tfm", "xfm.json"),
    subjects=vsseg.SUBJECTS,
    authors=vsseg.AUTHORS,
    citation=vsseg.CITATION,
    source_url=f"https://doi.org/{vsseg.DOI}",
    source_doi=vsseg.DOI,
    terms=vsseg.TERMS,
    notes=(
        "The people of London in crossMoDA are among these, under numbers that were not "
        "published: do not pool the two."
    ),
    traps=(
        "The first structure is not always a schwannoma: 063 and 073 start with a meningioma.",
        (
            "Structures such as 'Vol 2y' are the tumour at another time. They have no label; where "
            "there are any, all structures are in the probseg, by the names of the source."
        ),
        "Where labelled structures overlap there is no dseg, and all are in the probseg.",
        "T1 and T2 lie on different grids, each with its own contours.",
        "No case has both CISS and turbo spin echo; SequenceName in the sidecar tells which.",
        vsseg.TRAP_ERRORS,
    ),
)
