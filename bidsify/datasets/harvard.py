"""The Whole Brain Atlas of Harvard: pictures of CT, MR, PET and SPECT, without any geometry."""

from collections.abc import Iterator

from ..dataset import Dataset, Ignored, Image, Naming, Terms

#: Axes of axial pictures as radiologists show them: columns to the left, rows to the back. The
#: source states none.
AXIAL, CORONAL, SAGITTAL = "LPS", "LIP", "PIL"
UNKNOWN = (
    "Pictures stacked in the order of their numbers. Voxel size, distance and orientation of the "
    "slices are not stated: the affine is one unit a voxel, along the usual display of such "
    "pictures."
)
COLOURS = "Pseudo-colours of a display (RGB along the fifth axis), no activity. "
CASE = Naming(subject="{case}", source_id="case{case}")
NAMED = Naming(subject="{name}", source_id="case{name}")
PLANES = Naming(subject="PETMRI", source_id="PET-MRI")
STACK = {"description": "stack"}
#: Modality -> datatype, suffix, more entities, and what a picture of it is.
KINDS = {
    "mr": ("anat", "mr", {}, "MR image; the source does not state its weighting. "),
    "ct": ("ct", "ct", {}, "CT image as displayed, not in Hounsfield units. "),
    "spect": ("spect", "spect", {}, f"SPECT image. {COLOURS}"),
    "pet": ("pet", "pet", {"tracer": "FDG"}, f"FDG PET image. {COLOURS}"),
}
#: Codes of the site, and names that copies give to the folders of a case.
SITE = {"mr": "mr", "ct": "ct", "tc": "spect", "dg": "pet"}
FOLDERS = {"mr": ("MRI", "MR"), "ct": ("CT",), "spect": ("SPECT",), "pet": ("PET",)}
WEIGHTLESS = {"SkullStripped": False}


def stack(
    name: str,
    kind: str,
    source: tuple[str, ...],
    naming: Naming = CASE,
    *,
    place: str = "",
    orientation: str = AXIAL,
) -> Image:
    """Return a stack of pictures; ``place`` tells it from others of its kind."""
    datatype, suffix, more, text = KINDS[kind]
    entity = "reconstruction" if kind == "pet" else "acquisition"
    return Image(
        name=name,
        naming=naming,
        source=source,
        reader="pictures",
        datatype=datatype,
        suffix=suffix,
        orientation=orientation,
        entities={**({entity: place} if place else {}), **more, **STACK},
        is_optional=True,
        sidecar={**WEIGHTLESS, "Description": text + UNKNOWN},
    )


def pairs(task: str, modality: str) -> tuple[str, ...]:
    """Return the pattern of the paired copies, whole or split into train/ and test/."""
    return (f"{task}/[{{part}}/]{modality}/{{case}}{{slice}}.png",)


def planes() -> Iterator[Image]:
    """Yield the three planes of the one subject of PET-MRI: their prefixes are no cases."""
    for prefix, plane, axes in (
        ("25", "cor", CORONAL),
        ("30", "sag", SAGITTAL),
        ("41", "axi", AXIAL),
    ):
        for modality, kind in (("PET", "pet"), ("MRI", "mr")):
            source = (f"PET-MRI/[{{part}}/]{modality}/{prefix}{{slice}}.png",)
            yield stack(f"{plane}-{kind}", kind, source, PLANES, place=plane, orientation=axes)


def cases() -> Iterator[Image]:
    """Yield what lies in a folder for each case, as on the site or with plain names."""
    for code, kind in SITE.items():
        source = tuple(f"case{{name}}/{code}{{series}}/{{slice}}.{end}" for end in ("png", "gif"))
        yield stack(f"site-{kind}", kind, source, NAMED, place="{series}")
    for kind, folders in FOLDERS.items():
        source = tuple(
            f"[case]{{name}}/{folder}/{{slice}}.{end}"
            for folder in folders
            for end in ("png", "gif")
        )
        yield stack(f"folder-{kind}", kind, source, NAMED)


DATASET = Dataset(
    name="harvard",
    title="Harvard Whole Brain Atlas",
    edition="paired PNG copies, and cases as on the site",
    layout="""
CT-MRI/CT/16003.png      -> sub-16/ct/sub-16_desc-stack_ct.nii.gz
CT-MRI/MRI/16003.png     -> sub-16/anat/sub-16_desc-stack_mr.nii.gz
SPECT-MRI/SPECT/21008.png -> sub-21/spect/sub-21_desc-stack_spect.nii.gz
SPECT-MRI/MRI/21008.png  -> sub-21/anat/sub-21_acq-SPECT_desc-stack_mr.nii.gz
PET-MRI/PET/25010.png    -> sub-PETMRI/pet/sub-PETMRI_trc-FDG_rec-cor_desc-stack_pet.nii.gz
PET-MRI/MRI/25010.png    -> sub-PETMRI/anat/sub-PETMRI_acq-cor_desc-stack_mr.nii.gz
cases/case16/mr1/003.png becomes sub-16/anat/sub-16_acq-1_desc-stack_mr.nii.gz
""",
    fields={
        "part": "train|test",
        "case": r"\d{1,2}",
        "name": "[0-9A-Za-z]+",
        "series": r"\d+",
        "slice": r"\d{3}",
    },
    naming=CASE,
    products=(
        stack("ct", "ct", pairs("CT-MRI", "CT")),
        stack("mr-of-ct", "mr", pairs("CT-MRI", "MRI")),
        stack("spect", "spect", pairs("SPECT-MRI", "SPECT")),
        stack("mr-of-spect", "mr", pairs("SPECT-MRI", "MRI"), place="SPECT"),
        *planes(),
        *cases(),
    ),
    ignored=(
        Ignored(source="README.md", reason="text for human readers"),
        Ignored(source="*.jpg", reason="a lossy copy of a picture"),
    ),
    bidsignore=("**/ct", "**/spect", "*_mr.*"),
    descriptions={"stack": "Pictures of single slices, stacked in the order of their numbers."},
    authors=("Johnson K. A.", "Becker J. A."),
    citation=(
        "Johnson K. A., Becker J. A., The Whole Brain Atlas, Harvard Medical School, "
        "http://www.med.harvard.edu/AANLIB/home.html"
    ),
    source_url="http://www.med.harvard.edu/AANLIB/home.html",
    terms=Terms(
        licence="not established",
        summary="The terms of the site were not seen; a copy warns not to pass the images on.",
        redistribution="unknown",
        evidence="none",
    ),
    notes=(
        "Images only, no masks. Which cases are gliomas is not known for the numbered ones. Cases "
        "of CT-MRI and SPECT-MRI with one number are one person."
    ),
    traps=(
        "Prefixes 25, 30, 41 of PET-MRI are planes of one subject: its published split leaks.",
        "Numbers 25xxx and 41xxx are other people in SPECT-MRI and CT-MRI: never join by name.",
        "PET and SPECT are RGB pseudo-colours; they are kept as three values, never made grey.",
        "Slice numbers have gaps: SourceSliceNumbers in the sidecar lists them.",
        "No voxel size, no orientation: the unit is unknown, and left and right are not certain.",
    ),
)
