"""Plots as SVG, without a library: for the page and as files, the same bytes each time.

Colours of lines and texts are those of what is around a plot. A plot has a title, which is read
aloud; the numbers stand in a table beside it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .markup import number, text

_BAR, _LABEL, _PLOT = 18, 150, 300  # height of a bar; width of its label, and of the bars
_STRIP_WIDTH, _STRIP_HEIGHT, _MARGIN = 260, 30, 8
_DENSE = 600  # more points than this are shown as bars
_DISTINCT, _BINS = 14, 20
_WIDE_RANGE = 20  # largest by smallest, from which an axis is logarithmic
_BLUE, _RED = "#4477aa", "#cc3311"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plot: its size in pixels, what it shows in words, and its markup."""

    width: int
    height: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value that stands out: who it is, and the number of its case where that is linked."""

    value: float
    name: str
    case: int | None = None


def inline(drawing: Drawing) -> str:
    """Return a plot as a part of a page."""
    size = f'width="{drawing.width}" height="{drawing.height}"'
    box = f'viewBox="0 0 {drawing.width} {drawing.height}"'
    label = f'role="img" aria-label="{text(drawing.title)}"'
    return f'<svg class="plot" {size} {box} {label}>{drawing.body}</svg>\n'


def standalone(drawing: Drawing) -> bytes:
    """Return a plot as a file, on white."""
    size = f'width="{drawing.width}" height="{drawing.height}"'
    box = f'viewBox="0 0 {drawing.width} {drawing.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} color="#111" '
        f'font-family="sans-serif">\n<title>{text(drawing.title)}</title>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{drawing.body}</svg>\n'
    ).encode()


def bars(title: str, counts: Sequence[tuple[str, int]]) -> Drawing:
    """Return horizontal bars, each with its name and number."""
    most = max((count for _, count in counts), default=1)
    parts = []
    for place, (name, count) in enumerate(counts):
        top, width = place * _BAR, round(_PLOT * count / most, 1)
        parts.append(
            f'<text x="{_LABEL - 6}" y="{top + 13}" text-anchor="end" font-size="12" '
            f'fill="currentColor">{text(name)}</text>'
            f'<rect x="{_LABEL}" y="{top + 2}" width="{width}" height="{_BAR - 4}" fill="{_BLUE}"/>'
            f'<text x="{_LABEL + width + 5}" y="{top + 13}" font-size="12" '
            f'fill="currentColor">{count}</text>\n'
        )
    width = _LABEL + _PLOT + 60
    return Drawing(width, max(1, len(counts)) * _BAR, title, "".join(parts))


def distribution(values: Iterable[float]) -> list[tuple[str, int]]:
    """Count values: each one where few are different, else in ranges of equal width.

    >>> distribution([1.0, 1.0, 2.5])
    [('1', 2), ('2.5', 1)]
    >>> distribution([0.0005, 0.0005, 0.00025])
    [('0.00025', 1), ('0.0005', 2)]
    """
    finite = sorted(value for value in values if math.isfinite(value))
    counts = Counter(float(f"{value:.4g}") for value in finite)
    if len(counts) <= _DISTINCT:
        return [(number(value, 4), count) for value, count in sorted(counts.items())]
    low, high = finite[0], finite[-1]
    step = (high - low) / _BINS
    places = Counter(min(_BINS - 1, int((value - low) / step)) for value in finite)
    edges = [number(low + step * n) for n in range(_BINS + 1)]
    return [(f"{edges[n]} to {edges[n + 1]}", places[n]) for n in range(_BINS)]


def most_frequent(names: Iterable[str], most: int = 15) -> list[tuple[str, int]]:
    """Count names, the most frequent first; the rest together."""
    counts = sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
    rest = counts[most:]
    others = [(f"{len(rest)} others", sum(count for _, count in rest))] if rest else []
    return counts[:most] + others


def strip(title: str, values: Sequence[float], notable: Sequence[Point]) -> Drawing:
    """Return one mark for each value on a line; those that stand out are red, and links."""
    scale = _Scale(values)
    marks = _ranges(values, scale) if len(values) > _DENSE else _dots(values, scale)
    body = f"{scale.axis()}{marks}{''.join(_notable(notable, scale))}"
    return Drawing(_STRIP_WIDTH, _STRIP_HEIGHT, title, body)


class _Scale:
    """From values to places on a strip; logarithmic over a wide range."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low, self.high = min(values), max(values)
        self.is_log = self.low > 0 and self.high / self.low > _WIDE_RANGE

    def __call__(self, value: float) -> float:
        low, high, value = map(math.log, (self.low, self.high, value)) if self.is_log else (
            self.low, self.high, value,
        )  # fmt: skip
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_MARGIN + share * (_STRIP_WIDTH - 2 * _MARGIN), 1)

    def axis(self) -> str:
        """Draw the line."""
        y = _STRIP_HEIGHT - 4
        return (
            f'<path d="M{_MARGIN} {y}H{_STRIP_WIDTH - _MARGIN}" stroke="currentColor" '
            f'stroke-width="0.5" fill="none"/>'
        )


def _dots(values: Sequence[float], scale: _Scale) -> str:
    """Draw all values as one path; heights differ so that equal ones do not hide each other."""
    path = "".join(f"M{scale(value)} {_height(place)}h0" for place, value in enumerate(values))
    return (
        f'<path d="{path}" stroke="{_BLUE}" stroke-width="5" stroke-linecap="round" '
        f'stroke-opacity="0.6" fill="none"/>'
    )


def _height(place: int) -> float:
    return round(6 + place * 0.618034 % 1 * (_STRIP_HEIGHT - 16), 1)


def _ranges(values: Sequence[float], scale: _Scale) -> str:
    """Draw how many values there are at each place."""
    step = 4
    counts = Counter(int(scale(value) // step) for value in values)
    most, top = max(counts.values()), _STRIP_HEIGHT - 8
    path = "".join(
        f"M{place * step + 2} {_STRIP_HEIGHT - 4}v-{round(top * counts[place] / most, 1)}"
        for place in sorted(counts)
    )
    return f'<path d="{path}" stroke="{_BLUE}" stroke-width="3" fill="none"/>'


def _notable(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for place, point in enumerate(points):
        mark = (
            f'<circle cx="{scale(point.value)}" cy="{_height(place)}" r="3.5" fill="{_RED}">'
            f"<title>{text(point.name)}: {number(point.value)} ml</title></circle>"
        )
        yield mark if point.case is None else f'<a href="#case-{point.case}">{mark}</a>'
