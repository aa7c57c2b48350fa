"""The grids: shapes, spacing, orientation, slices, and whether images lie on those of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..printable import counted
from ..survey.values import CaseFacts, Survey
from .markup import link, paragraph, row, table, text
from .matrix import ELSEWHERE, MISSING, ON_GRID, Matrix, contrast_state
from .plots import Drawing, bars, distribution, inline, most_frequent
from .section import Section

_EXAMPLES, _MOST = 8, 60


def drawings(survey: Survey) -> dict[str, Drawing]:
    """Return the plots of grids, by name."""
    cases = [facts for facts in survey.cases if facts.shape]
    unit = "mm" if all(facts.in_mm for facts in cases) else "units of the header"
    counts = {
        "shape": ("Grid", most_frequent(" x ".join(map(str, one.shape)) for one in cases)),
        "orientation": ("Orientation", most_frequent(one.orientation for one in cases)),
        "spacing_finest": (
            f"Smallest voxel edge ({unit})", distribution(min(one.spacing) for one in cases),
        ),
        "spacing_coarsest": (
            f"Largest voxel edge ({unit})", distribution(max(one.spacing) for one in cases),
        ),
        "slices": ("Slices", distribution(float(one.shape[one.slice_axis]) for one in cases)),
    }  # fmt: skip
    return {
        name: bars(f"{title}, number of {kinds(cases)}", found)
        for name, (title, found) in counts.items()
    }


def kinds(cases: Sequence[CaseFacts]) -> str:
    """Say what it is that is counted where each of these cases is."""
    segmented = sum(facts.case.segmentation is not None for facts in cases)
    if segmented == len(cases):
        return "segmentations"
    return "segmentations, and subjects without one" if segmented else "subjects and sessions"


def section(survey: Survey) -> Section:
    """Return histograms of the grids of all cases."""
    if not any(facts.shape for facts in survey.cases):
        return Section("grids", "Grids", paragraph("No image could be read."))
    parts = [
        paragraph(
            "Grids of the segmentations, and of one image of each subject and session without one. "
            "Each segmentation counts, so an image with two of them counts twice. The letters of "
            "an orientation say where the three axes of the file point to: Right or Left, Anterior "
            "or Posterior, Superior or Inferior. Slices are counted across the axis with the "
            "largest voxel edge, or else across the one to the head."
        )
    ]
    parts += [
        f"<figure>{inline(each)}<figcaption>{text(each.title)}</figcaption></figure>\n"
        for each in drawings(survey).values()
    ]
    return Section("grids", "Grids", "".join(parts))


def agreement(survey: Survey) -> Section:
    """Return how many images lie on the grid of the segmentation, for each contrast."""
    cases = [facts for facts in survey.cases if facts.case.segmentation is not None]
    if not cases:
        html = paragraph("No case has a segmentation, so there is nothing to compare.")
        return Section("agreement", "Do images and labels lie on one grid?", html)
    contrasts = Matrix(survey).contrasts
    rows = []
    for contrast in contrasts[:_MOST]:
        states = Counter(contrast_state(facts.case, contrast) for facts in cases)
        counts = (str(states[state]) for state in (ON_GRID, ELSEWHERE, MISSING))
        rows.append(row(text(contrast), *counts))
    columns = ("Contrast", "On the grid of the labels", "On another grid", "Missing")
    html = _sentence(survey, cases) + table(
        "Segmentations by contrast", columns, rows, sortable=True
    )
    return Section("agreement", "Do images and labels lie on one grid?", html)


def alone(survey: Survey) -> list[int]:
    """Return the numbers of segmentations on whose grid no image lies."""
    every = enumerate(facts.case for facts in survey.cases)
    return [n for n, case in every if case.segmentation and not (case.images or case.series)]


def _sentence(survey: Survey, cases: Sequence[CaseFacts]) -> str:
    lonely, shown = alone(survey), set(Matrix(survey).rows)
    elsewhere = sum(bool(facts.case.others) for facts in cases)
    others = (
        f"In {counted(elsewhere, 'case')} images of the same subject lie on another grid; "
        f"'{ELSEWHERE}' in the matrix says which."
    )
    told = paragraph(others if elsewhere else "")
    if not lonely:
        sound = (
            "Each segmentation has an image on its own grid: the same shape, and corners within a "
            "thousandth of a millimetre."
        )
        return paragraph(sound) + told
    links = [
        link(n, survey.cases[n].case.name) if n in shown else text(survey.cases[n].case.name)
        for n in lonely[:_EXAMPLES]
    ]
    more = f" and {len(lonely) - _EXAMPLES} more" if len(lonely) > _EXAMPLES else ""
    stated = sum(survey.cases[n].grid_is_stated for n in lonely)
    said = f" The sidecars of {stated} of these state that this is so." if stated else ""
    return (
        f'<p class="{"watch" if stated == len(lonely) else "bad"}">{len(lonely)} of {len(cases)} '
        "segmentations have no image on their own "
        f"grid: {', '.join(links)}{more}.{said}</p>\n{told}"
    )
