"""Time and memory of `bidsify validate` against other validators and against the floor, in one run.

Makes a dataset of N subjects (8 files each: images, sidecars that differ between subjects, a
segmentation with its table) and validates it with each. The floor is what any validator must do:
walk, stat, parse every JSON and TSV file, unpack 352 bytes of every image, in one process of plain
Python. Each is a process of its own, start-up included, from a warm cache; memory is the largest
resident set of any one process.

    python benchmarks/validate.py [--subjects 12500] [--raw] [--rounds 1] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trees
from official import Official, bundled_schema, executable

ROOT = Path(__file__).parents[1]
PYBIDS_UP_TO = 1000
FLOOR = """
import gzip, json, os, struct, sys, zlib
def walk(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(entry.path)
        else:
            entry.stat()
            yield entry.path
for path in walk(sys.argv[1]):
    if path.endswith((".json", ".tsv", ".nii.gz")):
        handle = os.open(path, os.O_RDONLY)
        data = os.read(handle, 1024 if path.endswith(".gz") else 1 << 24)
        os.close(handle)
        if path.endswith(".json"):
            json.loads(data)
        elif path.endswith(".tsv"):
            [line.split("\\t") for line in data.decode().split("\\n")]
        else:
            struct.unpack_from("<i36x8h", zlib.decompressobj(31).decompress(data, 352))
"""
IS_BIDS = """
import os, sys
from bids_validator import BIDSValidator
ask, root = BIDSValidator().is_bids, sys.argv[1]
print(sum(not ask("/" + os.path.relpath(os.path.join(folder, name), root))
          for folder, _, names in os.walk(root) for name in names), "names refused")
"""
PYBIDS = """
import sys
from bids import BIDSLayout
print(len(BIDSLayout(sys.argv[1], validate=True).files), "files indexed")
"""
EMPTY = "start-up, "


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    wall: float
    cpu: float
    peak: float
    said: str


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--raw", action="store_true", help="a raw dataset, not a derivative")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each; medians are shown")
    parser.add_argument("--only", nargs="*", default=[], help="only those whose name holds one")
    parser.add_argument("--tree", type=Path, help="where the dataset is, or is made and left")
    parser.add_argument("--make-only", action="store_true", help="make the dataset and stop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = options.tree or Path(folder) / "tree"
        if not tree.exists():
            trees.write(tree, options.subjects, raw=options.raw)
        files = sum(len(names) for _, _, names in os.walk(tree))
        print(f"{files} files in {tree.name}")
        if not options.make_only:
            out = Path(folder)
            (out / "empty").mkdir()
            table(measure(dict(commands(tree, out)), options.only, options.rounds), files)


def commands(tree: Path, out: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the command of everything that is timed."""
    ours = [sys.executable, "-m", "bidsify", "validate"]
    official = Official(bundled_schema())
    empty = out / "empty"
    yield "floor", [sys.executable, "-c", FLOOR, str(tree)]
    for workers in (1, 2):
        end = ["--format", "json", "--output", f"json={out / f'ours-{workers}.json'}"]
        yield f"bidsify -j {workers}", [*ours, str(tree), *end, "-j", str(workers)]
    yield "official", official.command(tree, out / "official.json")
    yield "bids-validator is_bids (names)", [sys.executable, "-c", IS_BIDS, str(tree)]
    if sum(1 for _ in tree.iterdir()) <= PYBIDS_UP_TO + 10:
        yield "pybids BIDSLayout (names)", [sys.executable, "-c", PYBIDS, str(tree)]
    yield f"{EMPTY}python", [sys.executable, "-c", "pass"]
    yield f"{EMPTY}bidsify", [*ours, str(empty), "--format", "json"]
    yield f"{EMPTY}official", [executable(), str(empty), "--format", "json"]


def measure(
    named: dict[str, list[str]], only: list[str], rounds: int
) -> dict[str, tuple[Cost, list[str]]]:
    """Run all in turn, so that a slow spell of the machine hits all of them."""
    costs: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        for name, command in named.items():
            if not only or any(one in name for one in only):
                costs.setdefault(name, []).append(run(command))
                print(f"  {name}: {costs[name][-1].wall:.2f} s", file=sys.stderr)
    return {name: (_median(found), named[name]) for name, found in costs.items()}


def run(command: list[str]) -> Cost:
    """Run a command to its end and return what it took; exit codes other than 0 are told."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        env = {**Official(bundled_schema()).env(), "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read(1 << 16).decode("utf-8", "replace").strip()
    said = f"exit {process.returncode}" if process.returncode else ""
    said += " " + text.splitlines()[-1][:80] if text and not text.startswith("{") else ""
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20, said)


def table(costs: dict[str, tuple[Cost, list[str]]], files: int) -> None:
    """Print what was measured, with ratios to the official and to the floor."""
    base = {name: costs[name][0].wall if name in costs else None for name in ("official", "floor")}
    print(f"\n{'':32}{'wall s':>9}{'CPU s':>9}{'MiB':>7}{'files/s':>10}", end="")
    print(f"{'official /':>12}{'/ floor':>9}  verdict")
    for name, (cost, command) in costs.items():
        print(f"{name:32}{cost.wall:9.3f}{cost.cpu:9.3f}{cost.peak:7.0f}", end="")
        if name.startswith(EMPTY):
            print(f"{'':31}  {cost.said}")
            continue
        faster = f"{base['official'] / cost.wall:12.2f}" if base["official"] else " " * 12
        slower = f"{cost.wall / base['floor']:9.2f}" if base["floor"] else " " * 9
        print(f"{files / cost.wall:10.0f}{faster}{slower}  {verdict(command)} {cost.said}".rstrip())


def verdict(command: list[str]) -> str:
    """Return the counts of errors and warnings in the JSON that a command wrote, if it did."""
    written = [Path(part.removeprefix("json=")) for part in command if part.endswith(".json")]
    if not written or not written[0].exists():
        return ""
    try:
        document = json.loads(written[0].read_bytes())
    except ValueError:
        return "no valid JSON"
    issues = document["issues"]
    issues = issues["issues"] if isinstance(issues, dict) else issues
    errors, warnings = (
        sum(issue["severity"] == severity for issue in issues) for severity in ("error", "warning")
    )
    return f"{errors} errors, {warnings} warnings"


def _median(costs: list[Cost]) -> Cost:
    middle = statistics.median
    walls, cpus, peaks = zip(*((cost.wall, cost.cpu, cost.peak) for cost in costs), strict=True)
    return Cost(middle(walls), middle(cpus), max(peaks), costs[-1].said)


if __name__ == "__main__":
    main()
