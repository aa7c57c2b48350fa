"""The gallery of a page: a card with a picture for each case, a viewer, and ratings."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..survey.values import CaseFacts, Survey
from . import cards, niivue, panel
from .bounds import Bounds, bounds
from .bounds import shown as with_pictures
from .cards import Card, Window
from .meshes import Meshes
from .packing import compressed
from .pictures import Pictures, Request, picture
from .section import Section

#: The viewers that a page can have.
Viewer = Literal["canvas", "niivue"]
_SCRIPTS = ("bidsify.js", "gallery.js")
_KILLED = "the process that read it was killed, most often for want of memory"


@dataclass(frozen=True, slots=True)
class Looking:
    """How to show voxels: the viewer, and the number of processes that read the images."""

    viewer: Viewer = "canvas"
    workers: int = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a viewer brings: its scripts, its controls, other code, and what it can show."""

    scripts: Sequence[str]
    panel: Callable[[], str]
    policy: Mapping[str, str]
    code: Callable[[], str] = str
    volumes: int = 1
    meshes: bool = False


_CANVAS = _Kind(
    ("geometry.js", "drawing.js", "viewer.js", "input.js"),
    panel.canvas_panel,
    {"img-src": "data:"},
)
_NIIVUE = _Kind(
    ("geometry.js", "nifti.js", "niivue.js"),
    panel.niivue_panel,
    niivue.POLICY,
    niivue.module,
    volumes=12,
    meshes=True,
)


def section(survey: Survey, root: Path, looking: Looking) -> Section:
    """Return the gallery of a tree, with the voxels that it shows.

    The bytes are the same for any number of workers.

    Raises:
        UsageError: The viewer is NiiVue, and it is not installed.
    """
    viewer = _NIIVUE if looking.viewer == "niivue" else _CANVAS
    code = viewer.code()  # before the work, as it may not be there
    pictured = with_pictures(survey.cases)
    bound = bounds(pictured, viewer.volumes)
    found = _pictures(root, [_request(survey, one, bound) for one in pictured], looking.workers)
    windows = _windows(found.values())
    none = Pictures("", fault=f"the page has pictures of {len(pictured)} cases")
    shown = [
        Card(facts, found.get(facts.case.name, none), survey.schemes[facts.scheme])
        for facts in survey.cases
    ]
    parts = (
        cards.toolbar(survey.schemes, windows, _left_out(bound, len(pictured), len(shown))),
        viewer.panel(),
        cards.cards(shown, windows),
        panel.data(survey, shown, windows, Meshes(root) if viewer.meshes else None),
        panel.block("niivue", compressed(code.encode("utf-8"))) if code else "",
    )
    return Section(
        id="gallery",
        title="Gallery",
        html=f'<div id="gallery-body">\n{"".join(parts)}</div>\n',
        style=_text("viewer.css"),
        script="".join(map(_text, (*_SCRIPTS, *viewer.scripts))),
        policy=viewer.policy,
    )


def _request(survey: Survey, facts: CaseFacts, bound: Bounds) -> Request:
    return Request(
        facts,
        bound.contrasts_of(facts),
        bound.voxels,
        bound.volumes,
        series=bound.volumes > 1,
        colors=survey.schemes[facts.scheme].colors,
    )


def _pictures(root: Path, requests: Sequence[Request], workers: int) -> dict[str, Pictures]:
    found = {}
    for request, result in run_all(picture, root, requests, workers):
        name = request.facts.case.name
        if isinstance(result, WorkerDiedError):
            found[name] = Pictures(name, fault=_KILLED)
        else:
            found[name] = result
    return found


def _windows(found: Iterable[Pictures]) -> Mapping[str, Window]:
    """Return for each contrast the medians, over the cases, of a low and a high percentile."""
    lows, highs = dict[str, list[float]](), dict[str, list[float]]()
    for each in found:
        for image in each.images:
            lows.setdefault(image.contrast, []).append(image.low)
            highs.setdefault(image.contrast, []).append(image.high)
    medians = {name: (_median(lows[name]), _median(highs[name])) for name in lows}
    return dict(sorted(medians.items()))


def _median(numbers: Sequence[float]) -> float:
    return float(f"{statistics.median(numbers):.6g}")


def _left_out(bound: Bounds, pictured: int, cases: int) -> str:
    told = []
    if pictured < cases:
        told.append(
            f"Of {cases} cases, the {pictured} with the highest scores have a picture; the others "
            "are listed after them."
        )
    if bound.contrasts is not None:
        told.append("There are many cases, so only the first contrast of each is here.")
    return " ".join(told)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
