"""IVDM3Seg: four Dixon images and a label map of discs, not packed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .drawing import ellipsoid, grain, nifti, save, smooth

SHAPE = (36, 256, 256)
AFFINE = np.diag([2.0, 1.25, 1.25, 1.0])
_MOST = 16  # cases that were published


def make(source: Path, cases: int) -> None:
    """Write cases of the training data, 16 at most."""
    for case in range(1, min(cases, _MOST) + 1):
        rng = np.random.default_rng(case)
        folder = source / "Training" / f"{case:02}"
        body = ellipsoid(SHAPE, (18, 128, 128), (21, 118, 190)) < 1
        for contrast in ("fat", "inn", "opp", "wat"):
            tissue = body * (250 + 60 * smooth(rng, SHAPE, 14))
            image = np.hypot(tissue + grain(rng, SHAPE, 12), grain(rng, SHAPE, 12))
            save(folder / f"{case:02}_{contrast}.nii", nifti(image.astype(np.int16), AFFINE))
        discs = np.zeros(SHAPE, np.uint8)
        for level in range(7):
            discs[ellipsoid(SHAPE, (18, 150, 28 + 33 * level), (12, 20, 6)) < 1] = 1
        save(folder / f"{case:02}_Labels.nii", nifti(discs, AFFINE))
