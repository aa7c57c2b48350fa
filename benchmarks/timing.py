"""Time processes: in rounds, in an order that is shuffled anew for each, from a warm cache."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).parents[1]  # the bidsify of this folder is what is timed


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a run from start to exit, and of processor time (user and system), all told."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Times:
    """The runs of one command; ``by_cpu`` says what ratios are made of."""

    runs: tuple[Cost, ...]
    by_cpu: bool = False

    @property
    def best(self) -> float:
        """Return the seconds of the fastest run: the one with the least of what others did."""
        return min(one.wall for one in self.runs)

    @property
    def middle(self) -> float:
        """Return the median of the seconds."""
        return median(one.wall for one in self.runs)

    @property
    def weight(self) -> float:
        """Return what ratios are made of: seconds, or processor time on a machine in use."""
        return self.cpu if self.by_cpu else self.best

    @property
    def cpu(self) -> float:
        """Return the least processor time."""
        return min(one.cpu for one in self.runs)


def time_all(
    commands: Mapping[str, Sequence[str]], out: Path, rounds: int, seed: int = 1
) -> dict[str, Times]:
    """Time all commands; ``out``, which they write, is removed and disks are idle before each."""
    order = random.Random(seed)  # noqa: S311  an order, not a secret
    costs: dict[str, list[Cost]] = {label: [] for label in commands}
    for number in range(rounds):
        for label in order.sample(list(commands), len(commands)):
            shutil.rmtree(out, ignore_errors=True)
            os.sync()
            costs[label].append(run(commands[label]))
            print(f"  {number + 1} {label}: {costs[label][-1].wall:.2f} s", file=sys.stderr)
    shutil.rmtree(out, ignore_errors=True)
    return {label: Times(tuple(runs)) for label, runs in costs.items()}


def run(command: Sequence[str]) -> Cost:
    """Run a command to its end.

    Raises:
        SystemExit: It failed.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=_ROOT) as process:
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        msg = f"exit {process.returncode}: {' '.join(command)}"
        raise SystemExit(msg)
    return Cost(wall, usage.ru_utime + usage.ru_stime)
