"""Write the MyoPS++ layout (CARE 2024): centres with one, two or three sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import heart, native
from .heart import Stack

if TYPE_CHECKING:
    from pathlib import Path

# Healthy muscle, scar, oedema, left and right blood pool. Without T2w nobody sees the oedema, and
# centre A labels nothing but muscle and scar.
_VALUES = {
    "CenterA": (200, 2221, 200, 0, 0),
    "CenterB": (200, 2221, 1220, 500, 600),
    "CenterE": (200, 2221, 200, 500, 600),
}
_SEQUENCES = {
    "CenterA": {"LGE": "LGE"},
    "CenterB": {"C0": "bSSFP", "LGE": "LGE", "T2": "T2w"},
    "CenterE": {"C0": "bSSFP", "LGE": "LGE"},
}
_CASES = (
    ("CenterA", "Case1001", Stack(shape=(58, 54, 5), direction=60.0, turns=(33.0, -29.0, 18.0))),
    ("CenterB", "Case2001", Stack(shape=(61, 57, 4), direction=200.0, turns=(40.0, -35.0, 10.0))),
    (
        "CenterB",
        "Case2002",
        Stack(shape=(55, 59, 3), direction=330.0, turns=(28.0, -38.0, 25.0), size=0.95),
    ),
    (
        "CenterE",
        "Case5001",
        Stack(shape=(60, 63, 5), direction=110.0, turns=(36.0, -27.0, 14.0), size=1.06),
    ),
)


def make(folder: Path) -> None:
    """Write four cases of three centres of MyoPS++ below ``folder``."""
    for center, case, stack in _CASES:
        stem = folder / "MyoPS_train" / center / case / case
        values = np.zeros(6, np.int16)
        values[heart.HEALTHY :] = _VALUES[center]
        volumes = {"gd": values[stack.labels()]}
        for name, sequence in _SEQUENCES[center].items():
            volumes[name] = stack.image(sequence)
        for name, data in volumes.items():
            content = native.gzipped(native.nifti(data, stack.matrix()))
            native.save(stem.with_name(f"{case}_{name}.nii.gz"), content)
