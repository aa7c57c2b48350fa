"""Write the MyoPS380 layout: three registered sequences and one label file for each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import heart, native, phantom

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .phantom import Array

# Case: grid, direction of the infarct in degrees.
_CASES = {"0001": ((64, 60, 5), 35.0), "0002": ((62, 56, 3), 150.0), "0006": ((60, 64, 6), 260.0)}
_NAMED = ("LGE", "0002")  # this gzip header keeps a name and a time, as real downloads do
_DOWNLOADED = 1700000000


def make(folder: Path) -> None:
    """Write three cases of MyoPS380 below ``folder``."""
    root = folder / "MyoPS380_dataset" / "Raw_data"
    for case, (shape, direction) in _CASES.items():
        points = phantom.positions(shape, np.eye(4))
        width, height, slices = shape
        middle = (width / 2, height / 2, slices / 2)
        labels = heart.labels(points, middle, direction)
        for sequence, greys in heart.SEQUENCES.items():
            image = _quarters(heart.image(points, middle, labels, greys))
            content = native.nifti(image, np.eye(4), spatial=False)
            is_named = (sequence, case) == _NAMED
            packed = native.gzipped(
                content,
                name=f"case{case}.nii" if is_named else "",
                time=_DOWNLOADED if is_named else 0,
            )
            native.save(root / sequence / f"case{case}.nii.gz", packed)
        labels[labels > heart.OEDEMA] = 0  # blood has no label here
        truth = native.nifti(labels.astype(np.float32), np.eye(4), spatial=False)
        native.save(root / "label" / f"case{case}_gt.nii.gz", native.gzipped(truth))


def _quarters(image: Array) -> NDArray[np.float32]:
    # Close to the real thing, and small when compressed.
    return (np.round(image * 4) / 4).astype(np.float32)
