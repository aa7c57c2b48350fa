"""Non-rigid registration by a 2-D VoxelMorph network, which is trained on the data at hand.

A U-Net (80,000 weights) sees two slices, and their masks where there are any, in a square around
the heart. It answers with a velocity, of which scaling and squaring makes a displacement that does
not fold. Training and registration want torch (extra ``voxelmorph``); reading and writing do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SourceError, UsageError
from ..volume import Array
from . import checkpoint, unet
from .stack import Pair

#: Edge of the square that is registered, in pixels.
EDGE = 128
#: The learning rate rises to this in the first steps, and falls to next to nothing in the last.
_RATE, _RISE = 5e-3, 10
_ORIGIN = {"pairs": int, "steps": int, "batch": int, "seed": int, "threads": int, "torch": str}


@dataclass(frozen=True, slots=True)
class Origin:
    """How a network was trained: the same origin and pairs on one machine give the same weights."""

    pairs: int
    steps: int
    batch: int
    seed: int
    threads: int
    torch: str


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A trained network. ``masks`` tells whether it sees masks, ``edge`` how much of a slice."""

    weights: Mapping[str, Array]
    masks: bool
    edge: int
    origin: Origin

    def register(self, pair: Pair) -> Array:
        """Return the displacement (2, N, N), float32, in pixels: fixed x lies at x + u(x).

        It is zero outside of a square around the fixed mask (the middle without masks).

        Raises:
            SourceError: The network sees masks and the pair has none, or its values are no numbers.
            UsageError: torch is not installed.
        """
        torch = unet.loaded()
        seen = torch.from_numpy(_seen(pair, self.edge, masks=self.masks)[None])
        with unet.exact(threads=1), torch.inference_mode():
            weights = {name: torch.from_numpy(array) for name, array in self.weights.items()}
            found = unet.displacement(weights, seen)[0].numpy()
        whole = np.zeros((2, *pair.fixed.shape), np.float32)
        inside, within = _overlap(pair, self.edge)
        whole[(slice(None), *inside)] = found[(slice(None), *within)]
        return whole


#: Called after each step with its number from 1, its loss, and the network so far.
Log = Callable[[int, float, Network], None]


