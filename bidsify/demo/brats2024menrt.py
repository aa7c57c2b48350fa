"""Write the layout of BraTS 2024 for the radiotherapy of meningioma: whole heads as scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import brain, native, phantom
from .brain import Lesion

if TYPE_CHECKING:
    from pathlib import Path

    from .phantom import Array

_VALUES = {"enhancing": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One planning scan on its own oblique grid, and the centre and the size of its tumour."""

    folder: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    turns: tuple[float, float, float]
    tumour: tuple[float, float, float]
    size: float
    lengths: tuple[float, float, float] = (8.2, 9.4, 7.8)

    def matrix(self) -> Array:
        """Give the affine of the grid."""
        return phantom.grid(self.shape, self.spacing, (3.5, -12.0, 21.0), self.turns)


_TRAINING, _VALIDATION = "BraTS-MEN-RT-Train-v2", "BraTS-MEN-RT-Val-v1"
_CASES = {
    "BraTS-MEN-RT-0402-1": _Case(
        folder=_TRAINING,
        shape=(26, 30, 18),
        spacing=(-0.95, -0.95, 1.35),
        turns=(6.0, -3.0, 4.0),
        tumour=(0.72, 0.3, 0.45),
        size=0.5,
    ),
    # Scanned in coronal slices: the third axis runs from front to back.
    "BraTS-MEN-RT-0017-1": _Case(
        folder=_TRAINING,
        shape=(24, 25, 22),
        spacing=(-1.0, 1.0, 1.25),
        turns=(85.0, 4.0, -5.0),
        tumour=(-0.3, 0.75, 0.3),
        size=0.44,
        lengths=(7.9, 9.5, 7.6),
    ),
    "BraTS-MEN-RT-0501-1": _Case(
        folder=_VALIDATION,
        shape=(28, 28, 16),
        spacing=(-0.9, -1.0, 1.5),
        turns=(-8.0, 2.0, 3.0),
        tumour=(-0.7, -0.2, 0.4),
        size=0.46,
    ),
}


def make(folder: Path) -> None:
    """Write two training cases and one validation case of the cohort below ``folder``."""
    for name, case in _CASES.items():
        matrix = case.matrix()
        where = brain.points(case.shape, matrix, case.lengths)
        lesions = [Lesion(centre=case.tumour, size=case.size, parts=("enhancing",))]
        content = native.nifti(brain.head(where, lesions, "T1ce"), matrix)
        stem = folder / case.folder / name / name
        native.save(stem.with_name(f"{name}_t1c.nii.gz"), native.gzipped(content))
        if case.folder == _TRAINING:
            content = native.nifti(brain.labels(where, lesions, _VALUES), matrix)
            native.save(stem.with_name(f"{name}_gtv.nii.gz"), native.gzipped(content))
