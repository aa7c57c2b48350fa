"""The whole page, and the plots as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import TermsError
from ..survey.values import Survey, TermsFacts
from . import findings, gallery, grids, matrix, origin, overview, reuse, volumes
from .gallery import Looking
from .page import to_html
from .plots import standalone


def check_terms(terms: TermsFacts, *, local: bool) -> None:
    """Refuse to show voxels that may not leave this machine, unless the page shall not either.

    Raises:
        TermsError: The terms forbid it, or nobody knows them.
    """
    if terms.is_restricted and not local:
        known = "forbid" if terms.redistribution == "forbidden" else "are not known to allow"
        msg = (
            f"the terms {known} passing the data on, so no page with voxels of them: "
            f'"{terms.summary}" (licence: {terms.known}; known from: {terms.evidence}); add '
            "--local for a page that stays on this machine, or leave out --pixels"
        )
        raise TermsError(msg)


def report(survey: Survey, root: Path, looking: Looking | None = None) -> bytes:
    """Return the page; ``looking`` says how voxels are shown, None shows none."""
    sections = [
        overview.section(survey),
        matrix.section(survey),
        volumes.section(survey),
        grids.section(survey),
        grids.agreement(survey),
        origin.section(survey),
        findings.section(survey),
        reuse.methods(survey),
        reuse.citations(survey),
        reuse.terms(survey),
    ]
    notice = ""
    if looking is not None:
        sections.insert(1, gallery.section(survey, root, looking))
        if survey.terms.is_restricted:
            notice = (
                "This page holds voxels of a dataset that may not be passed on: it must not be "
                "passed on either."
            )
    return to_html(overview.title(survey), sections, notice)


def figures(survey: Survey) -> Mapping[str, bytes]:
    """Return the plots as files, by name."""
    found = {"label_volumes": volumes.drawing(survey), **grids.drawings(survey)}
    return {f"{name}.svg": standalone(drawing) for name, drawing in found.items()}