def train(
    pairs: Sequence[Pair],
    *,
    seed: int = 0,
    steps: int = 400,
    batch: int = 8,
    threads: int = 1,
    log: Log | None = None,
) -> Network:
    """Return a network for pairs like these: all of one size, all with masks or none.

    Pairs are asked for one by one, so a sequence may make them when they are wanted.

    Raises:
        SourceError: A pair has no masks and the first has; or values that are no numbers.
        UsageError: torch is not installed; no pairs; or a number below 1.
    """
    torch = unet.loaded()
    if min(len(pairs), steps, batch, threads) < 1:
        message = "VoxelMorph learns from pairs of slices: give 1 or more, and 1 step or more"
        raise UsageError(message)
    masks, size = pairs[0].fixed_masks is not None, max(pairs[0].fixed.shape)
    edge = min(EDGE, -(-size // unet.STEP) * unet.STEP)
    origin = Origin(len(pairs), steps, batch, seed, threads, str(torch.__version__))
    weights = unet.start(masks=masks, seed=seed)

    def network() -> Network:
        arrays = {name: tensor.detach().numpy().copy() for name, tensor in weights.items()}
        return Network(arrays, masks, edge, origin)

    with unet.exact(threads):
        rule = torch.optim.Adam(list(weights.values()), _RATE)
        batches = _batches(len(pairs), batch, seed)
        for step in range(1, steps + 1):
            seen = [_seen(pairs[k], edge, masks=masks) for k in next(batches)]
            rule.param_groups[0]["lr"] = _rate(step, steps)
            loss = _learn(rule, weights, torch.from_numpy(np.stack(seen)))
            if log is not None:
                log(step, loss, network())
    return network()


def _rate(step: int, steps: int) -> float:
    fall = 0.51 + 0.49 * math.cos(math.pi * step / steps)
    return _RATE * min(1, step / _RISE) * fall


def _learn(rule: Any, weights: unet.Weights, seen: unet.Tensor) -> float:
    """Take one step, and return the loss before it."""
    loss = unet.loss(seen, unet.displacement(weights, seen))
    rule.zero_grad()
    loss.backward()
    rule.step()
    found = float(loss.item())
    if not math.isfinite(found):
        message = "VoxelMorph: the loss grew beyond all numbers: take the default method"
        raise SourceError(message)
    return found


def _batches(count: int, size: int, seed: int) -> Iterator[list[int]]:
    """Yield indices for ever; each pair comes as often as any other."""
    chance = np.random.default_rng(seed)
    waiting: list[int] = []
    while True:
        while len(waiting) < size:
            waiting += chance.permutation(count).tolist()
        yield waiting[:size]
        del waiting[:size]


def _seen(pair: Pair, edge: int, *, masks: bool) -> Array:
    """Return what the network sees, (C, edge, edge): moving, fixed, and their masks if wanted."""
    planes = [pair.moving, pair.fixed]
    if masks:
        if pair.moving_masks is None or pair.fixed_masks is None:
            message = (
                "VoxelMorph: the network sees masks of the myocardium, and a pair of slices lacks "
                "them: give masks of all images, or train without any"
            )
            raise SourceError(message)
        planes += [*pair.moving_masks, *pair.fixed_masks]
    inside, within = _overlap(pair, edge)
    seen = np.zeros((len(planes), edge, edge), np.float32)
    for channel, plane in zip(seen, planes, strict=True):
        channel[within] = plane[inside]
    if not np.isfinite(seen).all():
        message = "VoxelMorph: a slice has values that are no numbers: mend the image"
        raise SourceError(message)
    return seen


def _overlap(pair: Pair, edge: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the square around the heart, where it lies in the slice, and where in the square."""
    shape = np.array(pair.fixed.shape)
    heart = np.argwhere(pair.fixed_masks[1] > 0) if pair.fixed_masks is not None else shape[:0]
    middle = heart.mean(0) if len(heart) else (shape - 1) / 2
    first = np.round(middle - (edge - 1) / 2).astype(int)
    first = np.where(shape < edge, (shape - edge) // 2, first.clip(0, np.maximum(shape - edge, 0)))
    from_, to = first.clip(0), np.minimum(first + edge, shape)
    inside = (slice(from_[0], to[0]), slice(from_[1], to[1]))
    from_, to = from_ - first, to - first
    return inside, (slice(from_[0], to[0]), slice(from_[1], to[1]))


def load(path: Path) -> Network:
    """Return the network of a file with the content that ``pack`` returns.

    Raises:
        SourceError: It cannot be read, is none, or of another architecture.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(checkpoint.LARGEST)  # cut off, a larger one is none
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}): name a file of weights"
        raise SourceError(message) from error
    return unpack(data, str(path))


def pack(network: Network) -> bytes:
    """Return the content of the file of a network; equal networks give equal bytes."""
    said = {name: getattr(network, name) for name in ("masks", "edge")}
    header = {"architecture": unet.ARCHITECTURE, **said, "origin": asdict(network.origin)}
    return checkpoint.pack(header, network.weights)


def unpack(data: bytes, where: str) -> Network:
    """Return the network of the content of a file, which errors name ``where``.

    Raises:
        SourceError: It is none, or of another architecture.
    """
    header = checkpoint.header_of(data, where)
    masks, edge, origin = header.get("masks"), header.get("edge"), header.get("origin")
    if (
        header.get("architecture") != unet.ARCHITECTURE
        or not isinstance(masks, bool)
        or type(edge) is not int
        or edge not in range(unet.STEP, EDGE + 1, unet.STEP)
        or not isinstance(origin, dict)
        or {name: type(value) for name, value in origin.items()} != _ORIGIN
    ):
        message = (
            f"{where}: weights of {str(header.get('architecture'))[:40]!r}, not of the network of "
            f"this version, {unet.ARCHITECTURE!r}: train anew"
        )
        raise SourceError(message)
    weights = checkpoint.arrays_of(data, unet.shapes(masks=masks), where)
    return Network(weights, masks, edge, Origin(**origin))
