"""Write BraTS cases: what the editions share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import brain, native

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .brain import Lesion
    from .phantom import Array

# How the names of the files of a case end.
UNTIL_2021 = {"T1": "_t1", "T1ce": "_t1ce", "T2": "_t2", "FLAIR": "_flair", "labels": "_seg"}
SINCE_2023 = {"T1": "-t1n", "T1ce": "-t1c", "T2": "-t2w", "FLAIR": "-t2f", "labels": "-seg"}
# The value of each part of a tumour: the enhancing tumour was 4, later 3.
VALUES_UNTIL_2021 = {"necrosis": 1, "oedema": 2, "enhancing": 4}
VALUES_OF_2023 = {"necrosis": 1, "oedema": 2, "enhancing": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scan of a patient: its brain has half-lengths and a shift from the middle, in mm."""

    name: str
    lesions: tuple[Lesion, ...]
    lengths: tuple[float, float, float] = (10.5, 11.5, 8.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_labelled: bool = True
    label_type: type[np.uint8 | np.float32] = np.uint8


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What the cases of an edition have in common: file names, label values and grid.

    The grid has steps of 1 mm along the axes of the patient, from ``corner`` in mm (RAS+) on. By
    default its axes run to the left, the back and the top, like those of the SRI24 atlas.
    """

    endings: Mapping[str, str]
    values: Mapping[str, int]
    shape: tuple[int, int, int] = (24, 26, 18)
    steps: tuple[float, float, float] = (-1.0, -1.0, 1.0)
    corner: tuple[float, float, float] = (0.0, 239.0, 0.0)

    def matrix(self) -> Array:
        """Give the affine of the grid."""
        matrix = np.diag([*self.steps, 1.0])
        matrix[:3, 3] = self.corner
        return matrix

    def files(self, case: Case) -> dict[str, bytes]:
        """Encode the images of a case and its labels, by file name without ``.gz``."""
        matrix = self.matrix()
        where = brain.points(self.shape, matrix, case.lengths, case.shift)
        images = brain.stripped(where, case.lesions)
        files = {self._name(case, key): native.nifti(data, matrix) for key, data in images.items()}
        if case.is_labelled:
            labels = brain.labels(where, case.lesions, self.values) * brain.inside(where)
            content = native.nifti(labels.astype(case.label_type), matrix)
            files[self._name(case, "labels")] = content
        return files

    def save(self, folder: Path, cases: Iterable[Case]) -> None:
        """Write a folder of compressed files for each case."""
        for case in cases:
            for name, content in self.files(case).items():
                native.save(folder / case.name / f"{name}.gz", native.gzipped(content))

    def _name(self, case: Case, key: str) -> str:
        return f"{case.name}{self.endings[key]}.nii"


def save_cohort(folder: Path, cohort: str, cases: Iterable[Case]) -> None:
    """Write one cohort of the edition of 2023: unlabelled cases are those for validation."""
    edition = Edition(endings=SINCE_2023, values=VALUES_OF_2023)
    for case in cases:
        split = "Training" if case.is_labelled else "Validation"
        root = folder / f"ASNR-MICCAI-BraTS2023-{cohort}-Challenge-{split}Data"
        edition.save(root, [case])
