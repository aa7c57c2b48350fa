"""Labels as nnU-Net wants them: consecutive, background first, regions from large to small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..printable import some

BACKGROUND, IGNORE = "background", "ignore"


@dataclass(frozen=True, slots=True)
class Labelling:
    """How values change, and what ``dataset.json`` says of them.

    ``forward`` maps each value of the tree to its number, from 0 on without gaps. ``labels`` is
    in the order that has a meaning for regions. ``order`` is the number that each region leaves
    in a prediction where no smaller one lies in it; None without regions.
    """

    forward: Mapping[int, int]
    labels: Mapping[str, int | list[int]]
    order: tuple[int, ...] | None
    notes: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Say whether any value changes."""
        return any(value != number for value, number in self.forward.items())

    @property
    def ignore(self) -> int:
        """The number of voxels that training leaves out."""
        return len(self.forward)


def number(
    names: Mapping[int, str], regions: Mapping[str, Sequence[int]] | None, *, is_partial: bool
) -> Labelling:
    """Number the labels; ``regions`` become the classes where they are given.

    Raises:
        UsageError: A region has a value that no label table has, or there is none of several.
    """
    values = sorted({*names} - {0})
    forward = {0: 0, **{value: place for place, value in enumerate(values, start=1)}}
    unique = dict(_unique({value: names[value] for value in values}))
    labels: dict[str, int | list[int]] = {BACKGROUND: 0}
    order: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    if regions is None:
        labels.update({unique[value]: forward[value] for value in values})
    else:
        _check(regions, names)
        covered = {value for members in regions.values() for value in members}
        alone = {unique[v]: (v,) for v in values if v not in covered}
        ordered = {**alone, **dict(sorted(regions.items(), key=lambda each: -len(each[1])))}
        for name, members in ordered.items():
            one = forward[members[0]]
            key = name if name in alone else _free(name, labels)
            labels[key] = one if name in alone else [forward[value] for value in members]
        order, notes = _order(ordered, forward)
    if is_partial:
        labels[IGNORE] = len(forward)
    return Labelling(forward, labels, order, notes)


def _check(regions: Mapping[str, Sequence[int]], names: Mapping[int, str]) -> None:
    for name, members in regions.items():
        if strange := [value for value in members if value not in names]:
            msg = f"regions.tsv: {name} holds {strange[0]}, which no label table has"
            raise UsageError(msg)
    if not any(len({*members}) > 1 for members in regions.values()):
        msg = "regions.tsv: no region unites labels; train on labels, without --regions"
        raise UsageError(msg)


def _order(
    ordered: Mapping[str, Sequence[int]], forward: Mapping[int, int]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return what each region leaves; a later region is written over an earlier one."""
    order, notes = [], []
    for place, (name, members) in enumerate(ordered.items()):
        later = {value for after in [*ordered.values()][place + 1 :] for value in after}
        own = [value for value in members if value not in later]
        order.append(forward[(own or list(members))[0]])
        if len(own) > 1:
            texts = some([str(value) for value in own])
            notes.append(f"a prediction of {name} cannot tell {texts} apart: it becomes {own[0]}")
        elif not own:
            within = f"a prediction of {name} outside of the regions within it"
            notes.append(f"{within} has no label of its own: it becomes {members[0]}")
    return tuple(order), tuple(notes)


def _unique(names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    taken = {BACKGROUND: 0, IGNORE: 0}
    for value, name in names.items():
        free = _free(name or f"label {value}", taken, str(value))
        taken[free] = value
        yield value, free


def _free(name: str, taken: Mapping[str, object], more: str = "region") -> str:
    while name in taken:
        name = f"{name} {more}"
    return name
