"""What the values of segmentations mean: label tables, put together where they say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..harmonisation.segmentations import TreeTable
from ..label_colors import color_of
from .values import CaseFacts, Scheme

UNSTATED = 0  # place of the scheme of segmentations without a table that can be used


def schemes(tables: Mapping[str, TreeTable]) -> tuple[tuple[Scheme, ...], Mapping[str, int]]:
    """Return the schemes, the first of which states nothing, and path of a table -> place."""
    made = [Scheme((), {}, {})]
    places: dict[str, int] = {}
    known: dict[object, int] = {}
    for path, table in sorted(tables.items()):
        if table.fault:
            made[UNSTATED] = _with_fault(made[UNSTATED], f"{path}: {table.fault}")
            places[path] = UNSTATED
            continue
        names = {value: name for value, name in table.names.items() if value != 0}
        colors = _colors(table)
        place = known.setdefault((tuple(names.items()), tuple(colors.items())), len(made))
        if place == len(made):
            made.append(Scheme((), names, colors))
        made[place] = replace(made[place], tables=(*made[place].tables, path))
        places[path] = place
    return tuple(made), places


def with_values(stated: Sequence[Scheme], cases: Iterable[CaseFacts]) -> tuple[Scheme, ...]:
    """Add the colours of values that occur without a row, and where no table speaks, the values.

    A value that a table leaves out is a matter of the cases that hold it: others do not lack it.
    """
    made = list(stated)
    for facts in cases:
        scheme = made[facts.scheme]
        found = {label.value: label for label in facts.labels if label.value not in scheme.names}
        if found:
            more = dict.fromkeys(found, "") if facts.scheme == UNSTATED else {}
            names = {**scheme.names, **more}
            colors = {**scheme.colors, **{value: one.color for value, one in found.items()}}
            made[facts.scheme] = replace(scheme, names=dict(sorted(names.items())), colors=colors)
    return tuple(made)


def _with_fault(scheme: Scheme, fault: str) -> Scheme:
    return replace(scheme, faults=(*scheme.faults, fault))


def _colors(table: TreeTable) -> dict[int, str]:
    colors = {int(row["index"]): color_of(row) for row in table.rows}
    return {value: color for value, color in colors.items() if value != 0}
