"""What `speed.py` compares on a dataset: the label of each program and its command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tables import COPYING

PROGRAMS = Path(__file__).with_name("programs")
#: Datasets whose images are packed already: scripts often copy those as they are.
PACKED = ("brats2021", "myops380", "prostate158")
Named = tuple[str, list[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset, the folder that holds it, the one to write, and the Python that has torch."""

    name: str
    source: Path
    out: Path
    torch: str


def has_torch(python: str) -> bool:
    """Say whether torch and nibabel can be imported by an interpreter."""
    if not shutil.which(python):
        return False
    command = [python, "-c", "import torch, nibabel"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def converters(place: Place, most: int) -> Iterator[Named]:
    """Yield what converts the dataset, with 1 to ``most`` processes."""
    ends = [place.name, str(place.source), str(place.out)]
    yield "cp -R", ["cp", "-R", *ends[1:]]
    for jobs in dict.fromkeys((1, most)):
        with_jobs = ["--jobs", str(jobs)]
        yield f"floor -j {jobs}", [*_program("floor"), *ends, *with_jobs]
        again = [*with_jobs, "--read-back"]
        yield f"floor + read back -j {jobs}", [*_program("floor"), *ends, *again]
        if place.name == "chaos":
            parsed = [*with_jobs, "--dicom", "pydicom"]
            yield f"floor by pydicom -j {jobs}", [*_program("floor"), *ends, *parsed]
        yield from _peers(place, ends, jobs)
        bidsify = [sys.executable, "-m", "bidsify", "-qq", "convert", *ends[1:], "-j", str(jobs)]
        yield f"bidsify --no-verify -j {jobs}", [*bidsify, "--no-verify"]
        yield f"bidsify -j {jobs}", bidsify


def _peers(place: Place, ends: list[str], jobs: int) -> Iterator[Named]:
    many = [] if jobs == 1 else ["--jobs", str(jobs)]
    python = place.torch if place.name == "ssmspine" else sys.executable
    if place.name != "ssmspine" or has_torch(python):
        loop = [*_program("loop", python), *ends, *many]
        yield f"nibabel loop -j {jobs}", loop
        if jobs == 1:
            yield "nibabel loop by float64 -j 1", [*loop, "--float64"]
        if place.name in PACKED:
            yield f"{COPYING} -j {jobs}", [*loop, "--copy"]
    if place.name == "chaos" and find_spec("dcm2niix"):
        images = [*_program("dcm2niix"), *ends[1:], "--jobs", str(jobs)]
        yield f"dcm2niix -z y -1, no masks -j {jobs}", images
        yield f"dcm2niix -z n, isal, no masks -j {jobs}", [*images, "--pack", "isal"]


def verifiers(place: Place, tree: Path, most: int) -> Iterator[Named]:
    """Yield the verification of a tree, and the limit of it."""
    both = [str(place.source), str(tree)]
    for jobs in dict.fromkeys((1, most)):
        yield f"read and inflate all -j {jobs}", [*_program("inflate"), *both, "--jobs", str(jobs)]
        verify = [sys.executable, "-m", "bidsify", "-qq", "verify", *both]
        yield f"bidsify verify -j {jobs}", [*verify, "-j", str(jobs)]


def readers(place: Place) -> Iterator[Named]:
    """Yield what reads .pt files."""
    source = str(place.source)
    yield "bidsify's reader", [*_program("load"), source, "bidsify"]
    if has_torch(place.torch):
        for label, how in (("True", "torch"), ("False", "torch-unsafe")):
            command = [*_program("load", place.torch), source, how]
            yield f"torch.load(weights_only={label})", command
        yield "import torch", [place.torch, "-c", "import torch"]


def _program(name: str, python: str = sys.executable) -> list[str]:
    return [python, str(PROGRAMS / f"{name}.py")]
