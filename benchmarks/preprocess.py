"""Registration of `bidsify preprocess` against SimpleITK and elastix, and the time of whole trees.

Synthetic pairs of slices (``heart_slices``) with seeds from 500, which nothing was tuned on.
VoxelMorph is trained on 160 others, with seeds from 1000; its row wants torch. The row "true
affine" knows all but the warp. Dice is after linear sampling of masks; no method is told of the
scar. The error (TRE) is that of myocardium and the blood in it. Times are of the whole chain.

    python benchmarks/preprocess.py [--pairs 12] [--studies 12] [--no-voxelmorph] [--no-peers]
"""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import registration_peers
from heart_slices import GRID, Subject, moved, sampled, subject
from registration_peers import Method

from bidsify.demo.cmr import make_studies
from bidsify.preprocessing import affine, demons, voxelmorph
from bidsify.preprocessing.distance import masks_of
from bidsify.preprocessing.metrics import dice, folding, tre
from bidsify.preprocessing.stack import Pair
from bidsify.volume import Array

TESTED, TRAINED = 500, 1000
LEARNED_FROM = 160
#: What the tree of MyoPS380 has, to which times are extrapolated.
STUDIES, SLICES = 380, 8
COLUMNS = ("dice_before", "dice_affine", "dice_nonrigid", "scar_dice_before", "scar_dice_affine",
           "scar_dice_nonrigid", "dice_labels", "scar_dice_labels", "hausdorff_mm_nonrigid",
           "folds")  # fmt: skip


def affinely(using: affine.Using) -> Method:
    """Return the affine method of this name."""
    return lambda pair: moved(affine.register(pair, using).matrix, GRID)


def both(using: affine.Using) -> Method:
    """Return the affine method of this name, with demons by the same after it."""

    def method(pair: Pair) -> Array:
        matrix = affine.register(pair, using).matrix
        return moved(matrix, GRID + demons.register(resampled(pair, matrix), using))

    return method


def trained(pairs: int) -> Method:
    """Return the default affine method, with VoxelMorph after it, which is trained first."""
    start = time.process_time()
    known = []
    for seed in range(TRAINED, TRAINED + pairs):
        pair = subject(seed).pair
        known.append(resampled(pair, affine.register(pair, "masks+images").matrix))
    made = time.process_time()
    network = voxelmorph.train(known, threads=1)
    spent = time.process_time() - made
    print(
        f"VoxelMorph: {pairs} pairs drawn and affinely registered in {made - start:.0f} s of CPU, "
        f"trained in {spent:.0f} s on one thread",
        file=sys.stderr,
    )

    def method(pair: Pair) -> Array:
        matrix = affine.register(pair, "masks+images").matrix
        return moved(matrix, GRID + network.register(resampled(pair, matrix)))

    return method


def resampled(pair: Pair, matrix: Array) -> Pair:
    """Return the pair with the moving slice on the fixed one by an affine map."""
    points = moved(matrix, GRID)
    masks = pair.moving_masks
    if masks is not None:
        planes = [sampled(one.astype(float), points, 1, "constant") > 0.5 for one in masks]
        masks = np.stack(planes)
    return Pair(pair.fixed, sampled(pair.moving, points, 1, "constant"), pair.fixed_masks, masks)


def methods(*, network: bool, peers: bool) -> Iterator[tuple[str, Method | None]]:
    """Yield all methods by name; None for those that are not installed."""
    yield "start", lambda _: GRID
    yield "affine (masks)", affinely("masks")
    yield "affine (masks) + demons", both("masks")
    yield "**affine (masks+images)**", affinely("masks+images")
    yield "**affine (masks+images) + demons**", both("masks+images")
    if network and find_spec("torch"):
        yield "affine (masks+images) + VoxelMorph", trained(LEARNED_FROM)
    elif network:
        yield "VoxelMorph (torch)", None
    yield "affine (images)", affinely("images")
    yield "affine (images) + demons", both("images")
    if peers:
        yield from registration_peers.methods()


