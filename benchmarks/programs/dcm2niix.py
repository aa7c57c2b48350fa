"""Convert the CT series of CHAOS with dcm2niix, its images alone: it does not read PNG masks.

    python dcm2niix.py SOURCE OUT [--jobs 1] [--pack dcm2niix|isal]

With ``isal`` it writes .nii, which is packed as bidsify packs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from packing import option, pack, run


def convert(how: str, out: Path, case: Path) -> None:
    """Convert one series."""
    beside = Path(sys.executable).with_name("dcm2niix")
    program = str(beside) if beside.exists() else str(shutil.which("dcm2niix"))
    packed = ["-z", "n"] if how == "isal" else ["-z", "y", "-1"]
    folder = out / case.name
    folder.mkdir(parents=True)
    end = ["-b", "y", "-f", "ct", "-o", str(folder), str(case / "DICOM_anon")]
    subprocess.run([program, *packed, *end], check=True, stdout=subprocess.DEVNULL)
    for path in folder.glob("*.nii"):
        path.with_suffix(".nii.gz").write_bytes(pack(path.read_bytes()))
        path.unlink()


if __name__ == "__main__":
    cases = sorted((Path(sys.argv[1]) / "Train_Sets" / "CT").iterdir())
    work = partial(convert, option("--pack", "dcm2niix"), Path(sys.argv[2]))
    run(work, cases, int(option("--jobs", "1")))
