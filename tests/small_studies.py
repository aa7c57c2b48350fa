"""Small cardiac studies: how they are made, edited, and found in what was made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from bidsify.demo import native
from bidsify.preprocessing import itk, jobs, study, transform_record
from bidsify.preprocessing.jobs import StudyJob
from bidsify.preprocessing.study import Study
from bidsify.preprocessing.transforms import Record
from bidsify.source import open_source
from bidsify.volume import Array

#: The slices that are kept of each sequence: two of LGE, which each of the others has a partner of.
KEPT = {"C0": (3, 7), "DE": (3, 5), "T2": (2, 6)}
SUFFIXES = {"bSSFP": "C0", "LGE": "DE", "T2w": "T2"}
#: Steps that take no time.
QUICK = "slices,normalise,crop"


def trim(whole: Path, root: Path) -> None:
    """Write the studies of a folder with few slices only."""
    for path in sorted(whole.rglob("*.nii.gz")):
        first, last = next(KEPT[part] for part in KEPT if f"_{part}" in path.name)
        target = root / path.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        save(target, nib.Nifti1Image.from_filename(path).slicer[:, :, first:last])


def save(path: Path, image: nib.Nifti1Image) -> None:
    """Write an image in bytes that do not depend on the moment."""
    path.write_bytes(native.gzipped(image.to_bytes()))


def file(root: Path, subject: str, sequence: str, what: str = "") -> Path:
    """Return a file of a source: an image, or with ``_mask`` its labels."""
    return root / f"train25/myops_training_{subject}_{SUFFIXES[sequence]}{what}.nii.gz"


def edit(path: Path, change: Callable[[Array], Array], affine: Array | None = None) -> None:
    """Write other values, on another grid where one is given."""
    image = nib.Nifti1Image.from_filename(path)
    data = change(np.asanyarray(image.dataobj))
    save(path, nib.Nifti1Image(data, image.affine if affine is None else affine, image.header))


def study_of(source: Path, subject: str) -> Study:
    """Return a study of a source."""
    found = study.find(open_source(source))
    return next(one for one in found if isinstance(one, Study) and one.subject == subject)


def job_of(source: Path, subject: str, part: str, sequence: str) -> StudyJob:
    """Return the job of a file."""
    return next(
        job
        for job in jobs.unit_of(study_of(source, subject)).jobs
        if isinstance(job, StudyJob) and (job.part, job.sequence) == (part, sequence)
    )


def record_of(source: Path, out: Path, subject: str, sequence: str) -> Record:
    """Return the record of a sequence with its displacements, from the files of the tree alone."""
    one = study_of(source, subject)
    path = out / jobs.xfm_of(one, sequence, "_xfm.json")
    record = transform_record.from_json(path.read_bytes(), path.name)
    if record.displacement_file is None:
        return record
    field = path.with_name(record.displacement_file)
    return itk.with_displacements(record, field.read_bytes(), field.name)


def values(path: Path) -> Array:
    """Return the voxels of a file."""
    return np.asanyarray(nib.Nifti1Image.from_filename(path).dataobj)


def affine_of(path: Path) -> Array:
    return np.array(nib.Nifti1Image.from_filename(path).affine)
