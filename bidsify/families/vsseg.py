"""Vestibular-Schwannoma-SEG: what the DICOM download and the authors' NIfTI conversion share."""

from __future__ import annotations

from ..dataset import Column, Json, Naming, Terms
from ..patterns import Fields

FIELDS = {"number": r"\d{1,3}"}
NAMING = Naming(subject="{number:03}", source_id="VS-SEG-{number:03}")
LAST_TRAINING, LAST_VALIDATION = 181, 201
SUBJECTS = {"training": 176, "validation": 20, "test": 46}
AUTHORS = ("Shapey J.", "Kujawa A.", "Dorent R.", "Ourselin S.", "Vercauteren T.")
CITATION = (
    "Shapey J. et al., Vestibular-Schwannoma-SEG, The Cancer Imaging Archive (2021), "
    "doi:10.7937/TCIA.9YTJ-5Q73; Shapey J. et al., Scientific Data 8:286 (2021), "
    "doi:10.1038/s41597-021-01064-w"
)
DOI = "10.7937/TCIA.9YTJ-5Q73"
TERMS = Terms(
    licence="CC-BY-4.0",
    summary="Sharing and changing with attribution, under the data usage policy of the archive.",
    redistribution="allowed",
    evidence="the authors' description of the dataset",
)
T1: dict[str, Json] = {
    "SkullStripped": False,
    "BodyPart": "BRAIN",
    "ContrastBolusIngredient": "GADOLINIUM",
    "Description": "T1-weighted image after a contrast agent.",
}
T2: dict[str, Json] = {
    "SkullStripped": False,
    "BodyPart": "BRAIN",
    "Description": "T2-weighted image: CISS in most cases, else a turbo spin echo.",
}
TRAP_ERRORS = (
    "Others redrew 17 masks because of errors: 4 5 29 35 43 44 45 47 55 56 61 63 71 74 76 96 119."
)


def split(fields: Fields) -> str:
    """Return the authors' split, which goes by number."""
    number = int(fields["number"] or 0)
    if number <= LAST_TRAINING:
        return "training"
    return "validation" if number <= LAST_VALIDATION else "test"


COLUMNS = {
    "split": Column(
        description="Split of the authors: 1-181, 182-201 and 202-250.",
        levels={"training": "training", "validation": "validation", "test": "test"},
        value=split,
    ),
}
