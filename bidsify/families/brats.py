"""BraTS: what the editions of the brain tumour segmentation challenge share.

Each edition is a declaration of its own, with its own label table: the integer 4 is enhancing
tumour until 2022 and resection cavity in 2024, enhancing tumour is 3 from 2023 on, and the
paediatric cohorts differ again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dataset import (
    Column,
    Dataset,
    Ignored,
    Image,
    Json,
    Naming,
    Product,
    Segmentation,
    SubjectTable,
    Suspect,
)
from ..labels import label_table
from ..patterns import Fields
from ..regions import region_table

SRI24 = "https://www.nitrc.org/projects/sri24/"

#: Contrasts by their older names; the newer ones are below.
OLD = {"t1": "t1", "t1ce": "t1ce", "t2": "t2", "flair": "flair"}
NEW = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f"}
_SUFFIX = {"t1": "T1w", "t1ce": "T1w", "t2": "T2w", "flair": "FLAIR"}
_TEXT = {
    "t1": "T1-weighted image",
    "t1ce": "T1-weighted image after a contrast agent",
    "t2": "T2-weighted image",
    "flair": "T2-weighted image with suppressed fluid (FLAIR)",
}

#: nnU-Net's copies of the older editions have other integers, which no single mask betrays.
NNUNET = Suspect(
    values=(3,),
    unless=(4,),
    reason=(
        "BraTS uses 0, 1, 2, 4 until 2022 and never 3; copies converted for nnU-Net use 1 edema, "
        "2 necrotic core, 3 enhancing tumour: get the labels as published"
    ),
)

#: The set of a case, where a folder above it names one: Training and Validation, or shorter.
SPLIT = "[Tt]raining|[Vv]alidation|[Tt]esting|(?<![a-z])[Tt]rain(?![a-z])|(?<![a-z])[Vv]al(?![a-z])"
SPLIT_FOLDER = "[*{split}*/]"
_SPLITS = {
    "training": "with labels",
    "validation": "labels were not published",
    "testing": "given to participants only",
}


def split(fields: Fields) -> str:
    """Return the set of a case."""
    found = (fields.get("split") or "").lower()
    return next((name for name in _SPLITS if found and name.startswith(found)), "")


NOTE_TIME_POINTS = (
    "Sessions are time points as the source numbers them; a patient can lack 000. Split by "
    "subject, never by session."
)
TRAP_ENHANCING = (
    "Enhancing tumour is 3; until 2022 it was 4, and in 2024 4 is the resection cavity."
)
TRAP_ORDER = (
    "The order of the labels is inferred from the glioma edition; only their names are stated."
)


SPLIT_COLUMN = Column(description="Set of the challenge.", levels=_SPLITS, value=split)
#: No levels: what the tables of the source hold is taken over as it is.
CLINICAL = {
    "grade": Column(
        description="Grade of the glioma, where the source states it: HGG high, LGG lower grade."
    ),
    "age": Column(description="Age; above 89 it is given as 89.", units="year"),
    "survival_days": Column(
        description="Overall survival in days, or the text of the source, such as "
        "'ALIVE (361 days later)'."
    ),
    "extent_of_resection": Column(
        description="Extent of the resection: GTR gross total, STR subtotal, as in the source."
    ),
}
TABLES = (
    SubjectTable(source="*name_mapping*.csv"),
    SubjectTable(
        source="*survival*.csv",
        renamed={"survival": "survival_days", "resectionstatus": "extent_of_resection"},
    ),
)
SIDE_FILES = (
    Ignored(source="Readme*", reason="text for human readers"),
    Ignored(source="README*", reason="text for human readers"),
    Ignored(source="CITATIONS.bib", reason="the citation is in the declaration"),
    Ignored(source="manifest.csv", reason="a list of the files of the download"),
    Ignored(
        source="*.xlsx", reason="a spreadsheet whose columns are not known; keep it beside the tree"
    ),
)


def products(
    case: str,
    words: Mapping[str, str],
    labels: Segmentation,
    *,
    folder: str = "",
    separator: str = "_",
    in_template: bool = True,
) -> tuple[Product, ...]:
    """Return the four contrasts and the labels of an edition.

    ``case`` is the template of a case's name, that of its folder and its files; ``words`` are
    the native names of the contrasts. Loose files outside of the folder count as copies.
    """
    placed: Mapping[str, str] = {"space": "SRI24"} if in_template else {"description": "preproc"}
    images = (
        Image(
            name=name,
            source=sources(case, f"{separator}{word}", folder),
            suffix=_SUFFIX[name],
            entities={**({"ceagent": "gadolinium"} if name == "t1ce" else {}), **placed},
            sidecar=sidecar(f"{_TEXT[name]}, skull-stripped and registered.", name, in_template),
        )
        for name, word in words.items()
    )
    return (*images, labels)


def sources(case: str, ending: str, folder: str = "") -> tuple[str, ...]:
    """Return the patterns of a file: in the folder of its case, or loose."""
    name = f"{case}{ending}.nii[.gz]"
    return (f"{folder}{case}/{name}", name)


def sidecar(text: str, contrast: str, in_template: bool) -> dict[str, Json]:  # noqa: FBT001
    """Return what is known of an image."""
    known: dict[str, Json] = {"SkullStripped": True, "BodyPart": "BRAIN", "Description": text}
    if in_template:
        known["SpatialReference"] = SRI24
    if contrast == "t1ce":
        known["ContrastBolusIngredient"] = "GADOLINIUM"
    return known


def segmentation(
    declared: str,
    source: tuple[str, ...],
    *,
    absent_where: Mapping[str, str],
    suspects: tuple[Suspect, ...] = (),
    in_template: bool = True,
) -> Segmentation:
    """Return the labels of the edition that the file ``declared`` declares."""
    text = "Parts of the tumour; unions of them are in regions.tsv."
    return Segmentation(
        source=source,
        of=tuple(OLD),
        labels=label_table(declared),
        entities={"space": "SRI24"} if in_template else {},
        sidecar={"Description": text, "SpatialReference": SRI24 if in_template else "orig"},
        absent_where=absent_where,
        suspects=suspects,
    )


def by_time_point(
    declared: str, cohort: str, *, example: str, in_template: bool = True, **more: Any
) -> Dataset:
    """Return an edition from 2023 on: cases of one cohort, named by patient and time point.

    ``example`` is the path of the folder of one case, for the layout; ``more`` are further words
    of a :class:`~bidsify.dataset.Dataset`.
    """
    case = f"BraTS-{cohort}-{{number}}-{{timepoint}}"
    labels = segmentation(
        declared,
        sources(case, "-seg", SPLIT_FOLDER),
        absent_where={"split": "[Vv]al.*|[Tt]est.*"},
        in_template=in_template,
    )
    folder, _, shown = example.rpartition("/")
    number, time_point = shown.split("-")[-2:]
    person = f"sub-{cohort}{number}_ses-{time_point}"
    space = "_space-SRI24" if in_template else "_desc-preproc"
    return Dataset(
        layout=layout(folder, shown, person, NEW, separator="-", space=space),
        naming=Naming(
            subject=f"{cohort}{{number}}",
            source_id=f"BraTS-{cohort}-{{number}}",
            session="{timepoint}",
            session_source_id=case,
        ),
        fields={"number": r"\d{5}", "timepoint": r"\d{3}", "split": SPLIT},
        columns={"split": SPLIT_COLUMN},
        products=products(
            case, NEW, labels, folder=SPLIT_FOLDER, separator="-", in_template=in_template
        ),
        regions=region_table(declared),
        ignored=SIDE_FILES,
        bidsignore=("regions.tsv",),
        **more,
    )


def layout(
    folder: str,
    case: str,
    person: str,
    words: Mapping[str, str],
    *,
    separator: str = "_",
    space: str = "_space-SRI24",
) -> str:
    """Return the layout of an edition before and after, for people to read."""
    label = space if space == "_space-SRI24" else ""
    where = "/".join(person.split("_"))
    lines = [
        f"{folder}/{case}/{case}{separator}{word}.nii.gz\n    -> {where}/anat/{person}"
        f"{'_ce-gadolinium' if name == 't1ce' else ''}{space}_{_SUFFIX[name]}.nii.gz"
        for name, word in words.items()
    ]
    seg = f"{folder}/{case}/{case}{separator}seg.nii.gz"
    return "\n".join((*lines, f"{seg}\n    -> {where}/anat/{person}{label}_dseg.nii.gz"))
