"""Label tables, and the headers of the segmentations that they explain."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from ..context import Context
from ..files.texts import read_table
from ..files.tree import File
from .registry import Fault, header_check, is_dseg, is_label_image, is_probseg, is_table

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
_NOTHING = frozenset({"", "n/a"})
_SIDES = ("hemisphere", "hemi", "side", "laterality")  # columns that tell equal names apart
_SIDE_WORDS = frozenset({"left", "right", "lh", "rh", "l", "r"})
_SHOWN = 5
_FRAMES = 4  # the axis of a NIfTI image that counts its volumes


@header_check("LABEL_COLOR_INVALID", on=is_table)
def colors_are_hexadecimal(context: Context) -> Iterator[Fault]:
    """A colour is a number sign and six hexadecimal digits."""
    wrong = [
        f"{value!r} in line {line}"
        for line, value in enumerate(context.columns.get("color", ()), 2)
        if value not in _NOTHING and not _COLOR.match(value)
    ]
    if wrong:
        yield Fault(f"no colour such as #b35f44: {listed(wrong)}", "color")


@header_check("LABEL_COLOR_DUPLICATE", on=is_table)
def colors_differ(context: Context) -> Iterator[Fault]:
    """No two labels have the same colour, unless they are the two sides of one structure."""
    colors, names = context.columns.get("color", ()), context.columns.get("name", ())
    if len(set(map(str.lower, colors))) == len(colors):
        return
    owners: dict[str, list[str]] = {}
    for color, name in zip(colors, names, strict=False):
        if _COLOR.match(color):
            owners.setdefault(color.lower(), []).append(name)
    shared = [
        f"{color} for {listed(found)}"
        for color, found in owners.items()
        if len(set(map(_without_side, found))) > 1
    ]
    if shared:
        yield Fault(listed(shared), "color")


@header_check("LABEL_NAME_DUPLICATE", on=is_table)
def names_differ(context: Context) -> Iterator[Fault]:
    """No two labels have the same name."""
    yield from _repeated(context.columns, "name")


@header_check("LABEL_ABBREVIATION_DUPLICATE", on=is_table)
def abbreviations_differ(context: Context) -> Iterator[Fault]:
    """No two labels have the same abbreviation."""
    yield from _repeated(context.columns, "abbreviation")


@header_check("SEGMENTATION_WITHOUT_TABLE", on=is_dseg)
def segmentations_have_a_table(context: Context) -> Iterator[Fault]:
    """Some table says what the values of a segmentation stand for."""
    if context.file and not tables_of(context.file):
        yield Fault("no dseg.tsv beside it, or above it, has entities that are all among its own")


@header_check("DSEG_SCALED", on=is_label_image)
def labels_are_not_scaled(context: Context) -> Iterator[Fault]:
    """The header of an image of labels leaves its values as they are stored."""
    if context.header is None:
        return
    slope, intercept = scaling(context.header.slope, context.header.intercept)
    if (slope, intercept) != (1, 0):
        yield Fault(f"scl_slope is {slope:g} and scl_inter is {intercept:g}")


@header_check("LABEL_MAP_LENGTH", on=is_probseg)
def label_maps_name_each_volume(context: Context) -> Iterator[Fault]:
    """A LabelMap names as many structures as the image has volumes."""
    if context.header is None:
        return
    dims = context.header.dims
    frames = dims[_FRAMES] if dims[0] >= _FRAMES else 1
    names = context.sidecar.get("LabelMap")
    if isinstance(names, list):
        if len(names) != frames and not (frames == 1 and "label" in context.entities):
            yield Fault(f"{len(names)} names for {frames} volumes", "LabelMap")
    elif frames > 1 and context.file and not tables_of(context.file):
        yield Fault(f"no LabelMap names the {frames} volumes", "LabelMap")


def tables_of(file: File) -> tuple[File, ...]:
    """Return the label tables that apply: those in the nearest folder that has any."""
    entities = file.parts.entities
    for folder in file.parent.chain():
        if found := folder.applicable(entities, "dseg", ".tsv", ()):
            return tuple(found)
    return ()


def rows_of(tables: Sequence[File]) -> Mapping[int, str]:
    """Return index -> name of all rows of some tables."""
    return {index: name for file in tables for index, name in rows(read_table(file).columns)}


def rows(columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, str]]:
    """Yield index and name of each row whose index is a whole number."""
    indices = columns.get("index", ())
    for index, name in zip(indices, columns.get("name", indices), strict=False):
        try:
            number = float(index)
        except ValueError:
            continue
        if number.is_integer():
            yield int(number), name


def scaling(slope: float, intercept: float) -> tuple[float, float]:
    """Return what a header's scaling comes to; none where the slope is 0 or not finite."""
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    return slope, (intercept if math.isfinite(intercept) else 0.0)


def listed(items: Sequence[str]) -> str:
    """Join the first few, and say how many more there are."""
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _repeated(columns: Mapping[str, Sequence[str]], column: str) -> Iterator[Fault]:
    values = columns.get(column, ())
    if len(set(values)) == len(values):
        return
    side = next((columns[name] for name in _SIDES if name in columns), None)
    lines: dict[tuple[str, str], list[int]] = {}
    for number, value in enumerate(values):
        if value not in _NOTHING:
            lines.setdefault((value, side[number] if side else ""), []).append(number + 2)
    twice = [
        f"{value!r} in lines {', '.join(map(str, found))}"
        for (value, _), found in lines.items()
        if len(found) > 1
    ]
    if twice:
        yield Fault(listed(twice), column)


def _without_side(name: str) -> str:
    words = re.split(r"[\s_.\-]+", name.strip('"').lower())
    return " ".join(word for word in words if word not in _SIDE_WORDS)
