"""MyoPS challenges: what MyoPS 2020 and MyoPS++ share."""

from __future__ import annotations

from collections.abc import Mapping

from ..dataset import Image, Json, Product, Segmentation, Suspect, Terms
from ..labels import label_table

_COMMON = {"SkullStripped": False, "BodyPart": "HEART"}

#: A copy that went through uint8: 500, 600, 1220 and 2221 modulo 256.
WRAPPED = Suspect(
    values=(244, 88, 196, 173),
    unless=(500, 600, 1220, 2221),
    reason=(
        "they are 500, 600, 1220 and 2221 wrapped around in 8 bits, and cannot be told apart from "
        "other values for sure: get the labels as published, in 16 bits"
    ),
)
AUTHORS = ("Zhuang X.", "Li L.")
CITATION = (
    "Zhuang X., IEEE Transactions on Pattern Analysis and Machine Intelligence "
    "41(12):2933-2946 (2019), doi:10.1109/TPAMI.2018.2869576; Zhuang X., MICCAI 2016, "
    "581-588; Li L. et al., MyoPS benchmark, Medical Image Analysis 87 (2023), arXiv:2201.03186"
)
HOME = "https://zmiclab.github.io/zxh/0/myops20"
DESCRIPTIONS = {"preproc": "Aligned to one grid by the organisers."}


_KNOWN: Mapping[str, Mapping[str, Json]] = {
    "bSSFP": {
        "Description": "Balanced SSFP frame.",
        "PulseSequenceType": "bSSFP",
        "PulseSequenceDetails": "T2/T1-weighted; T2w is the nearest suffix that BIDS has.",
    },
    "LGE": {
        "Description": "Late gadolinium enhancement.",
        "PulseSequenceType": "LGE",
        "ContrastBolusIngredient": "GADOLINIUM",
    },
    "T2w": {"Description": "T2-weighted image."},
}
_SUFFIX = {"bSSFP": "T2w", "LGE": "T1w", "T2w": "T2w"}


def terms(evidence: str) -> Terms:
    """Return what is known of the terms of a challenge, and whence."""
    return Terms(
        licence="User agreement of the challenge; its text was not available",
        summary="Access by registration or agreement, with the citations above.",
        redistribution="unknown",
        evidence=evidence,
    )


def products(
    declared: str,
    stem: str,
    *,
    labels: str,
    late: tuple[str, ...],
    absent: Mapping[str, Mapping[str, str]],
    labels_absent: Mapping[str, str],
) -> tuple[Product, ...]:
    """Return the three sequences and the labels of the edition that ``declared`` declares.

    ``stem`` is the template of file names up to the sequence, ``labels`` that of label files,
    ``late`` the words for late enhancement; ``absent`` says which sequence is shipped for whom.
    """
    words = {"bSSFP": ("C0",), "LGE": late, "T2w": ("T2",)}
    images = (
        Image(
            name=name,
            source=tuple(f"{stem}_{word}.nii[.gz]" for word in words[name]),
            suffix=_SUFFIX[name],
            entities={
                "acquisition": name,
                **({"ceagent": "gadolinium"} if name == "LGE" else {}),
                "description": "preproc",
            },
            sidecar={**_COMMON, **known},
            absent_where=absent.get(name, {}),
        )
        for name, known in _KNOWN.items()
    )
    masks = Segmentation(
        source=(labels,),
        of=tuple(words),
        labels=label_table(declared),
        suspects=(WRAPPED,),
        absent_where=labels_absent,
        sidecar={
            "Manual": True,
            "Description": "Myocardium with pathology, and blood pools; unions of them are in "
            "regions.tsv.",
        },
    )
    return (*images, masks)
