"""What it costs to do again what was done: 12,500 subjects, then ten more.

Makes a source in the layout of BraTS 2021 (five small volumes a subject, eleven files of the
tree), converts and validates it, does so again with nothing new, adds subjects, and does so once
more. Each line is one process, start-up included.

    python benchmarks/incremental.py [--subjects 12500] [--new 10] [-j 2] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import many_subjects
from watching import watch


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, default=12_500)
    parser.add_argument("--new", type=int, default=10, help="subjects that come later")
    parser.add_argument("--shape", type=int, nargs=3, default=many_subjects.SMALL)
    parser.add_argument("-j", type=int, default=2, help="processes")
    parser.add_argument("--verify", action="store_true", help="verify too, which reads all")
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source, shape = Path(folder) / "source", tuple(options.shape)
        many_subjects.write(source, 0, options.subjects, shape)
        print(f"| {options.subjects} subjects | first | again | {options.new} new |")
        print("|---|---:|---:|---:|")
        commands = steps(Path(folder), options.j, verify=options.verify)
        rounds = [times(commands), times(commands)]
        many_subjects.write(source, options.subjects, options.subjects + options.new, shape)
        rounds.append(times(commands))
        for name in commands:
            print(f"| {name} | " + " | ".join(each[name] for each in rounds) + " |")


def steps(folder: Path, jobs: int, *, verify: bool) -> dict[str, list[str]]:
    """Return the commands, in the order in which they run."""
    source, out = str(folder / "source"), str(folder / "out")
    bidsify = [sys.executable, "-m", "bidsify"]
    validate, end = [*bidsify, "validate", out], ["-j", str(jobs)]
    cache = ["--cache", str(folder / "cache.json")]
    found = {
        "convert": [*bidsify, "-qq", "convert", source, out, *end],
        "validate": [*validate, *end],
        "validate --cache": [*validate, *cache, *end],
        "validate --level voxels": [*validate, "--level", "voxels", *end],
        "validate --level voxels --cache": [*validate, "--level", "voxels", *cache, *end],
    }
    return {**found, **({"verify": [*bidsify, "verify", source, out, *end]} if verify else {})}


def times(commands: dict[str, list[str]]) -> dict[str, str]:
    """Run them once; return seconds, by the clock and of the processors."""
    costs = {name: watch(command) for name, command in commands.items()}
    return {name: f"{cost.wall:.1f} s (CPU {cost.cpu:.1f})" for name, cost in costs.items()}


if __name__ == "__main__":
    main()
