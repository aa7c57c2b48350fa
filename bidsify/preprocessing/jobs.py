"""The files of a study: one job each, all made from one registration."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..engine.jobs import Job, Unit
from .stack import SEQUENCES
from .study import Study

Part = Literal[
    "matches", "record", "field", "affine", "image", "image sidecar", "labels",
    "labels sidecar", "quality", "page",
]  # fmt: skip
#: Names of the images in BIDS: entities after acq, and suffix.
_NAMES = {"bSSFP": ("", "T2w"), "LGE": ("_ce-gadolinium", "T1w"), "T2w": ("", "T2w")}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyJob(Job):
    """One file of a study; ``of`` is the data file that a sidecar describes."""

    kind: ClassVar[str] = "study"
    study: Study
    part: Part
    sequence: str = ""
    of: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the data file of a sidecar."""
        return (self.of,) if self.of else ()

    def is_wanted(self, present: Collection[str]) -> bool:
        """Say whether the data file of a sidecar exists."""
        return not self.of or self.of in present


def stem_of(study: Study) -> tuple[str, str]:
    """Return the folder of a study, and what its file names begin with."""
    parts = [f"sub-{study.subject}"] + ([f"ses-{study.session}"] if study.session else [])
    return "/".join(parts), "_".join(parts)


def image_of(study: Study, sequence: str) -> str:
    """Return the target of the image of a sequence."""
    folder, stem = stem_of(study)
    entities, suffix = _NAMES[sequence]
    return f"{folder}/anat/{stem}_acq-{sequence}{entities}_desc-preproc_{suffix}.nii.gz"


def labels_of(study: Study, sequence: str) -> str:
    """Return the target of the labels of a sequence."""
    folder, stem = stem_of(study)
    return f"{folder}/anat/{stem}_acq-{sequence}_desc-preproc_dseg.nii.gz"


def xfm_of(study: Study, sequence: str, ending: str) -> str:
    """Return the target of a file of transforms."""
    folder, stem = stem_of(study)
    return f"{folder}/xfm/{stem}_acq-{sequence}{ending}"


def quality_of(study: Study) -> str:
    """Return the target of the numbers of a study."""
    folder, stem = stem_of(study)
    return f"{folder}/xfm/{stem}_quality.tsv"


def unit_of(study: Study) -> Unit:
    """Return all jobs of a study; transforms come before what is proved by them."""
    return Unit(study.subject, study.session or None, tuple(_jobs(study)))


def _jobs(study: Study) -> Iterator[StudyJob]:
    folder, stem = stem_of(study)

    def job(target: str, part: Part, sequence: str = "", of: str = "") -> StudyJob:
        return StudyJob(
            target=target, sources=study.paths, study=study, part=part, sequence=sequence, of=of
        )

    yield job(f"{folder}/xfm/{stem}_matches.tsv", "matches")
    for name in SEQUENCES:
        yield job(xfm_of(study, name, "_xfm.json"), "record", name)
        yield job(xfm_of(study, name, "_xfm.nii.gz"), "field", name)
        yield job(xfm_of(study, name, "_desc-affine_xfm.txt"), "affine", name)
    for name in SEQUENCES:
        image, labels = image_of(study, name), labels_of(study, name)
        yield job(image, "image", name)
        yield job(labels, "labels", name)
        yield job(image.replace(".nii.gz", ".json"), "image sidecar", name, image)
        yield job(labels.replace(".nii.gz", ".json"), "labels sidecar", name, labels)
    yield job(quality_of(study), "quality")
    yield job(f"{folder}/figures/{stem}_desc-quality.html", "page")
