"""SSMSpine: synthetic mid-sagittal lumbar spine MRI, 100 textures by 125 shapes."""

from ..dataset import (
    Column,
    Dataset,
    Image,
    Masks,
    Naming,
    PointGroup,
    Points,
    Segmentation,
    Slab,
    Terms,
)
from ..labels import label_table
from ..patterns import Fields

FILE = ("*{split}*/p{texture}/aug{shape}.pt", "p{texture}/aug{shape}.pt")
BONES = ("L1", "L2", "L3", "L4", "L5", "S1")
DISCS = ("D1", "D2", "D3", "D4", "D5")
VARIANTS = {
    "orig": ("img", "Image as synthesized."),
    "corrected": ("img_corrected", "Image after intensity correction."),
    "equalized": ("img_equalized", "Image after intensity equalization."),
}
#: Columns run from anterior to posterior, rows from superior to inferior (authors' figures).
ORIENTATION = "PIR"


def split(fields: Fields) -> str:
    """Return the split that the folder names."""
    found = (fields.get("split") or "n/a").lower()
    return "validation" if found == "vali" else found


def image(label: str, key: str, text: str) -> Image:
    """Return one of the three variants of the image."""
    return Image(
        name=label,
        source=FILE,
        reader="tensors",
        key=key,
        orientation=ORIENTATION,
        suffix="T2w",
        entities={"description": label},
        sidecar={
            "SkullStripped": False,
            "BodyPart": "LSPINE",
            "Description": f"{text} The source does not state the contrast; T2w is a choice.",
        },
    )


def masks(key: str, regions: tuple[str, ...], entity: str = "", start: int = 0) -> Masks:
    """Return overlapping masks; those of a part only where they differ from the whole."""
    stop = start + len(regions)
    return Masks(
        source=FILE,
        key=key,
        regions=regions,
        orientation=ORIENTATION,
        entities={"segmentation": entity} if entity else {},
        unless=Slab(key="mask", start=start, stop=stop) if entity else None,
        sidecar={
            "Manual": False,
            "SpatialReference": "orig",
            "Description": "One binary mask for each region; they may overlap.",
        },
    )


DATASET = Dataset(
    name="ssmspine",
    title="SSMSpine",
    edition="2024",
    layout="""
SSMSpine_Train/p1/aug7.pt  img
    -> sub-p001/ses-aug007/anat/sub-p001_ses-aug007_desc-orig_T2w.nii.gz
                           img_corrected  -> ..._desc-corrected_T2w.nii.gz
                           img_equalized  -> ..._desc-equalized_T2w.nii.gz
                           label          -> ..._dseg.nii.gz
                           mask           -> ..._probseg.nii.gz (4D: L1 ... S1, D1 ... D5)
                           bone, disk, shape -> ..._points.tsv (pixels)
""",
    fields={"split": "[Tt]rain|[Tt]est|[Vv]ali", "texture": r"\w+", "shape": r"\w+"},
    naming=Naming(
        subject="p{texture:03}",
        session="aug{shape:03}",
        source_id="p{texture}",
        session_source_id="p{texture}/aug{shape}",
    ),
    columns={
        "split": Column(
            description="Split that the folder of the source names.",
            levels={"train": "training", "test": "test", "validation": "cut out by a user"},
            value=split,
        ),
    },
    products=(
        *(image(label, key, text) for label, (key, text) in VARIANTS.items()),
        Segmentation(
            source=FILE,
            reader="tensors",
            key="label",
            orientation=ORIENTATION,
            of=("orig",),
            labels=label_table(__file__),
            sidecar={"Manual": False, "Description": "Vertebrae and discs."},
        ),
        masks("mask", BONES + DISCS),
        masks("bone_mask", BONES, "bone"),
        masks("disk_mask", DISCS, "disc", start=len(BONES)),
        Points(
            source=FILE,
            reader="tensors",
            columns={},
            groups=(
                PointGroup(key="bone", structures=BONES),
                PointGroup(key="disk", structures=DISCS),
                PointGroup(key="shape", structures=("all",)),
            ),
            sidecar={
                "Description": "Landmarks on the outlines, in pixels of the image; the size of "
                "a pixel is not published."
            },
        ),
    ),
    shared_sidecars=True,
    bidsignore=("*_points.tsv", "points.json"),
    descriptions={label: text for label, (_, text) in VARIANTS.items()},
    subjects={"": 100},
    authors=("Chen J.", "Qian L.", "Ma L.", "Urakov T.", "Gu W.", "Liang L."),
    citation=(
        "Chen J., Qian L., Ma L., Urakov T., Gu W., Liang L., SymTC: A symbiotic Transformer-CNN "
        "net for instance segmentation of lumbar spine MRI, Computers in Biology and Medicine "
        "179:108795 (2024), doi:10.1016/j.compbiomed.2024.108795"
    ),
    source_url="https://github.com/jiasongchen/SSMSpine",
    terms=Terms(
        licence="Not stated; exclusively for research purposes",
        summary="The authors state that the dataset is exclusively for research purposes.",
        redistribution="unknown",
        evidence="README of the authors' repository, which holds no licence file",
    ),
    notes=(
        "A subject is a texture, a session one of its virtual shapes: the files of one texture "
        "are not independent people, so split by subject."
    ),
    traps=(
        "The .pt files are Python pickles. They are read without running them.",
        "The size of a pixel is unpublished: the unit is unknown and the affine has unit steps.",
        "`shape` is not the concatenation of `bone` and `disk`: vertebrae and discs share points.",
        "Masks overlap, so they are kept as a 4D probseg beside the label map.",
    ),
)
