"""What the voxels of an image must be, by what its name says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..context import Context
from ..issue import Severity
from .labels import rows_of, scaling, tables_of
from .registry import (
    LABEL_SUFFIXES,
    Fault,
    is_dseg,
    is_image,
    is_mask,
    is_probseg,
    is_segmentation,
    of_voxels,
    voxel_check,
)
from .sizes import headers_are_plausible
from .stream import UnreadableError, read_voxels
from .summary import Summary, summarize

_SHOWN = 10
_SLACK = 1e-3  # probabilities stored with a byte and a rounded slope miss 1 by a little


@voxel_check("DSEG_NOT_INTEGER", on=is_dseg)
def labels_are_whole_numbers(_: Context, voxels: Summary) -> Iterator[Fault]:
    """Each value of a discrete segmentation is a whole number, in whatever type."""
    if fractions := {v: n for v, n in voxels.counts.items() if v != int(v)}:
        yield Fault(_named(fractions))
    elif not voxels.is_complete:
        yield Fault("there are more different values than any table has rows")


@voxel_check("DSEG_VALUE_WITHOUT_ROW", on=is_dseg)
def values_have_a_row(context: Context, voxels: Summary) -> Iterator[Fault]:
    """Each value of a discrete segmentation, other than 0, has a row in its table."""
    tables = tables_of(context.file) if context.file else ()
    known = rows_of(tables)
    if not known:
        return
    if missing := {v: n for v, n in voxels.counts.items() if v == int(v) and v not in known}:
        yield Fault(f"{_named(missing)}; the table is {', '.join(t.path for t in tables)}")


@voxel_check("MASK_NOT_BINARY", on=is_mask)
def masks_are_binary(_: Context, voxels: Summary) -> Iterator[Fault]:
    """A mask has no values but 0 and 1."""
    if others := {v: n for v, n in voxels.counts.items() if v != 1}:
        yield Fault(_named(others))
    elif not voxels.is_complete:
        yield Fault("there are too many different values to list")


@voxel_check("PROBSEG_OUT_OF_RANGE", on=is_probseg)
def probabilities_are_in_range(_: Context, voxels: Summary) -> Iterator[Fault]:
    """Probabilities lie between 0 and 1."""
    if voxels.least < -_SLACK or voxels.most > 1 + _SLACK:
        yield Fault(f"from {voxels.least:g} to {voxels.most:g}")


@voxel_check("SEGMENTATION_EMPTY", on=is_segmentation)
def segmentations_are_not_empty(_: Context, voxels: Summary) -> Iterator[Fault]:
    """A segmentation has voxels other than background."""
    if voxels.is_empty and not voxels.not_finite:
        yield Fault(f"all {voxels.voxels} voxels are 0")


@voxel_check("IMAGE_NOT_FINITE", on=is_image)
def values_are_finite(context: Context, voxels: Summary) -> Iterator[Fault]:
    """An image has neither NaN nor infinite values; in maps, NaN often stands for "not there"."""
    if voxels.not_finite:
        share = voxels.not_finite / voxels.voxels
        severity: Severity | None = "info" if context.suffix.endswith("map") else None
        yield Fault(f"{voxels.not_finite} voxels ({share:.2g} of all)", severity=severity)


def read(context: Context) -> Summary | Fault | None:
    """Read all voxels; None where there are none to read, a fault where reading them fails."""
    header = context.header
    if header is None or context.file is None or any(headers_are_plausible(context)):
        return None
    location, memory = context.file.location, context.dataset.memory
    is_of_labels = context.suffix in LABEL_SUFFIXES
    stamp = memory.stamp(location) if memory else None
    if memory and stamp:
        known = memory.recall(context.relative, stamp, is_of_labels=is_of_labels)
        if known:
            return known
    values = read_voxels(location, header)
    try:
        scale = scaling(header.slope, header.intercept)
        summary = summarize(values, scale, is_of_labels=is_of_labels)
    except UnreadableError as error:
        return Fault(str(error))
    if memory and stamp:
        memory.keep(context.relative, stamp, summary, is_of_labels=is_of_labels)
    return summary


def judge(context: Context, voxels: Summary) -> Iterator[tuple[str, Fault]]:
    """Yield what the checks of voxels find, with their codes."""
    for code, run in of_voxels(context.suffix, context.extension):
        for fault in run(context, voxels):
            yield code, fault


def _named(counts: Mapping[float, int]) -> str:
    shown = [f"{v:g} ({counts[v]} voxel{'s' * (counts[v] > 1)})" for v in sorted(counts)[:_SHOWN]]
    more = f" and {len(counts) - _SHOWN} more values" if len(counts) > _SHOWN else ""
    return f"value{'s' * (len(counts) > 1)} {', '.join(shown)}{more}"
