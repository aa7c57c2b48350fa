"""The cards of a gallery: a picture of each case with contours, its score, and its rating."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..printable import printable
from ..survey.values import CaseFacts, LabelFacts, Scheme
from . import drawing, geometry
from .markup import swatch, text
from .packing import unpack
from .pictures import Pictures
from .remarks import is_unreadable

Window = tuple[float, float]
_LARGEST = 190  # pixels of the longer side of a picture on its card
_LETTERS = ("R", "A", "S"), ("L", "P", "I")
_KEYS = (
    ("j", "next"),
    ("k", "previous"),
    ("p", "pass"),
    ("f", "fail"),
    ("c", "comment"),
    ("v", "view"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A case with what is shown of it, and the meaning of its values."""

    facts: CaseFacts
    pictures: Pictures
    scheme: Scheme


def key(name: str) -> str:
    """Return the name of a case as the scripts of the page know it, as markup."""
    return escape(printable(name))


def toolbar(schemes: Sequence[Scheme], windows: Mapping[str, Window], left_out: str) -> str:
    """Return what stands above the cards: how to read them, and what one can do."""
    shown = "; ".join(
        f"{text(name)} {low:.5g} to {high:.5g}" for name, (low, high) in windows.items()
    )
    keys = ", ".join(f"<kbd>{key}</kbd> {what}" for key, what in _KEYS)
    return (
        "<p>Each picture is the slice with the largest labelled area, with the contours of the "
        "labels. The patient&#x27;s right is on the left of a picture, and anterior is on top or "
        "on the left. All pictures of a contrast have one window, from the median of the first "
        f"percentiles of the cases to that of the 99.5th: {shown or 'there are no images'}. "
        f"{left_out}</p>\n{''.join(_legends(schemes))}"
        f"<p>Keys: {keys}.</p>\n"
        '<p id="gallery-tools"><label>Order <select id="gallery-order">'
        '<option value="score">outliers first</option><option value="name">name</option>'
        '<option value="rating">failed, not rated, passed</option></select></label>\n'
        '<label><input type="checkbox" id="gallery-contours" checked> contours</label>\n'
        '<button type="button" id="gallery-download">Download ratings</button>\n'
        '<output id="gallery-counts"></output></p>\n'
    )


def cards(shown: Iterable[Card], windows: Mapping[str, Window]) -> str:
    """Return the cards, outliers first; a score is that of the most unusual label volume."""
    ordered = sorted(shown, key=lambda card: (-card.facts.outlier, card.facts.case.name))
    parts = "".join("".join(_card(card, windows)) for card in ordered)
    return f'<div id="gallery-cards">\n{parts}</div>\n'


def _legends(schemes: Sequence[Scheme]) -> Iterator[str]:
    for scheme in schemes:
        if scheme.names:
            labels = ", ".join(
                f"{swatch(scheme.colors[value])} {text(name or f'no name ({value})')}"
                for value, name in scheme.names.items()
            )
            yield f"<p>Labels: {labels}</p>\n"


def _card(card: Card, windows: Mapping[str, Window]) -> Iterator[str]:
    name = key(card.facts.case.name)
    yield (
        f'<article class="card" data-case="{name}" data-score="{card.facts.outlier:.4f}">\n'
        f"<h3>{name}</h3>\n"
    )
    yield from _picture(card, windows)
    yield f"<p>{_score(card.facts)}</p>\n"
    for note in _notes(card):
        yield f'<p class="note">{text(note)}</p>\n'
    yield (
        '<p><button type="button" data-show>View</button>\n'
        '<button type="button" data-rate="pass" aria-pressed="false">Pass</button>\n'
        '<button type="button" data-rate="fail" aria-pressed="false">Fail</button></p>\n'
        f'<p><input type="text" placeholder="Comment" aria-label="Comment on {name}"></p>\n'
        "</article>\n"
    )


def _notes(card: Card) -> Iterator[str]:
    facts, pictures = card.facts, card.pictures
    is_told = pictures.slice is not None and is_unreadable(facts)  # among the notes
    reasons = dict.fromkeys(filter(None, (pictures.fault, "" if is_told else facts.fault)))
    yield from (f"Not shown: {reason}" for reason in reasons)
    if pictures.slice is not None and pictures.slice.grey is None:
        why = "No image lies on the grid of the segmentation"
        is_so = not (facts.case.images or facts.case.series)
        yield f"{why if is_so else 'No image is shown'}: its contours are on black."
    yield from pictures.notes


def _score(facts: CaseFacts) -> str:
    if is_unreadable(facts):
        return "Segmentation unreadable"
    if not facts.labels:
        return "No labels" if facts.case.segmentation else "No segmentation"
    unusual: LabelFacts = max(facts.labels, key=lambda label: abs(label.score))
    if not unusual.score:
        return "Score 0"
    side = "large" if unusual.score > 0 else "small"
    name = text(unusual.name or f"label {unusual.value}")
    return f"Score {facts.outlier:.1f}: {name} is {side} ({unusual.volume_ml:.3g} ml)"


def _picture(card: Card, windows: Mapping[str, Window]) -> Iterator[str]:
    shown, pictures = card.pictures.slice, card.pictures
    if shown is None or (shown.grey is None and shown.contours is None):
        return
    factor = _LARGEST / max(shown.size)
    width, height = (max(1, round(side * factor)) for side in shown.size)
    size = f'width="{width}" height="{height}"'
    across, down = geometry.sides(pictures.across, pictures.axes)
    ends = zip(("left", "top", "right", "bottom"), _ends(across, down), strict=True)
    name = text(card.facts.case.name)
    yield '<div class="picture">'
    if shown.grey is not None and pictures.images:
        values = unpack(shown.grey, shown.shape)
        png = drawing.grey(values, windows[pictures.images[0].contrast])
        yield f'<img {size} alt="{name}" src="{_source(png)}">'
    if shown.contours is not None:
        source = _source(shown.contours)
        kind = "contours" if shown.grey is not None else "contours alone"
        yield f'<img {size} class="{kind}" alt="contours" src="{source}">'
    yield from (f'<span class="end {where}">{letter}</span>' for where, letter in ends)
    yield "</div>\n"


def _ends(across: int, down: int) -> tuple[str, ...]:
    """Return the letters at the left, top, right and bottom of a picture."""
    ahead, behind = _LETTERS
    return ahead[across], ahead[down], behind[across], behind[down]


def _source(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
