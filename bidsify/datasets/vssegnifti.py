"""Vestibular-Schwannoma-SEG as the authors' program converts it to NIfTI."""

from ..dataset import Dataset, Image, Json, Segmentation
from ..families import vsseg
from ..labels import label_table

FOLDER = "vs_gk_{number}/vs_gk_"


def image(name: str, suffix: str, entities: dict[str, str], known: dict[str, Json]) -> Image:
    """Return an image on its own grid, or on that of the other one."""
    return Image(
        name=name,
        source=(f"{FOLDER}{name}.nii[.gz]",),
        suffix=suffix,
        entities=entities,
        is_optional=True,
        sidecar=known,
    )


def tumour(reference: str, of: tuple[str, ...], entities: dict[str, str]) -> Segmentation:
    """Return the treated tumour, on the grid of one of the images."""
    return Segmentation(
        source=(f"{FOLDER}seg_{reference}.nii[.gz]",),
        of=of,
        labels=label_table(__file__),
        entities=entities,
        is_optional=True,
        sidecar={
            "Manual": True,
            "Description": "The first structure of the source: the treated tumour.",
        },
    )


def structure(reference: str, of: tuple[str, ...], entities: dict[str, str]) -> Segmentation:
    """Return one structure, which may overlap others."""
    return Segmentation(
        source=(f"{FOLDER}struc{{place}}_{{structure}}_{reference}.nii[.gz]",),
        of=of,
        labels=label_table(__file__, "structure"),
        suffix="mask",
        entities={**entities, "label": "{place}{structure}"},
        is_optional=True,
        sidecar={
            "Manual": True,
            "Type": "ROI",
            "SpatialReference": "orig",
            "Description": "A structure: its place and name in the source are the label- entity.",
        },
    )


DATASET = Dataset(
    name="vssegnifti",
    title="Vestibular-Schwannoma-SEG",
    edition="the authors' NIfTI conversion",
    layout="""
vs_gk_1/vs_gk_t1_refT1.nii.gz   -> sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz
vs_gk_1/vs_gk_t2_refT2.nii.gz   -> sub-001/anat/sub-001_acq-hr_T2w.nii.gz
vs_gk_1/vs_gk_t2_refT1.nii.gz   -> sub-001/anat/sub-001_acq-hr_desc-refT1_T2w.nii.gz
vs_gk_1/vs_gk_seg_refT1.nii.gz  -> sub-001/anat/sub-001_dseg.nii.gz
vs_gk_1/vs_gk_seg_refT2.nii.gz  -> sub-001/anat/sub-001_acq-hr_dseg.nii.gz
vs_gk_1/vs_gk_struc1_TV_refT1.nii.gz -> sub-001/anat/sub-001_label-1TV_mask.nii.gz
""",
    fields={**vsseg.FIELDS, "place": r"\d+", "structure": "[^/]+?"},
    naming=vsseg.NAMING,
    columns=vsseg.COLUMNS,
    products=(
        image("t1_refT1", "T1w", {"ceagent": "gadolinium"}, vsseg.T1),
        image("t2_refT2", "T2w", {"acquisition": "hr"}, vsseg.T2),
        image(
            "t1_refT2",
            "T1w",
            {"ceagent": "gadolinium", "description": "refT2"},
            vsseg.T1,
        ),
        image("t2_refT1", "T2w", {"acquisition": "hr", "description": "refT1"}, vsseg.T2),
        tumour("refT1", ("t1_refT1", "t2_refT1"), {}),
        tumour("refT2", ("t2_refT2", "t1_refT2"), {"acquisition": "hr"}),
        structure("refT1", ("t1_refT1", "t2_refT1"), {}),
        structure("refT2", ("t2_refT2", "t1_refT2"), {"acquisition": "hr"}),
    ),
    descriptions={
        "refT1": "Resampled onto the grid of the T1-weighted image by the authors' program.",
        "refT2": "Resampled onto the grid of the T2-weighted image by the authors' program.",
    },
    subjects=vsseg.SUBJECTS,
    authors=vsseg.AUTHORS,
    citation=vsseg.CITATION,
    source_url=f"https://doi.org/{vsseg.DOI}",
    source_doi=vsseg.DOI,
    terms=vsseg.TERMS,
    traps=(
        "The mask is the first structure of the source, a meningioma in 063 and 073.",
        "File names hold no case number: the folder does.",
        vsseg.TRAP_ERRORS,
    ),
)
