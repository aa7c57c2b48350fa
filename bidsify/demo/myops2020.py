"""Write the MyoPS 2020 layout: three sequences on one oblique grid, labels for training only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import heart, native
from .heart import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SEQUENCES = {"C0": "bSSFP", "DE": "LGE", "T2": "T2w"}
# What the challenge writes for healthy muscle, scar, oedema, left and right blood pool.
_VALUES = np.zeros(6, np.int16)
_VALUES[heart.HEALTHY] = 200
_VALUES[heart.SCAR] = 2221
_VALUES[heart.OEDEMA] = 1220
_VALUES[heart.LEFT_BLOOD] = 500
_VALUES[heart.RIGHT_BLOOD] = 600

_TRAINING = {
    101: Stack(shape=(60, 56, 5), direction=20.0, turns=(38.0, -32.0, 20.0)),
    102: Stack(shape=(57, 62, 3), direction=135.0, turns=(30.0, -41.0, 12.0), size=1.05),
    103: Stack(shape=(54, 58, 4), direction=285.0, turns=(44.0, -25.0, 27.0), size=0.93),
}
_TEST = {201: Stack(shape=(62, 59, 4), direction=75.0, turns=(35.0, -36.0, 8.0))}
_FLOAT = 102  # this label file holds floats
_TWICE = 103  # the LGE of this case is there under both of its names

_README = """\
Synthetic phantoms in the layout of the MyoPS 2020 challenge; no patient data.

The labels of the test cases are encrypted: only the evaluation program can read them.
200 normal myocardium, 500 LV blood pool, 600 RV blood pool, 1220 edema, 2221 scar.
"""
# Neither a program nor gzip: both only have the names of the real files.
_PROGRAM = b"\x7fELF phantom\n"
_ENCRYPTED = bytes((37 * n * n + 91 * n + 218) % 256 for n in range(64))


def make(folder: Path) -> None:
    """Write three training cases and one test case of MyoPS 2020 below ``folder``."""
    for case, stack in _TRAINING.items():
        # The archive of the images unpacks to a folder in a folder of the same name.
        _write_images(folder / "train25" / "train25", f"myops_training_{case}", stack)
        labels: NDArray[Any] = _VALUES[stack.labels()]
        if case == _FLOAT:
            labels = labels.astype(np.float32)
        path = folder / "train25_myops_gd" / f"myops_training_{case}_gd.nii.gz"
        native.save(path, native.gzipped(native.nifti(labels, stack.matrix())))
    for case, stack in _TEST.items():
        _write_images(folder / "test20", f"myops_test_{case}", stack)
        encrypted = f"test_data_gd/myops_test_{case}_gdencrypt.nii.gz"
        native.save(folder / "MyoPS2020_EvaluateByYourself" / encrypted, _ENCRYPTED)
    native.save(folder / "MyoPS2020_EvaluateByYourself" / "readme.txt", _README)
    native.save(folder / "MyoPS2020_EvaluateByYourself" / "zhxCardMyoPSEvaluate", _PROGRAM)
    source = folder / "train25" / "train25" / f"myops_training_{_TWICE}_DE.nii.gz"
    native.save(source.with_name(f"myops_training_{_TWICE}_LGE.nii.gz"), source.read_bytes())


def _write_images(folder: Path, stem: str, stack: Stack) -> None:
    for name, sequence in _SEQUENCES.items():
        content = native.nifti(stack.image(sequence), stack.matrix())
        native.save(folder / f"{stem}_{name}.nii.gz", native.gzipped(content))
