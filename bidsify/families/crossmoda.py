"""crossMoDA: what the editions of the vestibular schwannoma challenge share."""

from __future__ import annotations

from ..dataset import Column, Image, Json, Product, Segmentation, Terms
from ..labels import LabelTable
from ..patterns import Fields

CENTERS = {"ldn": "London", "etz": "Tilburg", "ukm": "Maastricht"}
SPLITS = {"training": "training", "validation": "validation"}
FIELDS = {
    "domain": "[Ss]ource|[Tt]arget",
    "split": "[Tt]raining|[Vv]alidation",
    "site": "ldn|etz|ukm",
    "number": r"\d+",
}
LICENSED = Terms(
    licence="CC-BY-NC-SA-4.0",
    summary="Sharing under the same licence, not commercially, with attribution.",
    redistribution="noncommercial",
    evidence="the Zenodo record, as quoted by users of the data",
)
AUTHORS = ("Dorent R.", "Kujawa A.", "Ivory M.", "Bakas S.", "Vercauteren T.")
CITATION = (
    "Dorent R. et al., CrossMoDA 2021 challenge, Medical Image Analysis 83:102628 (2023), "
    "doi:10.1016/j.media.2022.102628; Shapey J. et al., Scientific Data 8:286 (2021), "
    "doi:10.1038/s41597-021-01064-w"
)
TRAP_UNPAIRED = (
    "A person has either ceT1 with labels (source domain) or T2 without (target domain): what is "
    "not there is not missing."
)


def domain(fields: Fields) -> str:
    """Return the domain of a case; the validation set is of the target domain."""
    stated = (fields.get("domain") or "").lower()
    return stated or ("target" if split(fields) == "validation" else "")


def split(fields: Fields) -> str:
    """Return the set of a case."""
    return (fields.get("split") or "").lower()


COLUMNS = {
    "split": Column(description="Set of the challenge.", levels=SPLITS, value=split),
    "domain": Column(
        description="Domain of the case.",
        levels={"source": "ceT1 with labels", "target": "T2 without labels"},
        value=domain,
    ),
}


def products(stem: str, t2: tuple[str, ...], labels: LabelTable) -> tuple[Product, ...]:
    """Return ceT1, T2 and labels; ``stem`` is the template of file names up to the contrast."""
    common: dict[str, Json] = {"SkullStripped": False, "BodyPart": "BRAIN"}
    not_in_target = {"domain": "([Tt]arget)?"}
    return (
        Image(
            name="ceT1",
            source=(f"{stem}_ceT1.nii[.gz]",),
            suffix="T1w",
            entities={"ceagent": "gadolinium"},
            absent_where=not_in_target,
            sidecar={
                **common,
                "ContrastBolusIngredient": "GADOLINIUM",
                "Description": "T1-weighted image after a contrast agent.",
            },
        ),
        Image(
            name="hrT2",
            source=tuple(f"{stem}_{word}.nii[.gz]" for word in t2),
            suffix="T2w",
            entities={"acquisition": "hr"},
            absent_where={"domain": "[Ss]ource"},
            sidecar={**common, "Description": "T2-weighted image of high resolution."},
        ),
        Segmentation(
            source=(f"{stem}_Label.nii[.gz]",),
            of=("ceT1",),
            labels=labels,
            absent_where=not_in_target,
            sidecar={"Manual": True, "Description": "Tumour and cochlea, drawn on ceT1."},
        ),
    )
