"""Write the CHAOS layout: DICOM slices and PNG masks, CT and MR of different people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import CTImageStorage, MRImageStorage

from . import abdomen, native, phantom
from .abdomen import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from .phantom import Array

_NOTES = """\
Synthetic phantoms in the layout of the CHAOS training set; no patient data.

CT: the PNG files in Ground follow the order of the DICOM file names.
Any value greater than zero represents the liver.
MR: a PNG file has the name of its DICOM file; for T1DUAL, of the in-phase file.
63 liver, 126 right kidney, 189 left kidney, 252 spleen.
"""
_MR_VALUES = np.array([0, 63, 126, 189, 252], np.uint8)
_TISSUES = (
    "air",
    "fat",
    "muscle",
    "lung",
    "bowel",
    "gas",
    "bone",
    "blood",
    "liver",
    "kidney",
    "spleen",
)
_GREYS = {
    "CT": (-1000, -95, 55, -780, 20, -860, 430, 165, 125, 180, 140),
    "InPhase": (4, 900, 300, 20, 240, 8, 520, 150, 480, 330, 270),
    "OutPhase": (4, 760, 290, 18, 230, 8, 260, 140, 400, 320, 260),
    "T2SPIR": (3, 50, 95, 15, 520, 6, 130, 35, 170, 430, 330),
}
_ECHOES = {"OutPhase": (1, "2.3"), "InPhase": (2, "4.6"), "T2SPIR": (1, "70")}


# Case folder, rescale intercept, stack. SliceThickness is 3.2 mm, the real step 2 mm.
_CT_STEP = (0.72, 0.74, 2.0)
_CT_CASES = (
    (
        "Train_Sets/CT/1",
        -1000,
        Stack(shape=(48, 42, 11), spacing=_CT_STEP, centre=(-2, 61.5, 1600.5), body=(16, 17, 11.5)),
    ),
    (
        "Train_Sets/CT/2",
        -1024,
        Stack(shape=(46, 44, 12), spacing=_CT_STEP, centre=(3, 48, 1212), body=(15.4, 18, 12.5)),
    ),
    (
        "Test_Sets/CT/3",
        -1000,
        Stack(shape=(48, 42, 9), spacing=_CT_STEP, centre=(0.5, 55, 940), body=(16.4, 16.5, 10)),
    ),
)
_T1 = Stack(shape=(48, 42, 8), spacing=(1.7, 1.6, 5.5), centre=(4, -6, 30), body=(37, 40, 23))
_T2 = Stack(shape=(44, 46, 7), spacing=(1.8, 1.5, 6.0), centre=(4, -7, 31), body=(37, 40, 23))
_TILT = (8.0, -3.0, 5.0)
_MR_CASES = (
    ("1", _T1, _T2),
    (
        "39",
        Stack(
            shape=(46, 42, 7), spacing=(1.7, 1.6, 5.5), centre=(-3, 8, -12), body=(35, 39, 21),
            turns=_TILT,
        ),
        Stack(
            shape=(44, 42, 6), spacing=(1.7, 1.7, 6.5), centre=(-3, 7, -11), body=(35, 39, 21),
            turns=_TILT,
        ),
    ),
)  # fmt: skip


def make(folder: Path) -> None:
    """Write three CT and two MR cases of CHAOS below ``folder``."""
    native.save(folder / "Train_Sets" / "NOTES_PLEASE_READ.txt", _NOTES)
    for case, intercept, stack in _CT_CASES:
        _write_ct(folder / case, stack, intercept)
    for case, dual, spir in _MR_CASES:
        root = folder / "Train_Sets" / "MR" / case
        series = "IMG-0004" if case == "1" else "IMG-0008"
        _write_echo(root / "T1DUAL", "OutPhase", dual, f"{series}-{{:05d}}", first=1)
        _write_echo(root / "T1DUAL", "InPhase", dual, f"{series}-{{:05d}}", first=2)
        _write_echo(root / "T2SPIR", "T2SPIR", spir, "IMG-0002-{:05d}", first=1)


def _write_ct(case: Path, stack: Stack, intercept: int) -> None:
    points = stack.points()
    image = _painted(points, "CT") + 9.0 * phantom.grain(points, (0, 0, 0), 0.6)
    stored = np.round(np.clip(image, -1000.0, None) - intercept).astype(np.uint16)
    labels = abdomen.labels(points)
    name = f"CT_SET_{case.name}"
    for number, level in enumerate(reversed(range(stack.shape[2]))):  # z falls from file to file
        tags = _tags(name, "CT", CTImageStorage, number + 1) | stack.plane(level)
        tags |= {
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "HELIX"],
            "SeriesNumber": "4",
            "SliceThickness": "3.2",
            "KVP": "120",
            "AcquisitionNumber": None,
            "RescaleIntercept": str(intercept),
            "RescaleSlope": "1",
        }
        content = native.dicom(stored[:, :, level].T, tags, is_explicit=False)
        native.save(case / "DICOM_anon" / f"i{number:04d},0000b.dcm", content)
        if case.parts[-3] == "Train_Sets":  # the test cases come without masks
            mask = native.png_mask(labels[:, :, level].T == 1)
            native.save(case / "Ground" / f"liver_GT_{number:03d}.png", mask)


def _write_echo(folder: Path, echo: str, stack: Stack, pattern: str, *, first: int) -> None:
    """Write the slices of one echo, upwards; the echoes of T1DUAL take turns in the numbers."""
    points, origin = stack.points(), (0.0, 0.0, 0.0)
    image = _painted(points, echo) * phantom.shading(points, origin, 1.0)
    image *= 1 + 0.03 * phantom.grain(points, origin, 0.6)
    stored = np.round(image).astype(np.uint16)
    labels = _MR_VALUES[abdomen.labels(points)]
    is_dual = echo != "T2SPIR"
    for level in range(stack.shape[2]):
        number = first + level * (2 if is_dual else 1)
        stem = pattern.format(number)
        tags = _tags(f"MR_SET_{folder.parent.name}", folder.name, MRImageStorage, number)
        tags |= stack.plane(level) | _mr_tags(echo, stem, stack.spacing[2])
        content = native.dicom(stored[:, :, level].T, tags, is_explicit=True)
        place = folder / "DICOM_anon" / (echo if is_dual else "")
        native.save(place / f"{stem}.dcm", content)
        if echo != "OutPhase":
            native.save(folder / "Ground" / f"{stem}.png", native.png(labels[:, :, level].T))


def _painted(points: Array, greys: str) -> Array:
    values = map(float, _GREYS[greys])
    return abdomen.image(points, dict(zip(_TISSUES, values, strict=True)))


def _tags(patient: str, series: str, storage: str, number: int) -> dict[str, object]:
    return {
        "SOPClassUID": storage,
        "SOPInstanceUID": native.uid(patient, series, number),
        "Modality": patient[:2],
        "PatientName": f"CHAOS^{patient}",
        "PatientPosition": "FFS" if series == "CT" else "HFS",
        "StudyInstanceUID": native.uid(patient),
        "SeriesInstanceUID": native.uid(patient, series),
        "FrameOfReferenceUID": native.uid(patient, "frame"),
        "InstanceNumber": str(number),
    }


def _mr_tags(echo: str, stem: str, step: float) -> dict[str, object]:
    number, time = _ECHOES[echo]
    is_dual = echo != "T2SPIR"
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE" if is_dual else "M_SE", "M"],
        "SeriesNumber": str(int(stem.split("-")[1])),
        "SeriesDescription": "T1-DUAL" if is_dual else "T2-SPIR",
        "ScanningSequence": "GR" if is_dual else "SE",
        "SequenceVariant": "SK",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "SliceThickness": str(step),
        "RepetitionTime": "150" if is_dual else "1600",
        "EchoTime": time,
        "EchoNumbers": str(number),
        "EchoTrainLength": "2" if is_dual else "17",
        "MagneticFieldStrength": "1.5",
        "FlipAngle": "80" if is_dual else "90",
    }
