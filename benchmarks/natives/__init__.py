"""Synthetic datasets of real size, in the layouts of their publishers.

Grids, types, numbers of files and the way they are packed are those of the published files where
those are known; the content is smooth tissue with noise, in a body or a brain, and blobs as labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Native:
    """A dataset: ``make(folder, cases)`` writes it; ``what`` says what a case is."""

    name: str
    cases: int
    what: str

    def make(self, folder: Path, cases: int) -> None:
        """Write so many cases below ``folder``."""
        make: Callable[[Path, int], None] = import_module(f"{__name__}.{self.name}").make
        make(folder, cases)


#: What is measured, with the cases that a run takes by default.
NATIVES = {
    one.name: one
    for one in (
        Native("ssmspine", 125, "shape of 512 x 512: a .pt of ten tensors"),
        Native("brats2021", 16, "patient: five .nii.gz of 240 x 240 x 155, int16 and uint8"),
        Native("ivdm3seg", 16, "patient: five .nii of 36 x 256 x 256, int16 and uint8"),
        Native("chaos", 6, "CT of 512 x 512 x 200: DICOM slices of 16 bits, PNG masks of 1 bit"),
        Native("myops380", 380, "heart: four .nii.gz of 128 x 128 x 2 to 11, float32"),
        Native("prostate158", 48, "prostate: six .nii.gz of 270 x 270 x 24, float32 and uint16"),
    )
}
