"""Small BIDS trees for tests of what looks at trees: boxes as labels, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

SHAPE, SPACING = (10, 9, 4), (1.0, 1.0, 3.0)
Box = tuple[slice, slice, slice]
LIVER: Mapping[int, Box] = {1: (slice(1, 5), slice(2, 6), slice(1, 3))}


def nifti(path: Path, data: Any, affine: Any = None) -> None:
    """Write a file that states millimetres."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, np.diag([*SPACING, 1.0]) if affine is None else affine)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


def labels(boxes: Mapping[int, Box], shape: Sequence[int] = SHAPE) -> Any:
    """Return an array in which each value fills a box."""
    made = np.zeros(shape, np.uint8)
    for value, box in boxes.items():
        made[box] = value
    return made


def add(root: Path, subject: str, boxes: Mapping[int, Box] | None, *contrasts: str) -> None:
    """Add a subject: a segmentation, unless there are no boxes, and images on its grid."""
    folder = root / f"sub-{subject}" / "anat"
    if boxes is not None:
        nifti(folder / f"sub-{subject}_dseg.nii.gz", labels(boxes))
    for contrast in contrasts:
        nifti(folder / f"sub-{subject}_{contrast}.nii.gz", np.ones(SHAPE, np.int16))


def make(root: Path, rows: str = "1\tliver\t#b35f44\n2\tspleen\t#7a3e8e\n", **keys: Any) -> Path:
    """Make a tree with a label table and no subjects."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "dseg.tsv").write_text(f"index\tname\tcolor\n{rows}")
    stated = {"Name": "Small", "BIDSVersion": "1.10.0", "License": "CC0", **keys}
    (root / "dataset_description.json").write_text(json.dumps(stated))
    return root


def several(root: Path, number: int) -> Path:
    """Make a tree of subjects whose livers grow slowly, but for the last, which is small."""
    make(root)
    for n in range(number):
        size = 1 if n == number - 1 else 4 + n % 2
        add(root, f"{n + 1:02}", {1: (slice(1, 1 + size), slice(2, 2 + size), slice(1, 3))}, "T1w")
    return root
