"""Write cardiac studies as a scanner makes them: bSSFP, LGE and T2w that do not lie on one another.

They are for the preprocessing of studies, which is why this is no dataset: ``truth`` knows where
the tissue of each point is in the other sequences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydicom.uid import MRImageStorage

from . import cmr_study, heart, native, phantom
from .cmr_study import PROTOCOLS, Study

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array

Form = Literal["nifti", "dicom"]

_FIRST = 101
_SUFFIXES = {"bSSFP": "C0", "LGE": "DE", "T2w": "T2"}
#: The folder and the SeriesDescription of each sequence.
SERIES = {"bSSFP": "cine_trufi_sax", "LGE": "LGE_PSIR_sax", "T2w": "T2_STIR_sax"}
#: What masks hold for the labels of ``heart``: the values of MyoPS 2020.
VALUES = {
    heart.HEALTHY: 200,
    heart.SCAR: 2221,
    heart.OEDEMA: 1220,
    heart.LEFT_BLOOD: 500,
    heart.RIGHT_BLOOD: 600,
}
_LPS = np.array([-1.0, -1.0, 1.0])


def make_studies(folder: Path, *, subjects: int = 3, form: Form = "nifti") -> None:
    """Write studies below ``folder``, with masks of all sequences.

    ``nifti``: the names of MyoPS 2020, with a mask beside each image. ``dicom``: a folder of
    slices with shuffled names for each series, and the masks as NIfTI on the same grids.
    """
    for name in names(subjects):
        study = truth(name)
        for sequence in PROTOCOLS:
            if form == "nifti":
                _write_nifti(folder / "train25" / f"myops_training_{name}", study, sequence)
            else:
                _write_dicom(folder / name, study, sequence)


def names(subjects: int) -> tuple[str, ...]:
    """Return the subjects that :func:`make_studies` writes."""
    return tuple(str(_FIRST + n) for n in range(subjects))


def truth(subject: str) -> Study:
    """Return what is known of a subject: labels of all slices, and which points correspond."""
    return cmr_study.study(int(subject))


def mask(study: Study, sequence: str) -> NDArray[np.int16]:
    """Return the mask of a sequence in the values of MyoPS 2020, (columns, rows, slices)."""
    table = np.zeros(max(VALUES) + 1, np.int16)
    table[list(VALUES)] = list(VALUES.values())
    return np.asarray(table[study.labels(sequence)])


def _write_nifti(stem: Path, study: Study, sequence: str) -> None:
    matrix, suffix = study.scans[sequence].matrix, _SUFFIXES[sequence]
    image = native.nifti(study.image(sequence).astype(np.int16), matrix)
    native.save(stem.with_name(f"{stem.name}_{suffix}.nii.gz"), native.gzipped(image))
    labels = native.nifti(mask(study, sequence), matrix)
    native.save(stem.with_name(f"{stem.name}_{suffix}_mask.nii.gz"), native.gzipped(labels))


def _write_dicom(folder: Path, study: Study, sequence: str) -> None:
    pixels, matrix = study.image(sequence), study.scans[sequence].matrix
    count = pixels.shape[2]
    random = np.random.default_rng(study.scans[sequence].noise)
    places = random.permutation(count)  # names that tell nothing of the order
    for k, place in enumerate(places):
        tags = _tags(folder.name, sequence, k) | _plane(matrix, k)
        content = native.dicom(pixels[:, :, k].T, tags, is_explicit=True)
        native.save(folder / SERIES[sequence] / f"IM{place:04d}.dcm", content)
    labels = native.nifti(mask(study, sequence), matrix)
    native.save(folder / f"{SERIES[sequence]}_mask.nii.gz", native.gzipped(labels))


def _plane(matrix: Array, k: int) -> dict[str, object]:
    """State in DICOM's words where slice k of a grid lies."""
    columns, rows = (matrix[:3, axis] * _LPS for axis in (0, 1))
    spacing = [float(np.linalg.norm(axis)) for axis in (rows, columns)]
    corner = phantom.moved(np.array([0.0, 0.0, k]), matrix) * _LPS
    axes = [*(columns / spacing[1]), *(rows / spacing[0])]
    return {
        "ImagePositionPatient": native.decimals(corner.tolist()),
        "ImageOrientationPatient": native.decimals(axes),
        "PixelSpacing": native.decimals(spacing),
    }


def _tags(subject: str, sequence: str, k: int) -> dict[str, object]:
    number, protocol = list(PROTOCOLS).index(sequence) + 1, PROTOCOLS[sequence]
    return {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": native.uid("cmr", subject, sequence, k),
        "StudyInstanceUID": native.uid("cmr", subject),
        "SeriesInstanceUID": native.uid("cmr", subject, sequence),
        "FrameOfReferenceUID": native.uid("cmr", subject, "frame"),
        "PatientID": f"phantom-{subject}",
        "PatientName": "phantom",
        "Modality": "MR",
        "SeriesNumber": str(number),
        "SeriesDescription": SERIES[sequence],
        "InstanceNumber": str(k + 1),
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "PatientPosition": "HFS",
        "SliceThickness": native.decimals([protocol.thickness])[0],
        "SpacingBetweenSlices": native.decimals([protocol.thickness + protocol.gap])[0],
        "EchoTime": "1.5",
        "RepetitionTime": "3",
        "EchoTrainLength": "1",
        "MagneticFieldStrength": "1.5",
    }
