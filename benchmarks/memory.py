"""How much memory `bidsify convert` and `validate` take, over the number of subjects.

Small volumes show what grows with the number of files: the plan and the record, in the driver.
Volumes of real size (--real) show that what is in flight is bounded: more cases take no more.

    python benchmarks/memory.py [--subjects 500 2000 8000 12500] [-j 2] [--folder FOLDER]
    python benchmarks/memory.py --real [--subjects 20 40 80]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import many_subjects
from watching import watch

MANY, FEW = (500, 2000, 8000, 12_500), (20, 40, 80)


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, nargs="*", help="numbers of subjects")
    parser.add_argument("--real", action="store_true", help="volumes of 240x240x155")
    parser.add_argument("-j", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary one")
    options = parser.parse_args()
    shape = many_subjects.REAL if options.real else many_subjects.SMALL
    print("| subjects | | s | MiB: driver | worker | of it its own | all processes |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for subjects in options.subjects or (FEW if options.real else MANY):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            many_subjects.write(Path(folder) / "source", 0, subjects, shape)
            for name, command in steps(Path(folder), options.j).items():
                cost = watch(command)
                sizes = (cost.driver, cost.worker, cost.own, cost.tree)
                cells = " | ".join(f"{size:.0f}" for size in sizes)
                print(f"| {subjects} | {name} | {cost.wall:.1f} | {cells} |", flush=True)


def steps(folder: Path, jobs: int) -> dict[str, list[str]]:
    """Return the commands, in the order in which they run."""
    out, end = str(folder / "out"), ["-j", str(jobs)]
    bidsify = [sys.executable, "-m", "bidsify"]
    convert = [*bidsify, "-qq", "convert", str(folder / "source"), out, *end]
    validate = [*bidsify, "validate", out, *end]
    return {
        "convert": convert,
        "convert again": convert,
        "validate": validate,
        "validate --level voxels": [*validate, "--level", "voxels"],
    }


if __name__ == "__main__":
    main()
