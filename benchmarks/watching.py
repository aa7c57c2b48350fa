"""Run a command and watch it and its workers: time, and the memory that each took at most."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
_PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds, and MiB at the peak.

    ``driver`` and ``worker`` are resident sets. ``own`` is what the largest worker shares with
    nobody, ``tree`` the sum over all processes of what each has for its share (PSS).
    """

    wall: float
    cpu: float
    driver: float
    worker: float
    own: float
    tree: float


def watch(command: list[str]) -> Cost:
    """Run a command to its end.

    Raises:
        CalledProcessError: It failed.
    """
    start = time.perf_counter()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    before = psutil.Process(process.pid)
    driver = worker = own = tree = 0
    while psutil.pid_exists(process.pid) and before.status() != psutil.STATUS_ZOMBIE:
        sizes = [_sizes(each) for each in (before, *_children(before))]
        driver = max(driver, sizes[0][0])
        worker = max([worker, *(rss for rss, _, _ in sizes[1:])])
        own = max([own, *(uss for _, uss, _ in sizes[1:])])
        tree = max(tree, sum(pss for _, _, pss in sizes))
        time.sleep(_PAUSE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    memory = (size / 2**20 for size in (driver, worker, own, tree))
    return Cost(wall, usage.ru_utime + usage.ru_stime, *memory)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.Error:
        return []
    return found


def _sizes(process: psutil.Process) -> tuple[int, int, int]:
    """Return RSS, USS and PSS in bytes; zeros where the process has ended."""
    try:
        found = process.memory_full_info()
    except psutil.Error:
        return (0, 0, 0)
    return (found.rss, found.uss, found.pss)
