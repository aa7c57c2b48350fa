"""A source of any number of subjects, in the layout of BraTS 2021: five small volumes each.

    python benchmarks/many_subjects.py FOLDER [--subjects 12500] [--shape 8 8 5]

A subject becomes eleven files of a tree, so 12,500 subjects give 137,500.
"""

from __future__ import annotations

import argparse
import gzip
import struct
from pathlib import Path

import numpy as np

CONTRASTS = ("t1", "t1ce", "t2", "flair")
SMALL = (8, 8, 5)
REAL = (240, 240, 155)
_KINDS = 16  # different contents; each is written for many subjects


def write(root: Path, first: int, last: int, shape: tuple[int, int, int] = SMALL) -> None:
    """Write the subjects ``first`` to ``last - 1``; more can be added later."""
    kinds = [_case(number, shape) for number in range(min(_KINDS, last - first))]
    for number in range(first, last):
        name = f"BraTS2021_{number:05}"
        folder = root / "TrainingData" / name
        folder.mkdir(parents=True)
        for ending, content in kinds[number % len(kinds)].items():
            (folder / f"{name}_{ending}.nii.gz").write_bytes(content)


def _case(number: int, shape: tuple[int, int, int]) -> dict[str, bytes]:
    """Return the files of a case by the end of their names: noise in a ball, and parts of it."""
    rng = np.random.default_rng(number)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    distance = sum(axis**2 for axis in axes)
    files = {}
    for place, contrast in enumerate(CONTRASTS):
        grey = (distance < 0.5) * (300 + 100 * place + rng.normal(0, 12, shape))
        files[contrast] = _packed(grey.astype(np.int16))
    parts = np.select([distance < 0.05, distance < 0.1, distance < 0.2], [1, 4, 2], 0)
    return {**files, "seg": _packed(parts.astype(np.uint8))}


def _packed(data: np.ndarray) -> bytes:
    """Encode as NIfTI-1 on the grid of the SRI24 atlas, compressed without a time."""
    code, bits = {"int16": (4, 16), "uint8": (2, 8)}[data.dtype.name]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *data.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<B", header, 123, 2)  # millimetres
    struct.pack_into("<2h", header, 252, 1, 1)
    struct.pack_into("<6f", header, 256, 0, 0, 1, 0, 239, 0)  # a half turn about the third axis
    struct.pack_into("<12f", header, 280, -1, 0, 0, 0, 0, -1, 0, 239, 0, 0, 1, 0)
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header) + data.tobytes(order="F"), compresslevel=1, mtime=0)


def main() -> None:
    """Write a source."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=12_500)
    parser.add_argument("--shape", type=int, nargs=3, default=SMALL)
    options = parser.parse_args()
    write(options.folder, 0, options.subjects, tuple(options.shape))


if __name__ == "__main__":
    main()
