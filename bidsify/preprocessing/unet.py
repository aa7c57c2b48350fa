"""The network of VoxelMorph as functions of its weights: its displacements and their loss.

torch is loaded when a function is called, never on import. Tensors are (B, C, I, J).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import UsageError

#: What torch computes with; it has no types where torch is absent.
Tensor = Any
Weights = Mapping[str, Tensor]

#: Of any change to what follows: a checkpoint is of one architecture.
ARCHITECTURE = "bidsify-voxelmorph-1"
#: The edge of what it sees is a multiple of this: it halves it four times.
STEP = 16
#: Channels at a half, a quarter, an eighth, a sixteenth of the resolution, and at the whole one.
_FEATURES, _WHOLE = (16, 32, 32, 32), 12
_LEAK = 0.2
_SQUARINGS = 5
#: Width of the seam along which the velocity falls to zero, in pixels.
_SEAM = 8
_OF_IMAGES, _OF_MASKS, _OF_SMOOTHNESS = 0.2, 1.0, 1.0
_NEIGHBOURHOOD = 9


def loaded() -> Any:
    """Return the module torch.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        message = (
            "VoxelMorph needs torch, which is not installed: "
            "`pip install bidsify-datasets[voxelmorph]`, or use the default method"
        )
        raise UsageError(message) from error


@contextmanager
def exact(threads: int) -> Iterator[None]:
    """Make torch give the same numbers each time; what the caller had set comes back."""
    torch = loaded()
    before = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=strict, warn_only=lenient)
        torch.set_num_threads(before)


def shapes(*, masks: bool) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of its weights: it sees 2 images, and 4 masks or none."""
    first, *others = _FEATURES
    seen = 6 if masks else 2
    layers = {"encode0": (first, seen)}
    for level, features in enumerate(others, start=1):
        layers[f"encode{level}"] = (features, _FEATURES[level - 1])
    layers["decode0"] = (_FEATURES[-1], _FEATURES[-1])
    for level, features in enumerate(reversed(_FEATURES[:-1]), start=1):
        layers[f"decode{level}"] = (features, _FEATURES[-level] + features)
    layers["whole"] = (_WHOLE, first + seen)
    layers["flow"] = (2, _WHOLE)
    found: dict[str, tuple[int, ...]] = {}
    for name, (after, before) in layers.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = (after, before, 3, 3), (after,)
    return found


def start(*, masks: bool, seed: int) -> dict[str, Tensor]:
    """Return weights to learn from, which displace little."""
    torch = loaded()
    chance = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes(masks=masks).items():
        values = torch.zeros(shape)
        if name.endswith("weight"):
            spread = 1e-2 if name.startswith("flow") else (2 / (shape[1] * 9)) ** 0.5
            values.normal_(0, spread, generator=chance)
        weights[name] = values.requires_grad_()
    return weights


def displacement(weights: Weights, seen: Tensor) -> Tensor:
    """Return the displacement (B, 2, I, J), in pixels, of what the network sees (B, C, I, J).

    ``seen`` is the moving image, the fixed one, and their masks in the same order.
    """
    found = _velocity(weights, seen) * _seam(seen.shape[-1]) / 2**_SQUARINGS
    for _ in range(_SQUARINGS):
        found = found + warped(found, found, outside="border")
    return found


def _velocity(weights: Weights, seen: Tensor) -> Tensor:
    """Return the answer of the U-Net, in pixels."""
    functional = loaded().nn.functional

    def layer(name: str, given: Tensor, stride: int = 1) -> Tensor:
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.conv2d(given, kernel, bias, stride=stride, padding=1)

    def active(name: str, given: Tensor, stride: int = 1) -> Tensor:
        return functional.leaky_relu(layer(name, given, stride), _LEAK)

    levels = [seen]
    for level in range(len(_FEATURES)):
        levels.append(active(f"encode{level}", levels[-1], stride=2))
    found = active("decode0", levels.pop())
    for name in ("decode1", "decode2", "decode3", "whole"):
        grown = functional.interpolate(found, scale_factor=2, mode="nearest")
        found = active(name, loaded().cat([grown, levels.pop()], 1))
    return layer("flow", found)


def _seam(edge: int) -> Tensor:
    """Return factors (edge, edge): 1, but falling to 0 at the border, where nothing may move."""
    torch = loaded()
    steps = torch.arange(edge, dtype=torch.float32)
    depth = torch.minimum(steps, steps.flip(0)) / _SEAM
    ramp = depth.clamp(max=1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return ramp[:, None] * ramp[None, :]


def warped(image: Tensor, by: Tensor, outside: str = "zeros") -> Tensor:
    """Return ``image`` (B, C, N, N) at x + by(x), linearly."""
    torch = loaded()
    edge = image.shape[-1]
    line = torch.linspace(-1, 1, edge)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    at = grid + by.flip(1).permute(0, 2, 3, 1) * (2 / (edge - 1))  # torch has j first
    return torch.nn.functional.grid_sample(
        image, at, mode="bilinear", padding_mode=outside, align_corners=True
    )


def loss(seen: Tensor, found: Tensor) -> Tensor:
    """Return how far the moving images and masks are off the fixed ones, plus the roughness."""
    images, masks = seen[:, :2], seen[:, 2:]
    off = _OF_IMAGES * _unlike(warped(images[:, :1], found), images[:, 1:])
    if masks.shape[1]:
        off = off + _OF_MASKS * _apart(warped(masks[:, :2], found), masks[:, 2:])
    return off + _OF_SMOOTHNESS * _roughness(found)


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    """Return 1 minus the mean of the squared local correlation: contrasts may be inverted."""
    pool = loaded().nn.functional.avg_pool2d

    def mean(image: Tensor) -> Tensor:
        return pool(image, _NEIGHBOURHOOD, 1, _NEIGHBOURHOOD // 2)

    first, second = mean(one), mean(other)
    common = mean(one * other) - first * second
    spread = (mean(one * one) - first * first) * (mean(other * other) - second * second)
    return 1 - (common * common / (spread + 1e-3)).mean()


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Return 1 minus the mean soft Dice of masks, over those that neither image lacks."""
    first, second = one.sum((2, 3)), other.sum((2, 3))
    unlike = 1 - (2 * (one * other).sum((2, 3)) + 1) / (first + second + 1)
    both = (first > 0) & (second > 0)
    return (unlike * both).sum() / both.sum().clamp(min=1)


def _roughness(found: Tensor) -> Tensor:
    along_i, along_j = found.diff(dim=2), found.diff(dim=3)
    return (along_i * along_i).mean() + (along_j * along_j).mean()
