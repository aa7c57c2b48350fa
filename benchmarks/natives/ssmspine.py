"""SSMSpine, the sample of one texture: ten tensors a file, as torch.save writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .drawing import Array, ellipsoid, grain, save, smooth
from .torch_file import torch_file

SIZE, BONES, DISCS = 512, 6, 5
#: Points of a vertebra, of a disc, and of a disc that are not its neighbours' too.
_BONE, _DISC, _OWN = 236, 176, 56
_SHAPE = (SIZE, SIZE)


def make(source: Path, cases: int) -> None:
    """Write so many shapes of one texture, 125 as published."""
    rng = np.random.default_rng(1)
    texture = np.clip(0.45 + 0.15 * smooth(rng, _SHAPE, 24), 0.05, 1)
    view = ellipsoid(_SHAPE, (256, 250), (235, 190)) < 1  # black outside
    for shape in range(1, cases + 1):
        content = torch_file(arrays(rng, texture, view), f"aug{shape}")
        save(source / "SSMSpine_Train_Sample" / "p1" / f"aug{shape}.pt", content)


def arrays(rng: np.random.Generator, texture: Array, view: Array) -> Mapping[str, Array]:
    """Return the ten arrays of one shape."""
    bend, left = rng.uniform(-12, 12, 2)
    centres = [(256 + left + bend * np.sin(n / 3), 60 + 36.0 * n) for n in range(BONES + DISCS)]
    halves = [(34.0, 24.0 if n % 2 == 0 else 14.0) for n in range(BONES + DISCS)]
    order = [*range(0, BONES + DISCS, 2), *range(1, BONES + DISCS, 2)]  # vertebrae, then discs
    mask = np.zeros((BONES + DISCS, *_SHAPE), np.uint8)
    label = np.zeros((1, *_SHAPE), np.uint8)
    for n, place in enumerate(order):
        (x, y), (wide, high) = centres[place], halves[place]
        mask[n] = ellipsoid(_SHAPE, (y, x), (high, wide)) < 1
        label[0][(mask[n] == 1) & (label[0] == 0)] = n + 1
    bone = np.stack([_outline(centres[n], halves[n], _BONE) for n in order[:BONES]])
    disk = np.stack([_outline(centres[n], halves[n], _DISC) for n in order[BONES:]])
    tissue = texture + np.float32(0.1) * (label[0] > 0)
    plain = (tissue + grain(rng, _SHAPE, 0.03)).clip(0, 1) * view
    bias = np.linspace(0.8, 1, SIZE, dtype=np.float32)[:, np.newaxis]
    return {
        "img": plain * bias,
        "img_corrected": plain,
        "img_equalized": plain**0.7,
        "label": label,
        "mask": mask,
        "bone_mask": mask[:BONES].copy(),
        "disk_mask": mask[BONES:].copy(),
        "shape": np.concatenate([bone.reshape(-1, 2), disk[:, :_OWN].reshape(-1, 2)]),
        "bone": bone,
        "disk": disk,
    }


def _outline(centre: tuple[float, float], half: tuple[float, float], count: int) -> Array:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * half + centre
    return points.astype(np.float32)
