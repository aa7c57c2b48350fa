"""Which slices of the sequences of one study show the same place: global one-to-one matches.

The sequence with the fewest slices is the reference. Its *axis* is the line along its normal
through the middle of its centres, and the place of a slice is where its plane cuts that line. The
distance of two slices is that of their places: fields of view that are shifted within the plane do
not count, as each scan is cropped by its own rule. The distance of the centres is reported beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .. import text_files
from ..errors import SourceError, UsageError
from ..text_files import MISSING
from ..volume import Array
from .axis import axis_of, check_overlap, check_place, check_tilt
from .stack import SEQUENCES, Stack

#: Short-axis slices are usually 8 to 10 mm apart. A partner farther than half of that is nearer
#: to the place of the next slice.
BOUND_MM = 5.0
#: The weight of squared distances, in 1/mm: of pairings with the same sum it takes the one that
#: keeps the order of the slices.
_KEEPS_ORDER = 1e-6
#: What a slice costs more than the one before it, in mm: of equal pairings the first counts.
_FIRST = 1e-9
#: Of distances in mm: noise of the arithmetic does not decide at the bound.
_DECIMALS = 6

#: The columns of the table, and what they say.
COLUMNS = {
    "sequence": "Sequence that the slice is of.",
    "source_slice": "Index of the slice in its source, from 0.",
    "slice": "Index of the slice in the output, from 0.",
    "distance": "Distance from the slice of the reference along its normal, in mm.",
    "centre_distance": "Distance of the centres of the two fields of view, in mm.",
    "reason": "Why the slice was dropped.",
}


@dataclass(frozen=True, slots=True)
class Partner:
    """A slice of a match: its index in its stack, and its distances from that of the reference.

    None where nothing was measured.
    """

    index: int
    distance_mm: float | None
    centre_mm: float | None


@dataclass(frozen=True, slots=True)
class Drop:
    """A slice that is in no match, and why."""

    name: str
    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Matches:
    """The matches of a study. A row has one partner of each sequence, the reference included.

    Rows follow the axis, from the end where the source of the reference begins.
    """

    reference: str
    rows: tuple[Mapping[str, Partner], ...]
    drops: tuple[Drop, ...]


def match(stacks: Mapping[str, Stack], bound_mm: float = BOUND_MM) -> Matches:
    """Return the matches of a study: pairs up to ``bound_mm`` apart, of the least sum of distances.

    A slice without a partner counts as ``bound_mm``; none is used twice. A slice of the reference
    without a partner in any of the sequences is dropped.

    Raises:
        SourceError: A sequence is missing, the stacks lie apart or are tilted against each other,
            or nothing matches.
        UsageError: The bound is not a positive number.
    """
    if not 0 < bound_mm < np.inf:
        msg = f"the bound of the distance of matching slices is {bound_mm} mm: it must be positive"
        raise UsageError(msg)
    known = _complete(stacks)
    reference = min(known.values(), key=lambda stack: len(stack.slices))
    axis = axis_of(reference)
    others = [stack for stack in known.values() if stack is not reference]
    for stack in (reference, *others):
        check_tilt(stack, reference, axis)
    for stack in others:
        check_overlap(stack, reference, axis, bound_mm)
    places = {name: axis.places(stack) for name, stack in known.items()}
    pairs = {
        stack.name: _pairs(places[reference.name], places[stack.name], bound_mm) for stack in others
    }
    kept = [k for k in _in_order(places[reference.name]) if all(k in p for p in pairs.values())]
    if not kept:
        msg = f"no slice of {reference.name} has a slice within {bound_mm:g} mm in each of "
        msg += f"{_listed(list(pairs))}; give a larger bound if they show the same heart"
        raise SourceError(msg)
    rows = tuple(
        {
            name: _partner(reference, stack, (k, pairs[name][k] if name in pairs else k), places)
            for name, stack in known.items()
        }
        for k in kept
    )
    return Matches(reference.name, rows, tuple(_drops(reference.name, places, pairs, bound_mm)))


def to_tsv(matches: Matches) -> bytes:
    """Return the table: one line for each slice of the study, matched or dropped; see COLUMNS."""
    lines = {
        (name, partner.index): (
            str(k),
            _written(partner.distance_mm),
            _written(partner.centre_mm),
            MISSING,
        )
        for k, row in enumerate(matches.rows)
        for name, partner in row.items()
    }
    for drop in matches.drops:
        lines[drop.name, drop.index] = (MISSING, MISSING, MISSING, drop.reason)
    order = sorted(lines, key=lambda key: (SEQUENCES.index(key[0]), key[1]))
    rows = [(name, str(index), *lines[name, index]) for name, index in order]
    return text_files.to_tsv(tuple(COLUMNS), rows)


def _written(distance: float | None) -> str:
    return MISSING if distance is None else f"{distance:.3f}"


def _complete(stacks: Mapping[str, Stack]) -> dict[str, Stack]:
    """Return the stacks in the order of SEQUENCES, each with slices that lie somewhere."""
    missing = [name for name in SEQUENCES if name not in stacks or not stacks[name].slices]
    if missing:
        msg = f"the study has no {_listed(missing)}; all of {_listed(list(SEQUENCES))} are needed"
        raise SourceError(msg)
    for name in SEQUENCES:
        check_place(stacks[name])
    return {name: stacks[name] for name in SEQUENCES}


def _pairs(reference: Array, other: Array, bound_mm: float) -> dict[int, int]:
    """Return the slice of the other stack for each of the reference that has one.

    The reference has not more slices than the other, so that a slice which takes a far one, at
    the cost of having none, takes it from nobody.
    """
    distances = np.round(np.abs(reference[:, None] - other[None, :]), _DECIMALS)
    # None costs a little more than the farthest partner: one at the bound is taken.
    costs = np.minimum(distances, bound_mm * (1 + _KEEPS_ORDER))
    ties = _FIRST * np.arange(len(other))
    found = zip(*linear_sum_assignment(costs + _KEEPS_ORDER * costs**2 + ties), strict=True)
    return {int(k): int(n) for k, n in found if distances[k, n] <= bound_mm}


def _in_order(places: Array) -> list[int]:
    """Return the indices along the axis, from the end where the source begins."""
    upward = float(places @ (np.arange(len(places)) - (len(places) - 1) / 2)) >= 0
    return [int(k) for k in np.argsort(places if upward else -places, kind="stable")]


def _partner(
    reference: Stack, stack: Stack, pair: tuple[int, int], places: Mapping[str, Array]
) -> Partner:
    k, n = pair
    distance = round(abs(float(places[stack.name][n] - places[reference.name][k])), _DECIMALS)
    between = stack.slices[n].centre - reference.slices[k].centre
    return Partner(n, distance, float(np.linalg.norm(between)))


def _drops(
    reference: str,
    places: Mapping[str, Array],
    pairs: Mapping[str, Mapping[int, int]],
    bound_mm: float,
) -> Iterator[Drop]:
    """Yield what is in no match, in the order of SEQUENCES."""
    dropped = {k for k in range(len(places[reference])) for p in pairs.values() if k not in p}
    for name in places:
        if name == reference:
            for k in sorted(dropped):
                lacking = [other for other in pairs if k not in pairs[other]]
                reasons = [
                    _reason(float(places[name][k]), other, places[other], bound_mm)
                    for other in lacking
                ]
                yield Drop(name, k, "; ".join(reasons))
            continue
        partners = {n: k for k, n in pairs[name].items()}
        for n, place in enumerate(places[name].tolist()):
            if n not in partners:
                yield Drop(name, n, _reason(place, reference, places[reference], bound_mm))
            elif partners[n] in dropped:
                yield Drop(name, n, f"its slice of {reference}, {partners[n]}, was dropped")


def _reason(place: float, name: str, places: Array, bound_mm: float) -> str:
    """Say why a slice has no partner in the sequence of that name."""
    nearest = round(float(np.abs(places - place).min()), _DECIMALS)
    if nearest > bound_mm:
        return f"no slice of {name} within {bound_mm:g} mm, the nearest is {nearest:.1f} mm away"
    return f"each slice of {name} within {bound_mm:g} mm has another partner"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
