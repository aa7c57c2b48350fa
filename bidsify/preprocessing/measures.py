"""The numbers of a registered study, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from ..volume import Array
from . import jobs, metrics
from .outputs import Output
from .overlays import View
from .quality import Match, Page, Shown
from .registered import Moved, Stage
from .stack import SEQUENCES
from .summary import Row, Stages

_STAGES: tuple[Stage, ...] = ("before", "affine", "all")
Measure = Callable[[Array, Array], float]
#: A mask of the reference, and that of a slice at each stage; None where there is no such stage.
Masks = tuple[Array, list[Array | None]]


@lru_cache(maxsize=1)  # for the table and for the page
def rows(output: Output) -> tuple[Row, ...]:
    """Return the numbers of each slice that was registered."""
    return tuple(
        _row(output, name, number, moved)
        for name in SEQUENCES
        if name != output.reference
        for number, moved in enumerate(output.registered.slices[name])
    )


def page(output: Output) -> Page:
    """Return what the page of a study shows."""
    shown = [
        Shown(
            row,
            _view(output, output.reference, row.slice, "all"),
            _view(output, row.sequence, row.slice, "before"),
            _view(output, row.sequence, row.slice, "all"),
        )
        for row in rows(output)
    ]
    folder, _ = jobs.stem_of(output.study)
    return Page(folder, output.reference, shown, [*_matches(output)], output.notes)


def _row(output: Output, name: str, number: int, moved: Moved) -> Row:
    coding, folds = output.registered.coding, None
    muscle, scar = (coding.muscle, coding.scar) if coding else (frozenset(), frozenset())
    spacing = output.spacing
    if moved.displacement is not None:
        folds = metrics.folding(moved.displacement, moved.affine)

    muscles, scars = (_masks(output, (name, number), values) for values in (muscle, scar))

    def far(one: Array, other: Array) -> float:
        return metrics.hausdorff(one, other, spacing)

    return Row(
        f"sub-{output.study.subject}",
        f"ses-{output.study.session}" if output.study.session else "n/a",
        name,
        number,
        moved.index,
        moved.distance_mm,
        _stages(muscles, metrics.dice),
        _stages(muscles, far),
        _stages(scars, metrics.dice),
        folds,
        _method(output, moved),
        "labels of the dataset" if "masks" in moved.guide else "none",
        *_as_written(output, name, number),
    )


def _as_written(output: Output, name: str, number: int) -> tuple[float | None, float | None]:
    """Return the Dice coefficients of myocardium and scar in the labels that are written."""
    coding = output.registered.coding
    fixed = output.registered.labels(output.reference, number)
    moved = output.registered.labels(name, number)
    if coding is None or fixed is None or moved is None:
        return None, None
    found: list[float | None] = []
    for values in (coding.muscle, coding.scar):
        one, other = (np.isin(each, [*values]) for each in (fixed, moved))
        found.append(metrics.dice(one, other) if one.any() and other.any() else None)
    return found[0], found[1]


def _method(output: Output, moved: Moved) -> str:
    options = output.options
    ways = [f"affine by {moved.guide}"] if options.has("affine") else []
    ways += [moved.method] if options.has("nonrigid") else []
    return ", ".join(ways) or "n/a"


def _masks(output: Output, which: tuple[str, int], values: frozenset[int]) -> Masks:
    """Return a mask of the reference and of a slice at each stage that there is."""
    name, number = which
    wanted = (True, output.options.has("affine"), output.options.has("nonrigid"))
    return output.registered.mask(output.reference, number, values), [
        output.registered.mask(name, number, values, stage) if is_there else None
        for stage, is_there in zip(_STAGES, wanted, strict=True)
    ]


def _stages(masks: Masks, measure: Measure) -> Stages:
    """Measure the mask of a slice against that of the reference, at each stage that there is."""
    fixed, stages = masks
    found = [
        measure(fixed, moved) if moved is not None and fixed.any() and moved.any() else None
        for moved in stages
    ]
    return Stages(*found)


def _view(output: Output, name: str, number: int, stage: Stage) -> View:
    image = output.registered.image(name, number, stage)
    top = float(image.max()) or 1.0
    coding = output.registered.coding
    mask = output.registered.mask(name, number, coding.muscle, stage) if coding else None
    return View(np.clip(image * (255.0 / top), 0, 255).astype(np.uint8), mask)


def _matches(output: Output) -> Iterator[Match]:
    found = output.registered.matches
    for number, row in enumerate(found.rows):
        for name, partner in row.items():
            source = output.study.images[name][0]
            yield Match(name, source, partner.index, number, partner.distance_mm)
    for drop in found.drops:
        source = output.study.images[drop.name][0]
        yield Match(drop.name, source, drop.index, note=drop.reason)
