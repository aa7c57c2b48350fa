"""Speed of `bidsify convert` and `verify` beside the floor, the loops that people write, and `cp`.

Makes synthetic datasets of real size, in the layouts of their publishers, and converts each with
every program: rounds in shuffled order, each run a process of its own, from a warm cache.

    python benchmarks/speed.py [--datasets NAME ...] [--cases N] [--rounds 5] [--jobs 2]
        [--torch-python PYTHON] [--folder FOLDER] [--only WORD ...]
        [--markdown] [--by-cpu] [--check]

The floor is `programs/floor.py`; it says what it does. Ratios compare with as many processes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import contenders
import same_voxels
from natives import NATIVES, Native
from tables import Sizes, converted, plain
from timing import Times, run, time_all


def main() -> None:
    """Run the comparison."""
    options = arguments().parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name in options.datasets:
            native = NATIVES[name]
            place = contenders.Place(
                name, Path(folder) / name, Path(folder) / "out", options.torch_python
            )
            print(dataset(native, place, options), flush=True)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", choices=NATIVES, default=list(NATIVES))
    parser.add_argument("--cases", type=int, help="cases of each dataset, if not as many as usual")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; minima are shown")
    parser.add_argument("--jobs", type=int, default=2, help="processes, beside one")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--only", nargs="+", default=[], help="only programs whose label holds one")
    parser.add_argument(
        "--folder",
        type=lambda word: Path(word).absolute(),
        help="where to write; a temporary folder if not",
    )
    parser.add_argument("--by-cpu", action="store_true", help="ratios of processor time")
    parser.add_argument("--markdown", action="store_true", help="print tables for a page")
    parser.add_argument("--check", action="store_true", help="compare the volumes, time nothing")
    return parser


def dataset(native: Native, place: contenders.Place, options: argparse.Namespace) -> str:
    """Make one dataset, time everything on it, and return the tables."""
    cases = options.cases or native.cases
    start = time.perf_counter()
    native.make(place.source, cases)
    made = time.perf_counter() - start
    commands = dict(contenders.converters(place, options.jobs))
    if options.check:
        return f"{native.name}: {same_voxels.check(commands, place.out)}"
    sizes = Sizes.of(place.source, f"{cases} cases; each a {native.what}")
    print(f"{native.name}: {sizes.text()}; made in {made:.0f} s", file=sys.stderr)
    tables = [f"\n### {native.name}\n\nSynthetic: {sizes.text()}.\n"]
    times = _timed(_chosen(commands, options.only), place, options)
    tables.append(converted(times, sizes, markdown=options.markdown))
    tables.extend(_more(place, sizes, options))
    return "\n".join(tables)


def _more(place: contenders.Place, sizes: Sizes, options: argparse.Namespace) -> list[str]:
    """Return the tables of verification, and of reading .pt files."""
    tree, found = place.out.with_name("tree"), []
    ours = ["-m", "bidsify", "-qq", "convert", str(place.source), str(tree)]
    groups = [dict(contenders.verifiers(place, tree, options.jobs))]
    if place.name == "ssmspine":
        groups.append(dict(contenders.readers(place)))
    for commands in groups:
        chosen = _chosen(commands, options.only)
        if chosen and not tree.exists():
            run([sys.executable, *ours])
        times = _timed(chosen, place, options)
        if times:
            found.append("\n" + plain(times, sizes, markdown=options.markdown))
    run(["rm", "-rf", str(tree)])
    return found


def _timed(
    commands: Mapping[str, list[str]], place: contenders.Place, options: argparse.Namespace
) -> dict[str, Times]:
    timed = time_all(commands, place.out, options.rounds)
    return {label: replace(times, by_cpu=options.by_cpu) for label, times in timed.items()}


def _chosen(commands: Mapping[str, list[str]], words: list[str]) -> dict[str, list[str]]:
    return {k: v for k, v in commands.items() if not words or any(word in k for word in words)}


if __name__ == "__main__":
    main()
