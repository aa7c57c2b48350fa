"""What is done to look at a tree: describe it, and show that as a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..tree_description import DESCRIPTION

if TYPE_CHECKING:
    from ..survey.values import Survey
    from ..webpage.gallery import Viewer
    from .sources import AnyPath


def describe(tree: AnyPath, *, workers: int = 1) -> Survey:
    """Return what is in a BIDS tree: volumes of labels, grids, terms, issues, how it was made.

    All segmentations are read, of images the headers alone. Files that cannot be read are among
    the ``faults`` of the result.

    Raises:
        UsageError: There is no such folder, or nothing of a dataset in it.
    """
    from ..survey.look import survey  # noqa: PLC0415

    return survey(_dataset(tree), workers)


def report(
    tree: AnyPath,
    output: AnyPath | None = None,
    *,
    figures: AnyPath | None = None,
    pixels: bool = False,
    local: bool = False,
    viewer: Viewer = "canvas",
    workers: int = 1,
    found: Survey | None = None,
) -> Path:
    """Write one HTML page that shows what is in a tree, and return its place.

    Args:
        tree: Any BIDS dataset.
        output: The page; by default ``NAME_report.html`` in the current folder.
        figures: A folder for the plots of the page, as SVG.
        pixels: Show slices, and a viewer; the page then holds voxels.
        local: The page is not passed on: what the terms do not let leave may be shown.
        viewer: ``canvas``, or ``niivue``, which needs the extra of that name.
        workers: Number of processes; the page is the same.
        found: What :func:`describe` returned, to spare a second look.

    Raises:
        UsageError: There is no such folder, nothing of a dataset in it, or a place to write to
            lies in it, or is no regular file.
        TermsError: ``pixels`` of a dataset that may not be passed on, without ``local``.
    """
    from ..survey.look import survey  # noqa: PLC0415
    from ..survey.terms import terms  # noqa: PLC0415
    from ..webpage import report as page  # noqa: PLC0415
    from ..webpage.gallery import Looking  # noqa: PLC0415
    from ..webpage.saving import check_place, save  # noqa: PLC0415

    root = _dataset(tree)
    place = Path(output) if output is not None else Path(f"{root.resolve().name}_report.html")
    check_place(place, root)
    if figures is not None:
        check_place(Path(figures), root, is_folder=True)
    if pixels:
        page.check_terms(found.terms if found else terms(root), local=local)
    found = found or survey(root, workers)
    save(place, page.report(found, root, Looking(viewer, workers) if pixels else None))
    if figures is not None:
        for name, content in page.figures(found).items():
            save(Path(figures) / name, content)
    return place


def _dataset(tree: AnyPath) -> Path:
    """Return a folder that has something of a BIDS dataset in it."""
    root = Path(tree)
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    if not (os.path.lexists(root / DESCRIPTION) or any(root.glob("sub-*"))):
        msg = (
            f"{root}: no BIDS dataset: it has neither {DESCRIPTION} nor folders sub-*; name the "
            "folder that has them, or make one with bidsify convert"
        )
        raise UsageError(msg)
    return root
