"""CHAOS: CT as DICOM slices whose names run from top to bottom, masks of the liver as 1-bit PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.uid import CTImageStorage

from bidsify.demo import native

from .drawing import ellipsoid, grain, in_processes, save, smooth

SIZE, SLICES, STEP = 512, 200, 1.5
_INTERCEPT = -1024


def make(source: Path, cases: int, slices: int = SLICES) -> None:
    """Write CT cases of the training set."""
    root = source / "Train_Sets" / "CT"
    in_processes(_case, [(root / str(case), slices) for case in range(1, cases + 1)])


def _case(what: tuple[Path, int]) -> None:
    folder, slices = what
    rng, plane = np.random.default_rng(int(folder.name)), (SIZE, SIZE)
    body = ellipsoid(plane, (256, 256), (160, 215)) < 1
    organ = ellipsoid(plane, (220, 180), (80, 95)) + smooth(rng, plane, 40) / 10
    tissues = [40 * smooth(rng, plane, 32) for _ in range(2)]
    for number in range(slices):  # z falls from file to file
        turn = np.float32(number / 20)
        liver = body & (organ + np.float32((number / slices - 0.5) ** 2 * 8) < 1)
        tissue = 30 + np.cos(turn) * tissues[0] + np.sin(turn) * tissues[1] + liver * np.float32(90)
        noise = grain(rng, plane, 14)
        image = np.where(body, tissue + noise, np.maximum(noise / 2 - 1000, _INTERCEPT))
        stored = (np.rint(image) - _INTERCEPT).astype(np.uint16)
        content = native.dicom(stored, _tags(f"CT_SET_{folder.name}", number), is_explicit=False)
        save(folder / "DICOM_anon" / f"i{number:04},0000b.dcm", content)
        save(folder / "Ground" / f"liver_GT_{number:03}.png", native.png_mask(liver))


def _tags(name: str, number: int) -> dict[str, object]:
    corner = (-178.0, -182.5, 1690.5 - STEP * number)
    return {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": native.uid(name, number),
        "Modality": "CT",
        "PatientName": name,
        "StudyInstanceUID": native.uid(name),
        "SeriesInstanceUID": native.uid(name, "series"),
        "FrameOfReferenceUID": native.uid(name, "frame"),
        "SeriesNumber": "4",
        "InstanceNumber": str(number + 1),
        "ImagePositionPatient": native.decimals(corner),
        "ImageOrientationPatient": native.decimals((1, 0, 0, 0, 1, 0)),
        "PixelSpacing": native.decimals((0.7, 0.7)),
        "SliceThickness": "3.2",
        "RescaleIntercept": str(_INTERCEPT),
        "RescaleSlope": "1",
    }
