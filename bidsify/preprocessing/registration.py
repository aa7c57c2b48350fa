"""Register a study: match its slices, bring each onto that of the reference, find the heart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SourceError
from ..volume import Array
from . import affine, correspondence, demons, labels, metrics, normalisation, roi, warp
from .correspondence import Matches, Partner
from .labels import Coding
from .options import Guide, Options
from .registered import Grid, Moved, Registered
from .roi import Window
from .sight import Sight, View, pair
from .stack import SEQUENCES, Pair, Slice, Stack
from .voxelmorph import Network

_HALF = 0.5
#: From how many degrees on a slice counts as turned against another.
_TURNED = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """How the slices of a study are registered; ``name`` says whose they are, for messages."""

    options: Options
    name: str
    grid: Grid
    coding: Coding | None
    network: Network | None

    def sight(self, one: Slice, like: Slice) -> Sight:
        """Return a slice on the normalised grid, its axes as near as can be to those of another."""
        frame = normalisation.frame(one, like, self.grid.size, self.grid.spacing)
        return Sight(one, frame, self.grid.size, self.coding)


def register(
    stacks: Mapping[str, Stack], options: Options, name: str, network: Network | None = None
) -> Registered:
    """Register the stacks of a study.

    Raises:
        SourceError: It cannot be processed; one sentence.
    """
    coding = _coding(stacks, name)
    matches = _matches(stacks, options, name)
    reference = stacks[matches.reference]
    grid = _grid(stacks.values(), reference, options)
    way = Way(options, name, grid, coding, network)
    chosen = [reference.slices[row[matches.reference].index] for row in matches.rows]
    fixed = [way.sight(one, one) for one in chosen]
    slices = {
        one: [
            _moved(stacks[one].slices[row[one].index], like, row[one], one == reference.name, way)
            for row, like in zip(matches.rows, fixed, strict=True)
        ]
        for one in SEQUENCES
    }
    limits = {
        one: normalisation.limits([each.pixels for each in stacks[one].slices])
        if options.has("normalise")
        else None
        for one in SEQUENCES
    }
    return Registered(matches, way.grid, _window(fixed, way), limits, coding, slices)


def pairs(registered: Registered, name: str) -> list[Pair]:
    """Return the pairs of a sequence after the affine step: what a network learns from."""
    way = Way(Options(), "", registered.grid, registered.coding, None)
    both = zip(
        registered.slices[name], registered.slices[registered.matches.reference], strict=True
    )
    return [
        pair(
            way.sight(like.slice, like.slice).still,
            way.sight(one.slice, like.slice).moved(one.affine),
        )
        for one, like in both
    ]


def _coding(stacks: Mapping[str, Stack], name: str) -> Coding | None:
    """Return what the labels of a study mean; None where it has none."""
    every = [
        one.labels for stack in stacks.values() for one in stack.slices if one.labels is not None
    ]
    if not every:
        return None
    # Most pixels are background, which no coding is told by.
    values = {int(value) for one in every for value in np.unique(one[one != 0])}
    coding = labels.coding_of(values, name)
    for stack in stacks.values():
        drawn = [one.labels for one in stack.slices if one.labels is not None]
        if drawn and not any(np.isin(one, [*coding.muscle]).any() for one in drawn):
            msg = (
                f"{name}: the masks of {stack.name} show no myocardium; draw it, or take them away"
            )
            raise SourceError(msg)
    return coding


def _matches(stacks: Mapping[str, Stack], options: Options, name: str) -> Matches:
    try:
        if options.has("slices"):
            return correspondence.match(stacks, options.bound_mm)
        return _in_turn(stacks)
    except SourceError as error:
        msg = f"{name}: {error}"
        raise SourceError(msg) from error


def _in_turn(stacks: Mapping[str, Stack]) -> Matches:
    """Pair slices by their numbers, without a look at where they lie."""
    counts = {name: len(stacks[name].slices) for name in SEQUENCES}
    if len({*counts.values()}) > 1:
        told = ", ".join(f"{count} of {name}" for name, count in counts.items())
        msg = f"{told}: slices are paired by number only where there are equally many; add "
        msg += "'slices' to --steps"
        raise SourceError(msg)
    rows = tuple(
        {name: Partner(number, None, None) for name in SEQUENCES}
        for number in range(counts[SEQUENCES[0]])
    )
    return Matches(SEQUENCES[0], rows, ())


def _grid(stacks: Iterable[Stack], reference: Stack, options: Options) -> Grid:
    """Return the grid: 224 x 224 of 1 mm; where nothing is normalised, pixels of the source."""
    if options.has("normalise"):
        return Grid(normalisation.SIZE, normalisation.SPACING)
    seen = [reference] if options.registers else stacks
    size = max(max(one.pixels.shape) for stack in seen for one in stack.slices)
    spacing = float(reference.slices[0].spacing.mean()) if options.registers else None
    return Grid(max(size, roi.SIZE), spacing)


def _moved(one: Slice, like: Sight, partner: Partner, is_fixed: bool, way: Way) -> Moved:  # noqa: FBT001
    seen = like if is_fixed else way.sight(one, like.slice)
    found = Moved(one, partner.index, partner.distance_mm, seen.frame)
    if is_fixed:
        return replace(found, guide="reference")
    view = seen.still
    if way.options.has("affine"):
        found, view = _by_affine(found, like, seen, way)
    if way.options.has("nonrigid"):
        found = _by_displacement(found, pair(like.still, view), way)
    return found


def _by_affine(still: Moved, like: Sight, seen: Sight, way: Way) -> tuple[Moved, View]:
    """Return how a slice came onto another by an affine map, and what it looks like there.

    It starts from where the headers say that the slices lie, if nothing is drawn in them or one is
    turned against the other; else from the middles of the images, or the hearts that are drawn.
    """
    start, both = np.eye(3), pair(like.still, seen.still)
    told = seen.told(like)
    if _guide(both, way)[0] == "images" or abs(np.degrees(_turn(told))) > _TURNED:
        start, both = told, pair(like.still, seen.moved(told))
    guide, note = _guide(both, way)
    found = affine.register(both, guide, way.name)
    if found.degenerate:
        note = note or "the affine step failed: shifted only"
    matrix = start @ found.matrix
    view = seen.moved(matrix)
    if guide != "images":
        before, after = pair(like.still, seen.still), pair(like.still, view)
        if _overlap(after, None) < _overlap(before, None):
            matrix, view = np.eye(3), seen.still
            note = "the affine step makes it worse, and was left out"
    return replace(still, affine=matrix, guide=guide, note=note), view


def _by_displacement(still: Moved, both: Pair, way: Way) -> Moved:
    """Return how a slice came onto another by a displacement; none if that makes it worse."""
    guide, note = _guide(both, way)
    network, method = way.network, "demons"
    if network is not None and (guide != "images" or not network.masks):
        field, method = network.register(both), "voxelmorph"
    else:
        field = demons.register(both, guide, way.name)
    found = replace(still, guide=guide, note=still.note or note)
    if guide != "images" and _overlap(both, field) < _overlap(both, None):
        return replace(found, note=note or "the non-rigid step makes it worse, and was left out")
    return replace(found, displacement=field, method=method)


def _turn(matrix: Array) -> float:
    return math.atan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])


def _guide(both: Pair, way: Way) -> tuple[Guide, str]:
    """Return what can drive the registration of two slices: masks where both show muscle."""
    if way.options.guide == "images" or way.coding is None:
        return "images", ""
    if both.fixed_masks is None or both.moving_masks is None:
        return "images", "one of the slices has no mask: registered by the images"
    if both.fixed_masks[0].any() and both.moving_masks[0].any():
        return way.options.guide, ""
    return "images", "no myocardium is drawn in one of the slices: registered by the images"


def _overlap(both: Pair, field: Array | None) -> float:
    """Return the Dice coefficient of the myocardium of two slices under a displacement."""
    if both.fixed_masks is None or both.moving_masks is None:
        return 0.0
    moving = both.moving_masks[0]
    if field is not None:
        places = warp.coordinates(len(moving), field, np.eye(3), np.eye(3))
        moving = warp.sample(moving.astype(np.float32), places, 1) > _HALF
    return metrics.dice(both.fixed_masks[0], moving)


def _window(fixed: Sequence[Sight], way: Way) -> Window:
    """Return the window around the heart, or the whole grid where nothing is cropped."""
    if not way.options.has("crop"):
        return Window((0, 0), way.grid.size, "images")
    views = [one.still for one in fixed]
    drawn = [one.masks[0] for one in views if one.masks is not None]
    return roi.window(drawn, [one.image for one in views])
