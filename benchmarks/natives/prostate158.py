"""Prostate158: three images, and masks of zones and lesions that are stored as real numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .drawing import ellipsoid, grain, in_processes, nifti, save, smooth

SHAPE = (270, 270, 24)
AFFINE = np.diag([-0.4, -0.4, 3.0, 1.0])
#: Cases of the published train.csv: these numbers are none of valid.csv, nor of the test set.
NUMBERS = tuple(n for n in range(24, 159) if n not in {38, 41, 46, 47, 51, 56, 60, 61, 77})
COLUMNS = ("t2", "adc", "dwi", "t2_anatomy_reader1", "t2_tumor_reader1", "adc_tumor_reader1")


def make(source: Path, cases: int) -> None:
    """Write training cases and the table that lists them."""
    root = source / "prostate158_train"
    folders = [root / "train" / f"{number:03}" for number in NUMBERS[:cases]]
    in_processes(_case, folders)
    lines = [",".join(("ID", *COLUMNS, "t2_anatomy_reader2", "adc_tumor_reader2"))]
    for folder in folders:
        cells = [f"train/{folder.name}/{name}.nii.gz" for name in COLUMNS]
        lines.append(",".join((str(int(folder.name)), *cells, "", "")))
    save(root / "train.csv", ("\n".join(lines) + "\n").encode())


def _case(folder: Path) -> None:
    rng = np.random.default_rng(int(folder.name))
    gland = ellipsoid(SHAPE, (135, 130, 12), (62, 50, 11)) + smooth(rng, SHAPE, 30) / 12
    lesion = ellipsoid(SHAPE, (110, 150, 11), (14, 11, 4)) < 1
    zones = np.select([gland < 0.5, gland < 1], [1, 2], 0).astype(np.uint16)
    files = {
        "t2_anatomy_reader1": zones,
        "t2_tumor_reader1": lesion * np.float32(3),
        "adc_tumor_reader1": lesion * np.float32(1),
    }
    for name in ("t2", "adc", "dwi"):
        tissue = 300 + 70 * smooth(rng, SHAPE, 16) + zones * np.float32(60)
        files[name] = np.maximum(np.rint(tissue + grain(rng, SHAPE, 20)), 0)
    for name, data in files.items():
        save(folder / f"{name}.nii.gz", nifti(data, AFFINE))
