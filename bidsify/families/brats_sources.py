"""Who made the editions of BraTS, and what may be done with them."""

from __future__ import annotations

from dataclasses import replace

from ..dataset import Terms

#: Of the editions up to 2020.
AUTHORS = ("Menze B. H.", "Jakab A.", "Bauer S.", "Bakas S.", "Akbari H.", "Davatzikos C.")
CITATION = (
    "Menze B. H. et al., IEEE Transactions on Medical Imaging 34(10):1993-2024 (2015), "
    "doi:10.1109/TMI.2014.2377694; Bakas S. et al., Scientific Data 4:170117 (2017), "
    "doi:10.1038/sdata.2017.117; Bakas S. et al., arXiv:1811.02629"
)
AGREEMENT = Terms(
    licence="BraTS data usage agreement (registration); no standard licence",
    summary=(
        "Free for one's own research after registration, with the citations above. Nothing "
        "was found that allows passing the images on."
    ),
    redistribution="unknown",
    evidence="the agreement of the 2018 download, as repeated by users of it",
)

#: Where nothing was found that says what may be done with the images.
TERMS = Terms(
    licence="Terms on Synapse; their text was not available",
    summary="Registration on Synapse; read its terms. Nothing was found that allows passing the "
    "images on.",
    redistribution="unknown",
    evidence="the terms themselves were not seen",
)
SYNAPSE_2023 = "https://www.synapse.org/Synapse:syn51156910"
SYNAPSE_2024 = "https://www.synapse.org/Synapse:syn53708249"


def secondary(licence: str) -> Terms:
    """Return terms of which only somebody else's word is known."""
    return replace(
        TERMS,
        licence=f"Terms on Synapse; a secondary source says {licence}",
        evidence="a secondary source; the terms themselves were not seen",
    )
