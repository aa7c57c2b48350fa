"""Write the crossMoDA 2022 layout: two hospitals, and a table of the labelled cases.

The masks of Tilburg (etz) are stored scaled, so that their labels decode a little below the whole
numbers, as in the distributed files: 1 as 0.9999999997671694, which is 1 - 2**-32.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from . import cerebellopontine, native
from .cerebellopontine import Head, schwannoma, stack
from .crossmoda import Person

if TYPE_CHECKING:
    from pathlib import Path

# A header holds its slope as a 32-bit float, with 24 bits for the digits. As
# 2**32 - 1 == 257 * 16711935 and the second factor fits in 24 bits, the stored value 257 times this
# slope is 1 - 2**-32 without any rounding; the label 2 is stored as 514.
_STEP = 257
_SLOPE = 16711935 / 2**32
_SLOPE_AT = 112  # bytes from the start of a NIfTI-1 header: scl_slope, then scl_inter

_LONDON = stack((36, 33, 8), (2.0, 1.9, 1.5), (2.0, -20.0, -33.0))
_TILBURG = stack((37, 32, 9), (1.95, 1.9, 1.5), (-1.0, -25.0, 12.0), (-3.0, 2.0, 4.0))
_HRT2 = stack((38, 34, 10), (1.9, 1.8, 1.0), (1.0, -18.0, -40.0))
_SOURCE = {
    "crossmoda2021_ldn_1": Person(stack=_LONDON, head=Head(tumour=schwannoma())),
    "crossmoda2021_ldn_2": Person(
        stack=_LONDON, head=Head(tumour=schwannoma(0.7, (1.0, 0.0, 0.0)), side=-1)
    ),
    "crossmoda2022_etz_0": Person(
        stack=_TILBURG, head=Head(tumour=schwannoma(1.1, (-0.4, 0.0, 0.2)))
    ),
}
_TARGET = {
    "crossmoda2022_training/training_target/crossmoda2021_ldn_106": Person(
        stack=_HRT2, head=Head(tumour=schwannoma(0.9))
    ),
    "crossmoda2022_training/training_target/crossmoda2022_etz_105": Person(
        stack=_HRT2, head=Head(tumour=schwannoma(1.05, (0.0, 0.5, 0.0)), side=-1)
    ),
    "crossmoda2022_validation/crossmoda2022_etz_210": Person(
        stack=_HRT2, head=Head(tumour=schwannoma(0.85, (0.5, 0.0, -0.3)))
    ),
}
_INFOS = """\
crossmoda_name,koos,center
crossmoda2021_ldn_1,3,ldn
crossmoda2021_ldn_2,post-operative-london,ldn
crossmoda2022_etz_0,4,etz
"""


def make(folder: Path) -> None:
    """Write three labelled and three unlabelled cases of crossMoDA 2022 below ``folder``."""
    training = folder / "crossmoda2022_training"
    native.save(training / "infos_source_training.csv", _INFOS)
    for name, person in _SOURCE.items():
        stem = training / "training_source" / name
        native.save(stem.with_name(f"{name}_ceT1.nii.gz"), person.scan("ceT1"))
        labels = _scaled_labels(person) if "_etz_" in name else person.labels()
        native.save(stem.with_name(f"{name}_Label.nii.gz"), labels)
    for case, person in _TARGET.items():
        native.save(folder / f"{case}_hrT2.nii.gz", person.scan("T2"))


def _scaled_labels(person: Person) -> bytes:
    labels = cerebellopontine.labels(person.points(), person.head).astype(np.uint16)
    matrix = cerebellopontine.to_ras(person.stack.matrix())
    content = bytearray(native.nifti(labels * _STEP, matrix))
    struct.pack_into("<ff", content, _SLOPE_AT, _SLOPE, 0.0)
    return native.gzipped(bytes(content))
