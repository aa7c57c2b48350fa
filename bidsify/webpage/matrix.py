"""Who has what: a row for each case, a column for each contrast and each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..cases.case import Case
from ..printable import counted
from ..survey.scores import NOTABLE
from ..survey.values import CaseFacts, Scheme, Survey
from .markup import framed, link, listed, number, paragraph, row, swatch, table, text
from .remarks import is_empty, is_unreadable, remark, strays
from .section import Section

MOST_ROWS, _BARE, _CONTRASTS, _LABELS, _PATTERNS = 1000, 200, 24, 48, 40
ON_GRID, ELSEWHERE, MISSING, EMPTY, NOT_MEANT = "present", "other grid", "missing", "empty", "n/a"
UNREADABLE = "unreadable"
_CLASSES = {ELSEWHERE: "o", MISSING: "m", UNREADABLE: "m", EMPTY: "e", NOT_MEANT: "n"}


@dataclass(frozen=True)
class Matrix:
    """What rows and columns there are; ``rows`` are numbers of cases."""

    survey: Survey

    @cached_property
    def contrasts(self) -> tuple[str, ...]:
        """All contrasts, the most frequent first."""
        cases = self.survey.cases
        counts = Counter(name for one in cases for name in contrasts_of(one.case))
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @cached_property
    def labels(self) -> tuple[tuple[int, int], ...]:
        """All labels of schemes that are in use, as pairs of scheme and value."""
        used = {one.scheme for one in self.survey.cases if one.case.segmentation}
        schemes = enumerate(self.survey.schemes)
        return tuple((n, value) for n, scheme in schemes if n in used for value in scheme.names)

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """The cases that are listed: where there are too many, those that stand out come first."""
        cases, schemes = self.survey.cases, self.survey.schemes
        every = range(len(cases))
        if len(cases) <= MOST_ROWS:
            return tuple(every)
        is_odd = [is_conspicuous(facts, schemes[facts.scheme]) for facts in cases]
        ranked = sorted(every, key=lambda n: (not is_odd[n], -cases[n].outlier, n))
        return tuple(sorted(ranked[:MOST_ROWS]))

    @property
    def without_case(self) -> list[str]:
        """Subjects with a folder, but without an image that could be read."""
        found = {one.case.subject for one in self.survey.cases}
        return [name for name in self.survey.people.subjects if name not in found]


def is_conspicuous(facts: CaseFacts, scheme: Scheme) -> bool:
    """Say whether something is wrong with a case, or its volumes are unusual."""
    is_odd = is_empty(facts) or bool(strays(facts, scheme))
    return bool(facts.fault) or is_odd or facts.outlier >= NOTABLE


def contrasts_of(case: Case) -> Mapping[str, str]:
    """Return all contrasts of a case, wherever they lie, and the path of each."""
    return {**case.broken, **case.others, **case.series, **case.images}


def contrast_state(case: Case, contrast: str) -> str:
    """Say whether a case has a contrast, on the grid of its segmentation or on another."""
    if contrast in case.images or contrast in case.series:
        return ON_GRID
    if contrast in case.others:
        return ELSEWHERE
    return UNREADABLE if contrast in case.broken else MISSING


def label_state(facts: CaseFacts, scheme: int, value: int) -> str:
    """Say the volume of a label in ml, or why there is none."""
    if facts.case.segmentation is None:
        return MISSING
    if is_unreadable(facts):
        return UNREADABLE
    if facts.scheme != scheme:
        return NOT_MEANT
    label = next((each for each in facts.labels if each.value == value), None)
    return EMPTY if label is None else number(label.volume_ml)


def label_name(scheme: Scheme, value: int) -> str:
    """Return the name of a value, or the value where it has none."""
    return scheme.names.get(value) or f"value {value}"


def section(survey: Survey) -> Section:
    """Return the matrix, after how many cases have the same."""
    matrix = Matrix(survey)
    html = "".join((_introduction(matrix), _patterns(matrix), *_rows(matrix), _faults(survey)))
    return Section("matrix", "Subjects, contrasts and labels", html)


def _introduction(matrix: Matrix) -> str:
    every, listed_rows = len(matrix.survey.cases), len(matrix.rows)
    contrasts, labels, bare = map(len, (matrix.contrasts, matrix.labels, matrix.without_case))
    return paragraph(
        "One row for each segmentation, and for each subject without one. Labels: volume in ml, "
        f"'{EMPTY}' where the segmentation has no such voxel, '{MISSING}' where there is no "
        f"segmentation, '{UNREADABLE}' where it cannot be read, '{NOT_MEANT}' where its label "
        "table has no such label. "
        "Values without a row in the label table are in the remark. "
        f"Contrasts: '{ELSEWHERE}' is an image whose grid is not that of the segmentation.",
        f"Of {every} cases {listed_rows} are listed: those with a fault, an empty segmentation, "
        "a value without a row or an unusual volume first, then by name; --json prints all."
        if listed_rows < every else "",
        f"The {_CONTRASTS} most frequent of {contrasts} contrasts are shown."
        if contrasts > _CONTRASTS else "",
        f"The first {_LABELS} of {labels} labels are shown." if labels > _LABELS else "",
        f"Of {bare} subjects without a readable image {_BARE} are listed." if bare > _BARE else "",
        "A button in a header sorts; an address that ends in #sort= and the name of a column "
        "does so too, with a minus before the name downwards.",
    )  # fmt: skip


def _patterns(matrix: Matrix) -> str:
    """Group cases that have the same contrasts and labels."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for place, facts in enumerate(matrix.survey.cases):
        scheme = matrix.survey.schemes[facts.scheme]
        key = (
            ", ".join(sorted({*facts.case.images, *facts.case.series})) or "none",
            ", ".join(sorted(facts.case.others)) or "none",
            _labels_of(facts, scheme),
        )
        found.setdefault(key, []).append(place)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    shown = set(matrix.rows)
    rows = []
    for key, places in ordered[:_PATTERNS]:
        first = next((n for n in places if n in shown), places[0])
        name = matrix.survey.cases[first].case.name
        example = link(first, name) if first in shown else text(name)
        rows.append(row(str(len(places)), *map(text, key), example))
    more = f" The {_PATTERNS} most frequent of {len(ordered)}." if len(ordered) > _PATTERNS else ""
    columns = ("Cases", "Images on the grid", "Images elsewhere", "Labels", "Example")
    return table(f"Cases that have the same.{more}", columns, rows)


