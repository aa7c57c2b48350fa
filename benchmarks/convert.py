"""Throughput of `bidsify convert` against a plain nibabel loop and against `cat`, in one run.

Makes volumes of the size of IVDM3Seg (36 x 256 x 256, int16, uncompressed) and of MyoPS-like
compressed images, converts them, and prints MB of source per second and ratios. All four work
on the same files from a warm cache; each is a process of its own, so start-up counts.

    python benchmarks/convert.py [--cases 16] [--rounds 3]
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from rounds import time_all

SHAPE = (36, 256, 256)
NIBABEL_LOOP = """
import sys, pathlib, nibabel
source, out = map(pathlib.Path, sys.argv[1:])
for path in sorted(source.rglob("*.nii*")):
    image = nibabel.load(path)
    target = out / path.relative_to(source).parent / (path.name.split(".")[0] + ".nii.gz")
    target.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(image.get_fdata(dtype="float32").astype(image.get_data_dtype()),
                        image.affine, image.header).to_filename(target)
"""


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=16, help="cases of five volumes each")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; medians are shown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kinds = (("ivdm3seg, .nii", make_ivdm3seg), ("myops380, .nii.gz", make_myops380))
        for name, make in kinds:
            source = Path(folder) / "source"
            make(source, options.cases)
            compare(name, source, Path(folder), options.rounds)
            shutil.rmtree(source)


def compare(name: str, source: Path, folder: Path, rounds: int) -> None:
    """Time all commands in turn, so that a slow spell of the machine hits all of them."""
    bidsify = [sys.executable, "-m", "bidsify", "-qq", "convert", str(source)]
    out = folder / "out"
    commands = {
        "cat": ["sh", "-c", f"find {source} -type f -exec cat {{}} + > /dev/null"],
        "nibabel loop": [sys.executable, "-c", NIBABEL_LOOP, str(source), str(out)],
        "bidsify -j 1 --no-verify": [*bidsify, str(out), "--no-verify"],
        "bidsify -j 1": [*bidsify, str(out)],
        "bidsify -j 2": [*bidsify, str(out), "-j", "2"],
    }
    seconds = time_all(commands, out, rounds)
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 1e6
    middle = {label: statistics.median(times) for label, times in seconds.items()}
    print(f"\n{name}: {size:.0f} MB of source, median of {rounds}")
    print(f"{'':26}{'s':>8}{'MB/s':>8}{'x nibabel':>11}{'x cat':>8}")
    for label, value in middle.items():
        faster = middle["nibabel loop"] / value
        print(
            f"{label:26}{value:8.2f}{size / value:8.0f}{faster:11.2f}{value / middle['cat']:8.1f}"
        )


def make_ivdm3seg(source: Path, cases: int) -> None:
    """Write uncompressed volumes: a body with noise, and discs as labels."""
    import nibabel as nib

    affine = np.diag([2.0, 1.25, 1.25, 1.0])
    for case in range(1, min(cases, 16) + 1):
        rng = np.random.default_rng(case)
        folder = source / f"{case:02}"
        folder.mkdir(parents=True)
        for contrast in ("fat", "inn", "opp", "wat"):
            image = nib.Nifti1Image(body(rng), affine)
            image.header.set_xyzt_units("mm")
            image.to_filename(folder / f"{case:02}_{contrast}.nii")
        labels = (body(rng) > 380).astype(np.uint8)
        nib.Nifti1Image(labels, affine).to_filename(folder / f"{case:02}_Labels.nii")


def make_myops380(source: Path, cases: int) -> None:
    """Write compressed float volumes, with a name and a time in the gzip header."""
    import nibabel as nib

    for case in range(1, cases + 1):
        rng = np.random.default_rng(case)
        volume = body(rng).astype(np.float32) / 3
        files = {f"{m}/case{case:04}": volume + n for n, m in enumerate(("bSSFP", "LGE", "T2w"))}
        files[f"label/case{case:04}_gt"] = np.clip(np.rint(volume / 60), 0, 3)
        for name, data in files.items():
            path = source / "Raw_data" / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = nib.Nifti1Image(data.astype(np.float32), np.eye(4))
            path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1))


def body(rng: np.random.Generator) -> np.ndarray:
    """Return a smooth body with noise everywhere, as magnitude images have."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    inside = (axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2) < 0.8
    smooth = 250 + 120 * np.sin(5 * axes[1] + axes[0]) * np.cos(4 * axes[2])
    noise = rng.normal(0, 12, (2, *SHAPE))
    return np.hypot(inside * smooth + noise[0], noise[1]).astype(np.int16)


if __name__ == "__main__":
    main()