def row(subjects: list[Subject], method: Method) -> str:
    """Return the figures of a method as a line of the table."""
    found = []
    for one in subjects:
        start = time.process_time()
        points = method(one.pair)
        seconds = time.process_time() - start
        found.append((*figures(one, points), seconds * 1e3))
    myocardium, scar, folds, error, took = zip(*found, strict=True)
    mean = statistics.mean
    return (
        f"{mean(myocardium):.3f} ({min(myocardium):.3f}) | {mean(scar):.3f} ({min(scar):.3f}) | "
        f"{100 * mean(folds):.3f} | {mean(error):.2f} | {statistics.median(took):.0f}"
    )


def figures(one: Subject, points: Array) -> tuple[float, float, float, float]:
    """Return Dice of myocardium and scar, share of folds, and the error in mm.

    ``points`` are the moving coordinates of each fixed pixel, (2, N, N).
    """
    fixed, moving = masks_of(one.pair)
    warped = [
        sampled(mask.astype(float), points, 1, "constant") > 0.5
        for mask in (moving[0], one.moving_scar)
    ]
    reached = np.stack([sampled(axis, one.origin) for axis in points])
    return (
        dice(fixed[0], warped[0]),
        dice(one.fixed_scar, warped[1]),
        folding(points - GRID, np.eye(3)),
        tre(reached, GRID, moving[1]),
    )


def compare(pairs: int, *, network: bool, peers: bool) -> None:
    """Print the table of methods."""
    subjects = [subject(seed) for seed in range(TESTED, TESTED + pairs)]
    known = {id(one.pair): one.affine for one in subjects}
    table: list[tuple[str, Method | None]] = [*methods(network=network, peers=peers)]
    table.insert(1, ("true affine", lambda pair: moved(known[id(pair)], GRID)))
    print("| method | myocardium Dice (min) | scar Dice (min) | folds % | TRE mm | CPU ms |")
    print("|---|---|---|---:|---:|---:|")
    for name, method in table:
        print(f"| {name} | {row(subjects, method) if method else 'not installed'} |", flush=True)


def tree(count: int) -> None:
    """Print the time of the command on studies of the generator, and what it says of them."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "studies", Path(folder) / "preprocessed"
        start = time.perf_counter()
        make_studies(source, subjects=count)
        made = time.perf_counter() - start
        command = [sys.executable, "-m", "bidsify", "-qq", "preprocess", "myops"]
        start, before = time.perf_counter(), children()
        subprocess.run([*command, str(source), str(out), "-j", "2"], check=True, stdout=sys.stderr)
        seconds, spent = time.perf_counter() - start, children() - before
        with (out / "quality_means.tsv").open(encoding="utf-8") as stream:
            *_, means = csv.DictReader(stream, delimiter="\t")
    slices = int(means["slices"]) / 2  # a row of the means for each of two moving sequences
    minutes = STUDIES * SLICES / slices / 60
    print(f"{count} studies made in {made:.0f} s (one process; no part of what follows)")
    print(
        f"preprocess myops -j 2: {seconds:.1f} s, {spent:.1f} s of CPU, {slices:.0f} slices of "
        f"three sequences, {seconds / slices:.2f} s a slice"
    )
    print(
        f"{STUDIES} studies of {SLICES} slices on two cores: {seconds * minutes:.1f} minutes as "
        f"timed, {spent / 2 * minutes:.1f} by the CPU time, if nothing else runs"
    )
    print(", ".join(f"{name} {means[name]}" for name in COLUMNS))


def children() -> float:
    """Return the CPU seconds of all processes that were run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table, and the time of a tree if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=12, help="pairs to register; 0 for none")
    parser.add_argument("--studies", type=int, default=0, help="studies to preprocess as a tree")
    parser.add_argument("--no-voxelmorph", action="store_true", help="do not train a network")
    parser.add_argument("--no-peers", action="store_true", help="neither SimpleITK nor elastix")
    given = parser.parse_args()
    if given.pairs:
        compare(given.pairs, network=not given.no_voxelmorph, peers=not given.no_peers)
    if given.studies:
        tree(given.studies)


if __name__ == "__main__":
    main()
