"""How the time of a conversion falls with the workers of a Dask cluster, and what bounds it.

Measures on this machine: seconds of a unit of several datasets of real size; what a task costs a
real scheduler and the process of the command; opens and renames on this file system. Then
simulates 12,500 units on 1 to 256 workers (`cluster_model.py` explains the model), with batches of
1, 10 and 50 units and as bidsify sizes them, and says what all others wait for. Two numbers
cannot be measured here and are assumed: what the shared file system serves to all workers together
(--write-MBps, --read-MBps, --opens-per-s). Last, the model is held against real runs on 1 and 2
workers of this machine.

    python benchmarks/scale.py [--units 12500] [--kinds ssmspine brats2021 myops380]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from cluster_model import Costs, Kind, Simulated, noop, simulate
from natives import NATIVES

import bidsify
from bidsify import Cluster
from bidsify.engine import run as engine
from bidsify.engine.cluster_worker import pickled_for_others
from bidsify.engine.pool import run_all
from bidsify.records.receipts import receipt_entry

HERE = Path(__file__).resolve().parent
CASES = {"ssmspine": 60, "ivdm3seg": 16, "brats2021": 8, "chaos": 2, "myops380": 60}
WORKERS = (1, 4, 16, 64, 256)
SIZES = (1, 10, 50, None)
TASKS = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """A dataset: seconds of each unit, and what one does to a file system on average."""

    name: str
    source: Path
    seconds: tuple[float, ...]
    read: float  # bytes
    written: float
    opens: float
    sent: float  # bytes to a worker
    packing: float  # seconds of the driver: to pack the unit, and to note its receipts

    def on(self, asked: argparse.Namespace) -> Kind:
        """Return what the model needs, on a file system as assumed."""
        storage = (
            self.opens / asked.opens_per_s
            + self.read / (asked.read_mbps * 1e6)
            + self.written / (asked.write_mbps * 1e6)
        )
        return Kind(self.name, self.seconds, storage, self.sent)


def main() -> None:
    """Measure, simulate, compare."""
    asked = _asked()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        measured = [measure(kind, folder) for kind in asked.kinds]
        with cluster(folder, 2) as (address, scheduler):
            costs = task_costs(address, scheduler)
        print_measured(measured, costs, opens_a_second(folder))
        for one in measured:
            kind = one.on(asked)
            costs = replace(costs, driver_unit=one.packing)
            print_simulated(kind, costs, asked.units, "the shared file system as assumed")
            fast = replace(kind, storage=0.0)
            print_simulated(fast, costs, asked.units, "a file system without limits")
        print(
            f"\nAssumed of the shared file system: {asked.write_mbps:g} MB/s of writes, "
            f"{asked.read_mbps:g} MB/s of reads, {asked.opens_per_s:g} opens and renames a second."
        )
        compare(measured[0], costs, folder)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--units", type=int, default=12_500, help="subjects to simulate")
    parser.add_argument("--kinds", nargs="+", choices=[*CASES], metavar="NAME",
                        default=["ssmspine", "brats2021", "myops380"])  # fmt: skip
    parser.add_argument("--write-MBps", dest="write_mbps", type=float, default=1000)
    parser.add_argument("--read-MBps", dest="read_mbps", type=float, default=2000)
    parser.add_argument("--opens-per-s", dest="opens_per_s", type=float, default=5000)
    parser.add_argument("--folder", type=Path, help="where to write; default: temporary files")
    return parser.parse_args()


def measure(name: str, folder: Path) -> Measured:
    """Convert some cases in this process, and note what each unit took."""
    source = folder / name
    NATIVES[name].make(source, CASES[name])
    at, seconds, sent = [0.0], list[float](), list[int]()
    packing: list[float] = []
    total = {"read": 0, "written": 0, "opens": 0}

    def watch(unit: Any, outcomes: Sequence[Any], *_: int) -> None:
        now = time.perf_counter()
        seconds.append(now - at[0])
        receipts = [o.receipt for o in outcomes if o.receipt]
        paths = {path: fact.size for receipt in receipts for path, fact in receipt.sources}
        written = [receipt.size for receipt in receipts if not receipt.is_omitted]
        total["read"] += sum(paths.values())
        total["written"] += sum(written)
        total["opens"] += len(paths) + 3 * len(written)  # created, renamed, read back
        start = time.perf_counter()
        sent.append(len(pickled_for_others((unit, {}))[0]))
        json.dumps([receipt_entry(receipt) for receipt in receipts])
        at[0] = time.perf_counter()
        packing.append(at[0] - start)

    with timed_run(at):
        done = bidsify.convert(source, folder / f"{name}-out", watch=watch)
    if done.failures:
        raise SystemExit(done.failures[0])
    kept = tuple(seconds[1:])  # the first one warms up
    count = len(seconds)
    means = {key: value / count for key, value in total.items()}
    return Measured(
        name, source, kept, **means, sent=sum(sent) / count, packing=sorted(packing)[count // 2]
    )


@contextmanager
def timed_run(at: list[float]) -> Iterator[None]:
    """Have the first of ``at`` be the time at which the units of a conversion start."""
    original = engine.run_all

    def started(*args: Any, **options: Any) -> Any:
        at[0] = time.perf_counter()
        return original(*args, **options)

    engine.run_all = started  # type: ignore[assignment]
    try:
        yield
    finally:
        engine.run_all = original


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, psutil.Process]]:
    """Start a scheduler and workers of one thread on this machine."""
    place = folder / f"scheduler{workers}-{time.monotonic_ns()}.json"
    path = os.pathsep.join([str(HERE.parent), str(HERE), *sys.path])
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
               "env": {**os.environ, "PYTHONPATH": path}, "cwd": folder}  # fmt: skip

    def start(kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
        return subprocess.Popen([*command, "--scheduler-file", str(place), *words], **options)

    with ExitStack() as stack:
        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
        stack.callback(scheduler.wait)
        stack.callback(scheduler.terminate)
        for number in range(workers):
            scratch = str(folder / f"scratch{number}")
            worker = start("worker", "--nthreads", "1", "--local-directory", scratch)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        yield _address(place, workers), psutil.Process(scheduler.pid)


def _address(place: Path, workers: int) -> str:
    from distributed import Client

    while not place.exists():
        time.sleep(0.05)
    time.sleep(0.1)
    with Client(scheduler_file=str(place), set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)
        return str(client.scheduler.address)


def task_costs(address: str, scheduler: psutil.Process) -> Costs:
    """Run tasks that do nothing: processor seconds of the scheduler and of this process."""
    list(run_all(noop, None, range(50), Cluster(address), lambda _: 1e9))
    before, own = sum(scheduler.cpu_times()[:2]), time.process_time()
    list(run_all(noop, None, range(TASKS), Cluster(address), lambda _: 1e9))
    spent, mine = sum(scheduler.cpu_times()[:2]) - before, time.process_time() - own
    return Costs(scheduler=spent / TASKS, driver=mine / TASKS, driver_unit=0.0)


def opens_a_second(folder: Path, count: int = 2000) -> float:
    """Create, rename and open small files on this file system."""
    start = time.perf_counter()
    for number in range(count):
        staged = folder / f"{number}.part"
        staged.write_bytes(b"x")
        staged.replace(folder / f"{number}.txt").read_bytes()
    return 3 * count / (time.perf_counter() - start)


def print_measured(measured: Sequence[Measured], costs: Costs, opens: float) -> None:
    """Print what the model starts from."""
    print("| dataset | ms a unit | MB read | MB written | opens and renames | bytes sent |")
    print("|---|---:|---:|---:|---:|---:|")
    for one in measured:
        mean = sum(one.seconds) / len(one.seconds)
        print(
            f"| {one.name} | {mean * 1e3:.0f} | {one.read / 1e6:.1f} | {one.written / 1e6:.1f} | "
            f"{one.opens:.0f} | {one.sent:.0f} |"
        )
    print(
        f"\nA task costs the scheduler {costs.scheduler * 1e3:.2f} ms and the process of the "
        f"command {costs.driver * 1e3:.2f} ms of processor time. This file system does "
        f"{opens:,.0f} opens and renames a second."
    )


def print_simulated(kind: Kind, costs: Costs, units: int, where: str) -> None:
    """Print the table of a dataset: for each batch size the time, the efficiency, the bound."""
    names = [f"batches of {size}" if size else "as bidsify" for size in SIZES]
    print(f"\n{units:,} units of {kind.name}, {kind.mean * 1e3:.0f} ms each, on {where}:\n")
    print("| workers |", " | ".join(names), "| scheduler and driver keep up from batches of |")
    print("|---:|", "|".join(["---"] * len(SIZES)), "|---:|", sep="")
    for workers in WORKERS:
        found = [simulate(kind, costs, units, workers, size) for size in SIZES]
        enough = max(1, math.ceil(workers * max(costs.scheduler, costs.driver) / kind.mean))
        print(f"| {workers} |", " | ".join(map(_shown, found)), f"| {enough} |")


def _shown(one: Simulated) -> str:
    return f"{one.makespan:,.0f} s, {one.efficiency:.0%}, {one.bound}"


def compare(measured: Measured, costs: Costs, folder: Path) -> None:
    """Run the same conversion on 1 and 2 real workers, and simulate it."""
    here = Kind(measured.name, measured.seconds, 0.0, measured.sent)  # storage is in its seconds
    units = len(measured.seconds) + 1
    print(f"\nThe model against real runs of {units} units of {measured.name} here:\n")
    print("| workers | real s | model s | deviation |")
    print("|---:|---:|---:|---:|")
    for workers in (1, 2):
        with cluster(folder, workers) as (address, _):
            first = folder / f"warm{workers}"
            bidsify.convert(measured.source, first, workers=Cluster(address))
            start = time.perf_counter()
            list(run_all(noop, None, [0], Cluster(address)))
            connecting = time.perf_counter() - start
            real = min(_real(measured.source, folder / f"real{n}", address) for n in range(3))
        model = simulate(here, costs, units, workers, None).makespan + connecting
        print(f"| {workers} | {real:.2f} | {model:.2f} | {model / real - 1:+.0%} |")


def _real(source: Path, out: Path, address: str) -> float:
    at, ended = [0.0], [0.0]

    def watch(*_: object) -> None:
        ended[0] = time.perf_counter()

    with timed_run(at):
        bidsify.convert(source, out, workers=Cluster(address), on_existing="replace", watch=watch)
    return ended[0] - at[0]


if __name__ == "__main__":
    main()
