"""The labels: colours, in how many cases they occur, how large they are, and what stands out."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from ..printable import counted, some
from ..survey.scores import FEWEST, NARROWEST, NOTABLE, OF_MAD, OF_MEAN
from ..survey.values import LabelFacts, Scheme, Survey
from .markup import link, listed, number, paragraph, row, swatch, table, text
from .matrix import Matrix, label_name
from .plots import Drawing, Point, inline, strip
from .remarks import frames
from .section import Section

_MOST, _LINKS = 200, 6
_COLUMNS = (
    "Value", "Name", "Cases", "Empty in", "Median (ml)", "Smallest", "Largest",
    "Pieces (median, most)", "Volumes", "Unusual",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A label of a scheme in all cases that hold it, each with its number."""

    place: int
    scheme: Scheme
    value: int
    found: Sequence[tuple[int, LabelFacts]]
    cases: int

    @property
    def name(self) -> str:
        """The name in the table, or the value."""
        return label_name(self.scheme, self.value)


def columns(survey: Survey) -> list[Column]:
    """Return the labels of the tables in use, and values that occur without a row."""
    places = Matrix(survey).labels
    found: dict[tuple[int, int], list[tuple[int, LabelFacts]]] = {place: [] for place in places}
    cases = [0] * len(survey.schemes)
    for number_of_case, facts in enumerate(survey.cases):
        cases[facts.scheme] += facts.case.segmentation is not None and not facts.fault
        for label in facts.labels:
            found.setdefault((facts.scheme, label.value), []).append((number_of_case, label))
    schemes, strays = survey.schemes, sorted(found.keys() - {*places})
    return [Column(n, schemes[n], v, found[n, v], cases[n]) for n, v in (*places, *strays)]


def section(survey: Survey) -> Section:
    """Return the table of labels."""
    every = columns(survey)
    shown = set(Matrix(survey).rows)
    parts = [_introduction(survey, len(every))]
    for place in range(len(survey.schemes)):
        mine = [each for each in every[:_MOST] if each.place == place]
        if mine:
            rows = (_row(survey, each, shown) for each in mine)
            parts.append(table(_caption(survey, place), _COLUMNS, rows, sortable=True))
    parts += [listed(scheme.faults) for scheme in survey.schemes]
    return Section("labels", "Labels", "".join(parts))


def drawing(survey: Survey) -> Drawing:
    """Return the volumes of all labels as one plot, without links."""
    parts, top = [], 0
    for each in columns(survey)[:_MOST]:
        if not each.found:
            continue
        body = _strip(survey, each).body
        low, high = (number(volume) for volume in _range(each))
        written = 'font-size="12" fill="currentColor"'
        parts.append(
            f'<text x="4" y="{top + 20}" {written}>{text(each.name)}</text>'
            f'<g transform="translate(200 {top})">{body}</g>'
            f'<text x="470" y="{top + 20}" {written}>{low} to {high} ml'
            f", n = {len(each.found)}</text>\n"
        )
        top += 34
    return Drawing(640, max(34, top), "Volume of each label in all cases", "".join(parts))


def _introduction(survey: Survey, labels: int) -> str:
    if not labels:
        return paragraph("No segmentation has a label.")
    unknown = sum(not facts.in_mm for facts in survey.cases)
    films = sum(frames(facts) > 1 for facts in survey.cases)
    return paragraph(
        f"Unusual is a robust z-score of {NOTABLE} or more of the logarithm of the volume: how far "
        "it is from the median of all cases, by their spread, from "
        f"{FEWEST} cases on. The spread is {OF_MAD} times the median absolute deviation, or where "
        f"that is 0, {OF_MEAN} times the mean one, but no less than {NARROWEST:.0%}: a volume of "
        f"{math.exp(-NOTABLE * NARROWEST):.2f} to {math.exp(NOTABLE * NARROWEST):.2f} times the "
        "median is never unusual. Such points are red and lead to their rows. A line covers the "
        "smallest to the largest volume; it is logarithmic where these differ more than "
        "twentyfold.",
        f"The headers of {unknown} of {len(survey.cases)} cases do not state millimetres: their "
        "volumes are in ml only if that is what was meant." if unknown else "",
        f"{counted(films, 'segmentation')} of several frames (4-D): volumes are the mean of one "
        "frame." if films else "",
        f"The first {_MOST} of {labels} labels are shown." if labels > _MOST else "",
    )  # fmt: skip


def _caption(survey: Survey, place: int) -> str:
    """Name the tables, and say how many subjects have a segmentation that they speak of."""
    scheme = survey.schemes[place]
    cases = [one for one in survey.cases if one.scheme == place and one.case.segmentation]
    have, every = {one.case.subject for one in cases}, set(survey.people.subjects)
    without = sorted(every - have)
    said = f"{counted(len(cases), 'segmentation')} of {counted(len(have), 'subject')}"
    said += f"; none of {some(without)}" if without else ""
    if not scheme.tables:
        return f"No label table that can be used says what these values mean ({said})"
    more = f" and {len(scheme.tables) - 1} with the same rows" if len(scheme.tables) > 1 else ""
    return f"{scheme.tables[0]}{more} ({said})"


def _row(survey: Survey, column: Column, shown: Container[int]) -> str:
    name = swatch(column.scheme.colors[column.value]) + text(column.name)
    empty = str(column.cases - len(column.found))
    if column.value not in column.scheme.names:
        name, empty = f"{name}, without a row in the table", ""
    if not column.found:
        return row(str(column.value), name, "0", empty, "", "", "", "", "", "")
    low, high = _range(column)
    pieces = [label.components for _, label in column.found if label.components is not None]
    return row(
        str(column.value),
        name,
        str(len(column.found)),
        empty,
        number(median(label.volume_ml for _, label in column.found)),
        number(low),
        number(high),
        f"{number(median(pieces))}, {max(pieces)}" if pieces else "not counted",
        inline(_strip(survey, column, shown)),
        ", ".join(_links(survey, column, shown)),
    )


def _range(column: Column) -> tuple[float, float]:
    volumes = [label.volume_ml for _, label in column.found]
    return min(volumes), max(volumes)


def _unusual(column: Column) -> list[tuple[int, LabelFacts]]:
    found = [each for each in column.found if abs(each[1].score) >= NOTABLE]
    return sorted(found, key=lambda each: (-abs(each[1].score), each[0]))


def _strip(survey: Survey, column: Column, linked: Container[int] = ()) -> Drawing:
    volumes = [label.volume_ml for _, label in column.found]
    notable = _unusual(column)
    points = [
        Point(label.volume_ml, survey.cases[n].case.name, n if n in linked else None)
        for n, label in notable[:_MOST]
    ]
    title = f"{column.name}: {len(volumes)} volumes, {len(notable)} unusual"
    return strip(title, volumes, points)


def _links(survey: Survey, column: Column, shown: Container[int]) -> Iterator[str]:
    found = _unusual(column)
    for place, label in found[:_LINKS]:
        name = survey.cases[place].case.name
        where = link(place, name) if place in shown else text(name)
        yield f"{where} ({label.score:+g})"
    if len(found) > _LINKS:
        yield f"and {len(found) - _LINKS} more"
