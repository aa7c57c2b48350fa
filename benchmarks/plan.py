"""Time from file names to a plan for all 12,500 files of SSMSpine, and the start of `--help`.

The second is set against a click program that does nothing.

    python benchmarks/plan.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = "import click\n@click.group()\ndef main(): pass\nmain()\n"


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; medians are shown")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for patient in range(1, 101):
            place = Path(folder) / ("Train" if patient <= 80 else "Test") / f"p{patient}"
            place.mkdir(parents=True)
            for shape in range(1, 126):
                (place / f"aug{shape}.pt").write_bytes(b"x")
        bidsify = [sys.executable, "-m", "bidsify"]
        scan = timed([*bidsify, "plan", folder], rounds)
        whole, bare = (
            timed([*bidsify, "--help"], rounds),
            timed([sys.executable, "-c", BARE, "--help"], rounds),
        )
    print(f"scan, detect and plan 12,500 files: {scan:.2f} s (whole process)")
    print(f"--help: {whole:.3f} s, {whole / bare:.2f} times a bare click program ({bare:.3f} s)")


def timed(command: list[str], rounds: int) -> float:
    """Return the median seconds of a command."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
