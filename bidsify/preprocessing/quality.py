"""A page for each subject that shows how well its slices were registered: one file of HTML.

It needs no network and runs no script. All texts are escaped, and the same values give the same
bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ..printable import printable
from . import overlays
from .overlays import View
from .summary import Row, Stages, mean, written

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.4 sans-serif; margin: 1.5em; color: #111; background: #fff; }
table { border-collapse: collapse; margin-bottom: 1.5em; }
th, td { border: 1px solid #bbb; padding: .3em .5em; text-align: left; vertical-align: top; }
img { width: 176px; height: auto; display: block; image-rendering: pixelated; background: #000; }
.key { display: inline-block; width: 1em; height: 1em; border: 1px solid #444; }
.bad { color: #a00000; font-weight: bold; }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A registered slice: its numbers, its reference slice, and itself before and after.

    All three views are on one grid; what is larger than 128 pixels is cropped around the mask.
    """

    numbers: Row
    fixed: View
    before: View
    after: View


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a slice of the source: ``slice`` of the output, or dropped where None."""

    sequence: str
    source: str
    source_slice: int
    slice: int | None = None
    distance_mm: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What the page of a subject shows; ``reference`` is the sequence with the fewest slices."""

    subject: str
    reference: str
    rows: Sequence[Shown]
    matches: Sequence[Match]
    notes: Sequence[str] = ()


def to_html(page: Page) -> bytes:
    """Return the page: slices in order with pictures and numbers, then matches and drops."""
    title = f"Registration of subject {_text(page.subject)}"
    head = (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    parts = [head, *_summary(page), *_slices(page), *_matches(page), "</body>\n</html>\n"]
    return "".join(parts).encode()


def _text(text: object) -> str:
    """Escape what comes from files, also what would turn the direction of a line."""
    return escape(printable(str(text)))


def _summary(page: Page) -> Iterator[str]:
    dropped = sum(match.slice is None for match in page.matches)
    kept = len(page.matches) - dropped
    dice = [row.numbers.dice for row in page.rows]
    stages = [mean(getattr(each, name) for each in dice) for name in Stages.__slots__]
    yield (
        f"<p>Reference: {_text(page.reference)}. Slices of the sources kept: {kept}, "
        f"dropped: {dropped}. Mean Dice of the myocardium: before {written(stages[0], 3)}, affine "
        f"{written(stages[1], 3)}, non-rigid {written(stages[2], 3)}.</p>\n"
    )
    for note in page.notes:
        yield f"<p>{_text(note)}</p>\n"
    keys = (
        (overlays.FIXED, "reference"),
        (overlays.MOVING, "registered sequence"),
        (overlays.BOTH, "both"),
    )
    legend = ", ".join(
        f'<span class="key" style="background: rgb{colour}"></span> {name}' for colour, name in keys
    )
    yield f"<p>Outlines of the myocardium: {legend}. Tiles take turns, the reference first.</p>\n"


def _slices(page: Page) -> Iterator[str]:
    yield "<h2>Slices</h2>\n<table>\n<tr>"
    yield from (
        f'<th scope="col">{name}</th>'
        for name in (
            "Slice",
            "Tiles before",
            "Tiles after",
            "Outlines before",
            "Outlines after",
            "Agreement",
        )
    )
    yield "</tr>\n"
    ordered = sorted(page.rows, key=lambda row: (row.numbers.slice, row.numbers.sequence))
    for row in ordered:
        yield from _slice(row)
    yield "</table>\n"


def _slice(row: Shown) -> Iterator[str]:
    numbers = row.numbers
    name = f"{_text(numbers.sequence)}, slice {numbers.slice}"
    yield (
        f'<tr>\n<th scope="row">{name}<br>of the source: {numbers.source_slice}<br>'
        f"{written(numbers.distance_mm, 1)} mm away</th>\n"
    )
    centre = overlays.centre_of(row.fixed)
    fixed, *moving = (overlays.cropped(v, centre) for v in (row.fixed, row.before, row.after))
    for kind, draw in (("tiles", overlays.checkerboard), ("outlines", overlays.contours)):
        for when, view in zip(("before", "after"), moving, strict=True):
            data = base64.b64encode(draw(fixed, view)).decode()
            alt = f"{kind} {when}: {name}"
            yield f'<td><img alt="{alt}" src="data:image/png;base64,{data}"></td>\n'
    yield f"<td>{_numbers(numbers)}</td>\n</tr>\n"


def _numbers(row: Row) -> str:
    lines = [
        f"Dice: {_stages(row.dice, 3)}{_fallen(row.dice)}",
        f"Hausdorff (mm): {_stages(row.hausdorff_mm, 1)}",
        f"Scar Dice: {_stages(row.scar_dice, 3)}{_fallen(row.scar_dice)}",
        f"Folds: {_folds(row.folds)}",
        f"Method: {_text(row.method)}",
        f"Masks: {_text(row.masks)}",
    ]
    return "<br>".join(lines)


def _stages(stages: Stages, digits: int) -> str:
    values = (stages.before, stages.affine, stages.nonrigid)
    return " &rarr; ".join(written(value, digits) for value in values)


def _fallen(stages: Stages) -> str:
    """Point out where registration made it worse."""
    last = stages.affine if stages.nonrigid is None else stages.nonrigid
    is_worse = last is not None and stages.before is not None and last < stages.before
    return ' <span class="bad">worse than before</span>' if is_worse else ""


def _folds(share: float | None) -> str:
    if not share:
        return written(share, 0)
    return f'<span class="bad">{written(share * 100, 3)} %</span>'


def _matches(page: Page) -> Iterator[str]:
    yield "<h2>Slices of the sources</h2>\n<table>\n<tr>"
    names = ("Sequence", "File", "Slice of the source", "Slice", "Distance (mm)", "Note")
    yield from (f'<th scope="col">{name}</th>' for name in names)
    yield "</tr>\n"
    for match in page.matches:
        cells = (
            match.sequence,
            match.source,
            match.source_slice,
            "dropped" if match.slice is None else match.slice,
            written(match.distance_mm, 2),
            match.note,
        )
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>\n"
    yield "</table>\n"
