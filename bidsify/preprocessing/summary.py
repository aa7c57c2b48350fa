"""The numbers of a preprocessing: a row for each slice that was registered, and their means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .. import text_files
from ..printable import printable

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Stages:
    """One measure as found, after the affine and after the non-rigid step; None: not measured."""

    before: float | None = None
    affine: float | None = None
    nonrigid: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a slice of a sequence that was registered to the reference.

    ``dice`` and ``hausdorff_mm`` compare the outlines of the myocardium with those of the
    reference, finer than pixels, ``scar_dice`` those of the scar, which guides no method;
    ``dice_labels`` and ``scar_dice_labels`` the labels as they are written. ``folds`` is the share
    of pixels, from 0 to 1, where the displacement turns inside out. ``masks`` says where the masks
    come from.
    """

    subject: str
    session: str
    sequence: str
    slice: int
    source_slice: int
    distance_mm: float | None = None
    dice: Stages = field(default_factory=Stages)
    hausdorff_mm: Stages = field(default_factory=Stages)
    scar_dice: Stages = field(default_factory=Stages)
    folds: float | None = None
    method: str = text_files.MISSING
    masks: str = text_files.MISSING
    dice_labels: float | None = None
    scar_dice_labels: float | None = None


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers: what it holds, how many digits it is given, and its value in a row."""

    description: str
    digits: int
    value: Callable[[Row], float | None]
    units: str = ""


_DICE = "Dice coefficient of the outlined myocardium with that of the reference slice, {}."
_SCAR = "Dice coefficient of the outlined scar with that of the reference slice, {}; no guide."
_LABELS = "Dice coefficient of the {} in the labels as written with that of the reference slice."
_FAR = "Largest distance of an outline of the myocardium from that of the reference slice, {}."
_BEFORE, _AFFINE, _NONRIGID = "before registration", "after the affine step", "after all steps"

_NUMBERS: dict[str, _Column] = {
    "distance_mm": _Column(
        "Distance of the slice from its reference slice, along the normal of that.",
        2,
        lambda row: row.distance_mm,
        "mm",
    ),
    "dice_before": _Column(_DICE.format(_BEFORE), 4, lambda row: row.dice.before),
    "dice_affine": _Column(_DICE.format(_AFFINE), 4, lambda row: row.dice.affine),
    "dice_nonrigid": _Column(_DICE.format(_NONRIGID), 4, lambda row: row.dice.nonrigid),
    "hausdorff_mm_before": _Column(
        _FAR.format(_BEFORE), 2, lambda row: row.hausdorff_mm.before, "mm"
    ),
    "hausdorff_mm_affine": _Column(
        _FAR.format(_AFFINE), 2, lambda row: row.hausdorff_mm.affine, "mm"
    ),
    "hausdorff_mm_nonrigid": _Column(
        _FAR.format(_NONRIGID), 2, lambda row: row.hausdorff_mm.nonrigid, "mm"
    ),
    "scar_dice_before": _Column(_SCAR.format(_BEFORE), 4, lambda row: row.scar_dice.before),
    "scar_dice_affine": _Column(_SCAR.format(_AFFINE), 4, lambda row: row.scar_dice.affine),
    "scar_dice_nonrigid": _Column(_SCAR.format(_NONRIGID), 4, lambda row: row.scar_dice.nonrigid),
    "dice_labels": _Column(_LABELS.format("myocardium"), 4, lambda row: row.dice_labels),
    "scar_dice_labels": _Column(_LABELS.format("scar"), 4, lambda row: row.scar_dice_labels),
    "folds": _Column(
        "Share of pixels where the displacement folds (Jacobian determinant not above 0).",
        6,
        lambda row: row.folds,
    ),
}
_NAMES = {
    "participant_id": "Subject, as the folder of its files is named.",
    "session_id": "Session, as the folder of its files is named; n/a where there is none.",
    "sequence": "Sequence that was registered, as the entity acq names it.",
    "slice": "Index of the slice in the output volume, from 0.",
    "source_slice": "Index of the slice in its source, from 0.",
}
_WAYS = {
    "method": "Methods of the affine and of the non-rigid step.",
    "masks": "Where the masks that guide the registration come from.",
}
COLUMNS = (*_NAMES, *_NUMBERS, *_WAYS)
MEAN_COLUMNS = ("sequence", "subject_count", "slices", *_NUMBERS)


def to_tsv(rows: Iterable[Row]) -> bytes:
    """Format the rows by subject, sequence and slice; ``n/a`` for what was not measured."""
    ordered = sorted(rows, key=lambda row: (row.subject, row.session, row.sequence, row.slice))
    return text_files.to_tsv(COLUMNS, [_cells(row) for row in ordered])


def from_tsv(text: str) -> list[Row]:
    """Read rows back.

    Raises:
        ValueError: Not such a table.
    """
    head, *lines = (line.split("\t") for line in text.splitlines())
    if tuple(head) != COLUMNS:
        msg = "not a table of registered slices"
        raise ValueError(msg)
    return [_read(dict(zip(COLUMNS, line, strict=True))) for line in lines]


def _read(cells: Mapping[str, str]) -> Row:
    def number(name: str) -> float | None:
        return None if cells[name] == text_files.MISSING else float(cells[name])

    def stages(name: str) -> Stages:
        return Stages(*(number(f"{name}_{stage}") for stage in ("before", "affine", "nonrigid")))

    return Row(
        cells["participant_id"],
        cells["session_id"],
        cells["sequence"],
        int(cells["slice"]),
        int(cells["source_slice"]),
        number("distance_mm"),
        stages("dice"),
        stages("hausdorff_mm"),
        stages("scar_dice"),
        number("folds"),
        cells["method"],
        cells["masks"],
        number("dice_labels"),
        number("scar_dice_labels"),
    )


def means_to_tsv(rows: Iterable[Row]) -> bytes:
    """Format the means over all slices that have a number, a row a sequence and one for all."""
    listed = list(rows)
    lines = [
        _mean_cells(name, [row for row in listed if row.sequence == name])
        for name in sorted({row.sequence for row in listed})
    ]
    return text_files.to_tsv(MEAN_COLUMNS, [*lines, _mean_cells(_ALL, listed)])


def definitions() -> dict[str, dict[str, str]]:
    """Return what the columns of :func:`to_tsv` hold, for its sidecar."""
    return {**_texts(_NAMES), **_described("{}"), **_texts(_WAYS)}


def mean_definitions() -> dict[str, dict[str, str]]:
    """Return what the columns of :func:`means_to_tsv` hold, for its sidecar."""
    names = {
        "sequence": f"Sequence that was registered; '{_ALL}' for all of them.",
        "subject_count": "Number of subjects.",
        "slices": "Number of slices.",
    }
    return {**_texts(names), **_described("Mean over the slices that have it. {}")}


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that were measured; None where none was."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(known) / len(known) if known else None


def written(value: float | None, digits: int) -> str:
    """Format a number; ``n/a`` for what was not measured or is not finite."""
    if value is None or not math.isfinite(value):
        return text_files.MISSING
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no -0.00


def _cells(row: Row) -> list[str]:
    names = (row.subject, row.session, row.sequence, str(row.slice), str(row.source_slice))
    numbers = (written(column.value(row), column.digits) for column in _NUMBERS.values())
    return [*map(printable, names), *numbers, printable(row.method), printable(row.masks)]


def _mean_cells(name: str, rows: Sequence[Row]) -> list[str]:
    subjects = len({row.subject for row in rows})
    numbers = (
        written(mean(map(column.value, rows)), column.digits) for column in _NUMBERS.values()
    )
    return [printable(name), str(subjects), str(len(rows)), *numbers]


def _texts(columns: dict[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"Description": text} for name, text in columns.items()}


def _described(frame: str) -> dict[str, dict[str, str]]:
    return {
        name: {"Description": frame.format(column.description)}
        | ({"Units": column.units} if column.units else {})
        for name, column in _NUMBERS.items()
    }
