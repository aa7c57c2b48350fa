"""Throughput of `bidsify convert` on BraTS cases of real size, against `cp` and others, in one run.

A case is four images of 240 x 240 x 155 (int16, 2.5 to 2.7 MB) and a label map (uint8), each
packed at level 6 with a name and a time in its header, as the publisher's files are. No voxel
needs a change, so the limit is a program that does what cannot be left out: read, inflate,
SHA-256 of the content, write. Each command is a process of its own and works from a warm cache.

    python benchmarks/brats.py [--cases 20] [--rounds 5]
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from rounds import time_all

SHAPE = (240, 240, 155)
CENTRE = (120, 125, 78)
HALF = (70, 88, 64)  # voxels from the centre of the brain to its edges
LESION = (100, 105, 90)
NIBABEL_LOOP = """
import sys, pathlib, nibabel, numpy
source, out = map(pathlib.Path, sys.argv[1:])
for path in sorted(source.rglob("*.nii.gz")):
    image = nibabel.load(path)
    target = out / path.relative_to(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    values = numpy.asanyarray(image.dataobj)
    nibabel.Nifti1Image(values, image.affine, image.header).to_filename(target)
"""
FLOOR = """
import hashlib, pathlib, sys
from isal import isal_zlib
source, out = map(pathlib.Path, sys.argv[1:])
for path in sorted(source.rglob("*.nii.gz")):
    packed = path.read_bytes()
    stream, size = isal_zlib.decompressobj(31), int.from_bytes(packed[-4:], "little")
    hashlib.sha256(stream.decompress(packed, size + 1)).hexdigest()
    assert stream.eof
    target = out / path.relative_to(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed)
"""


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=20, help="cases of five volumes each")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; minima are shown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        raw = sum(make_case(source, number) for number in range(options.cases))
        packed = sum(path.stat().st_size for path in source.rglob("*.nii.gz"))
        seconds = measure(source, Path(folder) / "out", options.rounds)
    show(seconds, options.cases, packed / 1e6, raw / 1e6)


def measure(source: Path, out: Path, rounds: int) -> dict[str, float]:
    """Time all commands in turn, so that a slow spell of the machine hits all of them."""
    bidsify = [sys.executable, "-m", "bidsify", "-qq", "convert", str(source), str(out)]
    commands = {
        "cp -R": ["cp", "-R", str(source), str(out)],
        "nibabel loop": [sys.executable, "-c", NIBABEL_LOOP, str(source), str(out)],
        "floor": [sys.executable, "-c", FLOOR, str(source), str(out)],
        "bidsify -j 1 --no-verify": [*bidsify, "--no-verify"],
        "bidsify -j 1": bidsify,
        "bidsify -j 2 --no-verify": [*bidsify, "-j", "2", "--no-verify"],
        "bidsify -j 2": [*bidsify, "-j", "2"],
    }
    seconds = time_all(commands, out, rounds)
    return {label: min(times) for label, times in seconds.items()}


def show(seconds: dict[str, float], cases: int, packed: float, raw: float) -> None:
    """Print a row for each command."""
    print(f"{cases} cases, {packed:.0f} MB packed, {raw:.0f} MB inflated; minimum of each")
    print(f"{'':26}{'s':>8}{'MB/s':>8}{'inflated':>10}{'x nibabel':>11}{'x floor':>9}{'x cp':>8}")
    for label, value in seconds.items():
        print(
            f"{label:26}{value:8.2f}{packed / value:8.0f}{raw / value:10.0f}"
            f"{seconds['nibabel loop'] / value:11.2f}{value / seconds['floor']:9.2f}"
            f"{value / seconds['cp -R']:8.1f}"
        )


def make_case(source: Path, number: int) -> int:
    """Write a case in the layout of BraTS 2021; return the bytes of its volumes, inflated."""
    rng = np.random.default_rng(number)
    name = f"BraTS2021_{number:05}"
    folder = source / "RSNA_ASNR_MICCAI_BraTS2021_TrainingData" / name
    folder.mkdir(parents=True)
    tissue, edge = smooth(rng, 10), smooth(rng, 12)
    inside = ellipsoid(CENTRE, HALF) < 1
    lesion = ellipsoid(LESION, (26, 30, 24)) + edge / 4
    labels = np.select([lesion < 0.2, lesion < 0.5, lesion < 1], [1, 4, 2], 0).astype(np.uint8)
    size = save(folder / f"{name}_seg.nii.gz", labels)
    for n, word in enumerate(("t1", "t1ce", "t2", "flair")):
        noise = rng.normal(0, 60, SHAPE)
        image = np.maximum(900 + 250 * tissue + 90.0 * n * labels + noise, 1) * inside
        size += save(folder / f"{name}_{word}.nii.gz", image.astype(np.int16))
    return size


def save(path: Path, data: np.ndarray) -> int:
    """Write a volume, its gzip header with name and time; return its size before packing."""
    affine = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    raw: bytes = image.to_bytes()
    packed = io.BytesIO()
    with gzip.GzipFile(path.name.removesuffix(".gz"), "wb", 6, packed, 1617486000) as stream:
        stream.write(raw)
    path.write_bytes(packed.getvalue())
    return len(raw)


def ellipsoid(centre: tuple[int, ...], half: tuple[int, ...]) -> np.ndarray:
    """Return the squared distance of each voxel from the centre, 1 at the edge."""
    axes = np.ogrid[tuple(slice(n) for n in SHAPE)]
    return sum(((a - c) / h) ** 2 for a, c, h in zip(axes, centre, half, strict=True))


def smooth(rng: np.random.Generator, step: int) -> np.ndarray:
    """Return noise that is linear between points ``step`` voxels apart; standard deviation 1."""
    field = rng.normal(0, 1, [n // step + 2 for n in SHAPE])
    for axis, size in enumerate(SHAPE):
        whole, part = np.divmod(np.arange(size) / step, 1)
        low = whole.astype(int)
        part = part.reshape([-1 if a == axis else 1 for a in range(3)])
        field = field.take(low, axis) * (1 - part) + field.take(low + 1, axis) * part
    return field / field.std()


if __name__ == "__main__":
    main()
