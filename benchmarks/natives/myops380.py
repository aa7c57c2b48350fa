"""MyoPS380: three registered sequences of 128 x 128 pixels, and labels stored as real numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .drawing import ellipsoid, grain, nifti, save, smooth

WIDTH = 128
SEQUENCES = ("bSSFP", "LGE", "T2w")
#: Slices of the published training cases, in about their shares.
SLICES = (3, 3, 5, 6, 6, 7, 7, 7, 8, 8, 9, 11)


def make(source: Path, cases: int) -> None:
    """Write cases; neither unit nor place is stated, as in the published files."""
    root = source / "MyoPS380_dataset" / "Raw_data"
    for case in range(1, cases + 1):
        rng = np.random.default_rng(case)
        shape = (WIDTH, WIDTH, SLICES[case % len(SLICES)])
        heart = ellipsoid(shape, (66, 62, shape[2] / 2), (26, 25, shape[2] + 4.0))
        ring = (heart < 1) & (heart > 0.4)
        labels = np.select([ring & (smooth(rng, shape, 9) > 1), ring], [2, 1], 0)
        labels[(labels == 1) & (smooth(rng, shape, 12) > 1)] = 3
        files = {f"label/case{case:04}_gt": labels}
        for name in SEQUENCES:
            image = 90 + 30 * smooth(rng, shape, 12) + 20.0 * labels + grain(rng, shape, 5)
            files[f"{name}/case{case:04}"] = np.clip(image, 0, 255)
        for name, data in files.items():
            content = nifti(data.astype(np.float32), np.eye(4), in_mm=False)
            save(root / f"{name}.nii.gz", content)
