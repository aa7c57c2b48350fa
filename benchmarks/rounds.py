"""Time commands in turn, so that a slow spell of the machine hits all of them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def time_all(
    commands: Mapping[str, Sequence[str]], out: Path, rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each run; ``out``, which the commands write, is removed before each."""
    seconds: dict[str, list[float]] = {label: [] for label in commands}
    for _ in range(rounds):
        for label, command in commands.items():
            shutil.rmtree(out, ignore_errors=True)
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[label].append(time.perf_counter() - start)
    return seconds
