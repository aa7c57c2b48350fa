"""Train VoxelMorph on the studies at hand, after their affine step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..engine.output import OnExisting
from ..errors import SourceError, UsageError
from ..source.reading import Reading
from . import registration, study, unet, voxelmorph
from .jobs import stem_of
from .options import Options
from .stack import SEQUENCES, Pair
from .study import Study
from .voxelmorph import Network

#: Where the weights lie in the tree: a run again uses them, as training is not repeatable to the
#: bit on other machines.
WEIGHTS = "code/bidsify/voxelmorph.npz"
#: Pairs that are learned from, at most: more cost memory and gain little.
MOST_PAIRS = 400
_TOLD_EVERY = 100  # steps


def is_wanted(options: Options) -> bool:
    """Say whether a network makes the non-rigid step."""
    return options.method == "voxelmorph" and options.has("nonrigid")


def given(options: Options, path: Path | None) -> Network | None:
    """Return the network that a user gives, before anything in the output is touched.

    Raises:
        UsageError: Its file cannot be used, or torch is not installed.
    """
    if not is_wanted(options):
        return None
    try:
        network = None if path is None else voxelmorph.load(path)
    except SourceError as error:
        raise UsageError(str(error)) from error
    unet.loaded()
    return network


def kept(root: Path, on_existing: OnExisting, say: Callable[[str], None]) -> Network | None:
    """Return the network of an earlier run into the tree, if it is to be used and can be."""
    if on_existing == "replace" or not (root / WEIGHTS).is_file():
        return None
    try:
        network = voxelmorph.load(root / WEIGHTS)
    except SourceError as error:
        say(f"{error} (done)")
        return None
    say(f"{WEIGHTS} of an earlier run is used; remove it to train anew")
    return network


def train(
    studies: Sequence[Study], reading: Reading, options: Options, say: Callable[[str], None]
) -> Network:
    """Return a network that was trained on the studies that can be processed.

    It sees masks where there are any, and the registration is to go by them.

    Raises:
        UsageError: No study can be learned from, or torch is not installed.
    """
    pairs: list[Pair] = []
    step_by_step = replace(options, steps=tuple(s for s in options.steps if s != "nonrigid"))
    for one in studies:
        if len(pairs) >= MOST_PAIRS:
            break
        try:
            stacks = study.read(one, reading)
            found = registration.register(stacks, step_by_step, stem_of(one)[0])
        except SourceError as error:
            say(f"not learned from: {error}")
            continue
        for name in SEQUENCES:
            if name != found.matches.reference:
                pairs += registration.pairs(found, name)
    if options.guide == "images":
        pairs = [replace(pair, fixed_masks=None, moving_masks=None) for pair in pairs]
    with_masks = [pair for pair in pairs if pair.fixed_masks is not None]
    chosen = (with_masks or pairs)[:MOST_PAIRS]
    if not chosen:
        msg = "no study to train VoxelMorph on; give --weights, or --nonrigid demons"
        raise UsageError(msg)
    say(f"training VoxelMorph on {len(chosen)} pairs of slices")

    def log(step: int, loss: float, _: Network) -> None:
        if step % _TOLD_EVERY == 0:
            say(f"step {step}: loss {loss:.4f}")

    return voxelmorph.train(chosen, log=log)