def _labels_of(facts: CaseFacts, scheme: Scheme) -> str:
    if facts.case.segmentation is None:
        return "no segmentation"
    if facts.fault:
        return "segmentation unreadable"
    have = {label.value for label in facts.labels if label.value in scheme.names}
    empty = [label_name(scheme, value) for value in scheme.names if value not in have]
    if not have:
        return "no voxel of any label"
    if not empty:
        return f"all {len(have)}"
    if len(empty) <= len(have):
        return f"{len(have)} of {len(scheme.names)}, without {', '.join(empty)}"
    return ", ".join(label_name(scheme, value) for value in sorted(have))


def _rows(matrix: Matrix) -> Iterator[str]:
    contrasts, labels = matrix.contrasts[:_CONTRASTS], matrix.labels[:_LABELS]
    schemes = matrix.survey.schemes
    names = ["Case", *contrasts]
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in names)
    for scheme, value in labels:
        key = swatch(schemes[scheme].colors[value])
        head += f'<th scope="col">{key}{text(label_name(schemes[scheme], value))}</th>'
    head += '<th scope="col">Outlier score</th><th scope="col">Remark</th>'
    rows = [_row(matrix, place, contrasts, labels) for place in matrix.rows]
    rows += [
        _bare(f"sub-{name}", len(contrasts), len(labels)) for name in matrix.without_case[:_BARE]
    ]
    yield framed("Cases", head, rows, ' class="sortable matrix"')


def _row(
    matrix: Matrix, place: int, contrasts: Sequence[str], labels: Sequence[tuple[int, int]]
) -> str:
    facts = matrix.survey.cases[place]
    states = [contrast_state(facts.case, name) for name in contrasts]
    volumes: Mapping[tuple[int, int], str] = {
        (facts.scheme, label.value): _volume(label.volume_ml, label.score) for label in facts.labels
    }
    cells = "".join(map(_cell, states))
    for scheme, value in labels:
        marked = volumes.get((scheme, value))
        cells += marked or _cell(label_state(facts, scheme, value))
    kind = ' class="x"' if facts.outlier >= NOTABLE else ""
    score = f"<td{kind}>{number(facts.outlier)}</td>"
    return (
        f'<tr id="case-{place}"><th scope="row">{text(facts.case.name)}</th>{cells}{score}'
        f"<td>{text(remark(facts, matrix.survey.schemes[facts.scheme]))}</td></tr>\n"
    )


def _volume(volume: float, score: float) -> str:
    kind = ' class="x"' if abs(score) >= NOTABLE else ""
    return f"<td{kind}>{number(volume)}</td>"


def _cell(state: str) -> str:
    kind = f' class="{_CLASSES[state]}"' if state in _CLASSES else ""
    return f"<td{kind}>{text(state)}</td>"


def _bare(name: str, contrasts: int, labels: int) -> str:
    cells = _cell(MISSING) * (contrasts + labels)
    return f'<tr><th scope="row">{text(name)}</th>{cells}<td></td><td>no readable image</td></tr>\n'


def _faults(survey: Survey) -> str:
    if not survey.faults:
        return ""
    count = len(survey.faults)
    files = f"{counted(count, 'file')} cannot be read and {'is' if count == 1 else 'are'}"
    told = paragraph(f"{files} in no row above:")
    return told + listed(f"{path}: {why}" for path, why in survey.faults.items())
