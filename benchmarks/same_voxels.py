"""Whether the floor makes the volumes that bidsify makes: the test of the benchmark itself."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np


def check(commands: Mapping[str, list[str]], out: Path) -> str:
    """Run bidsify and the floor; say how many volumes agree.

    Raises:
        SystemExit: They do not.
    """
    found = {}
    for label in ("floor + read back -j 1", "bidsify -j 1"):
        subprocess.run(["rm", "-rf", str(out)], check=True)
        subprocess.run(commands[label], check=True, stdout=subprocess.DEVNULL)
        found[label] = volumes(out)
    floor, ours = found.values()
    if floor != ours or not ours:
        missing, more = ours - floor, floor - ours
        msg = f"not the same volumes: bidsify alone {[*missing][:3]}, the floor {[*more][:3]}"
        raise SystemExit(msg)
    return f"the floor and bidsify write the same {sum(ours.values())} volumes and tables of points"


def volumes(folder: Path) -> Counter[tuple[Any, ...]]:
    """Return shape, type and hash of the voxels of each volume, and the hash of each table."""
    tables = (hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*points.tsv"))
    return Counter([*map(_volume, folder.rglob("*.nii.gz")), *((table,) for table in tables)])


def _volume(path: Path) -> tuple[Any, ...]:
    image: Any = nib.load(path)
    values = np.asanyarray(image.dataobj)
    kind = values.dtype.newbyteorder("=").str
    return values.shape, kind, hashlib.sha256(values.tobytes(order="F")).hexdigest()
