"""The affine map of a fixed slice onto a moving one, by the masks of the heart or by the images.

Coarse to fine on six parameters. The two outlines of a ring say little about how far it is turned:
``masks+images`` adds what the images say about that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import ndimage

from ..volume import Array
from .distance import masks_of, outlines, signed_distance
from .fitting import Frame, Images, Outlines, Term, cost, fit
from .stack import Pair

Using = Literal["masks", "masks+images", "images"]
Terms = list[tuple[float, Term]]

#: How far from an outline, in pixels, its distance still counts: to get near, and once near. What
#: is farther says more of a warp, which no affine map can follow, than of where the outline lies.
REACH, NEAR = 12.0, 4.0


class Look(NamedTuple):
    """How images are compared: distance of the pixels, smoothing, surroundings, all in pixels."""

    stride: int
    blur: float
    window: float


#: How far around the heart the images are compared.
AROUND = 18.0
#: How they are, and what they weigh against the outlines: more while a turn is sought.
HELPING = ((4.0, Look(3, 2.5, 6.0)), (2.0, Look(2, 1.2, 6.0)))
ALONE = (Look(6, 5.0, 16.0), Look(4, 3.0, 10.0), Look(2, 1.5, 5.0))
#: Turns, in degrees, that the images are asked about first; the least of those that are equal.
TURNS = (0, -5, 5, -10, 10, -15, 15)
#: Scales of a sane map; others are taken for failures.
SMALLEST, LARGEST = 0.5, 2.0
#: Steps at most in each round.
STEPS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``matrix`` (3, 3) maps fixed pixel coordinates to moving ones.

    ``degenerate`` where the fit collapsed or blew up, and ``matrix`` is no more than a shift.
    """

    matrix: Array
    degenerate: bool = False


def register(pair: Pair, using: Using = "masks", name: str = "") -> Affine:
    """Return the map of the fixed slice of a pair to the moving one.

    ``name`` says whose slices they are, for messages.

    Raises:
        SourceError: By masks, and there are none, or an empty one.
    """
    if using == "images":
        return _by_images(pair)
    masks = masks_of(pair, name)
    frame, start = _start(*masks)
    fixed, moving = outlines(pair, REACH, name)
    found = fit([(1.0, Outlines(frame, fixed, moving, 4))], start, STEPS)
    fixed, moving = (np.clip(one, -NEAR, NEAR) for one in (fixed, moving))
    if using == "masks":
        fine = Outlines(frame, fixed, moving, 1)
        return _checked(frame, fit([(1.0, fine)], found, STEPS), start)
    around = (signed_distance(masks[0][1], AROUND) > -AROUND).astype(np.float64)
    outer = (1.0, Outlines(frame, fixed, moving, 2))
    for number, (weight, look) in enumerate(HELPING):
        terms: Terms = [outer, (weight, _images(pair, frame, around, look))]
        if number == 0:
            found = _best_turn(frame, terms, found)
        found = fit(terms, found, STEPS)
    return _checked(frame, found, start)


def _start(fixed: Array, moving: Array) -> tuple[Frame, Array]:
    """Return the frame of a heart, and the shift of one centre of mass to the other."""
    centre, other = (np.array(ndimage.center_of_mass(masks[1])) for masks in (fixed, moving))
    numbers = np.zeros(6)
    numbers[4:] = other - centre
    return Frame(centre, max(float(np.sqrt(fixed[1].sum() / np.pi)), 1.0)), numbers


def _images(pair: Pair, frame: Frame, weights: Array, look: Look) -> Images:
    """Return the images of a pair as a term, smoothed."""
    fixed, moving = (
        ndimage.gaussian_filter(np.asarray(one, np.float64), look.blur)
        for one in (pair.fixed, pair.moving)
    )
    grid = (look.stride, look.window / look.stride)
    return Images(frame, (fixed, moving), weights, grid)


def _best_turn(frame: Frame, terms: Terms, numbers: Array) -> Array:
    """Return the map after the turn of the fixed slice that fits best."""
    tried = []
    matrix = frame.matrix(numbers)
    for degrees in TURNS:
        angle = np.deg2rad(degrees)
        turn = np.eye(3)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        turn[:2, 2] = frame.centre - turn[:2, :2] @ frame.centre
        tried.append(frame.numbers(matrix @ turn))
    return min(tried, key=lambda one: cost(terms, one))


def _checked(frame: Frame, numbers: Array, start: Array) -> Affine:
    """Return the map of six numbers if it is sane, else that of the start."""
    matrix = frame.matrix(numbers)
    if np.isfinite(matrix).all() and np.linalg.det(matrix) > 0:
        scales = np.linalg.svd(matrix[:2, :2], compute_uv=False)
        if scales[-1] >= SMALLEST and scales[0] <= LARGEST:
            return Affine(matrix)
    return Affine(frame.matrix(start), degenerate=True)


def _by_images(pair: Pair) -> Affine:
    """Return the map under which the images are most alike; the identity, if none is better."""
    size = np.array(pair.fixed.shape)
    frame = Frame((size - 1) / 2, float(size.min()) / 4)
    weights = _middle(pair.fixed.shape)
    still = np.zeros(6)
    starts = [still, _shift(pair)]
    terms: Terms = []
    for look in ALONE:
        terms = [(1.0, _images(pair, frame, weights, look))]
        starts = [fit(terms, start, STEPS) for start in starts]
    best = min([still, *starts], key=lambda one: cost(terms, one))
    return _checked(frame, best, still)


def _middle(shape: tuple[int, ...]) -> Array:
    """Return weights of a plane, (N, N), that fall from 1 in its middle to 0 at its edge."""
    rows, columns = (np.hanning(size + 2)[1:-1] for size in shape)
    return np.outer(rows, columns)


def _shift(pair: Pair) -> Array:
    """Return the shift at which the edges of both images coincide best, as numbers of a map."""
    shape = pair.fixed.shape
    edges = [
        ndimage.gaussian_gradient_magnitude(np.asarray(one, np.float64), 3.0) * _middle(shape)
        for one in (pair.fixed, pair.moving)
    ]
    fixed, moving = (np.fft.rfft2(one - one.mean()) for one in edges)
    together = np.fft.irfft2(moving * fixed.conj(), shape)
    most = np.unravel_index(int(np.argmax(together)), shape)
    numbers = np.zeros(6)
    numbers[4:] = [
        (at + size // 2) % size - size // 2 for at, size in zip(most, shape, strict=True)
    ]
    return numbers
