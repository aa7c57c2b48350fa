"""BraTS 2021: four images and a label map of a skull-stripped head, packed at level 6."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .drawing import ellipsoid, grain, in_processes, nifti, save, smooth

SHAPE = (240, 240, 155)
CENTRE = (120, 125, 78)
HALF = (70, 88, 64)  # voxels from the centre of the brain to its edges
LESION = (100, 105, 90)
AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])


def make(source: Path, cases: int) -> None:
    """Write cases of the training data."""
    root = source / "RSNA_ASNR_MICCAI_BraTS2021_TrainingData"
    in_processes(_case, [root / f"BraTS2021_{number:05}" for number in range(cases)])


def _case(folder: Path) -> None:
    rng = np.random.default_rng(int(folder.name[-5:]))
    inside = ellipsoid(SHAPE, CENTRE, HALF) < 1
    lesion = ellipsoid(SHAPE, LESION, (26, 30, 24)) + smooth(rng, SHAPE, 12) / 4
    labels = np.select([lesion < 0.2, lesion < 0.5, lesion < 1], [1, 4, 2], 0).astype(np.uint8)
    save(folder / f"{folder.name}_seg.nii.gz", nifti(labels, AFFINE))
    tissue = 900 + 250 * smooth(rng, SHAPE, 10)
    for n, word in enumerate(("t1", "t1ce", "t2", "flair")):
        image = tissue + labels * np.float32(90 * n) + grain(rng, SHAPE, 60)
        image = np.maximum(image, 1).astype(np.int16) * inside
        save(folder / f"{folder.name}_{word}.nii.gz", nifti(image, AFFINE))
