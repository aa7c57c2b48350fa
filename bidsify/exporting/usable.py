"""What frameworks for training cannot use, by the headers: colours, complex numbers, planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..cases.case import Case, Cases

_FLAT = "an image of 2 axes, not of 3; store it with a third one of length 1"


def usable(found: Cases, *, takes_flat: bool) -> Cases:
    """Return the cases with images that nobody can train on among the ``broken`` ones.

    ``faults`` of the result say why, also of segmentations that are planes. Where all images are
    planes, ``takes_flat`` leaves them as they are.
    """
    segmentations = {case.segmentation for case in found.cases if case.segmentation}
    images = {path for case in found.cases for path in case.images.values()}
    flat = found.flat
    if takes_flat and segmentations | images <= flat:
        flat = frozenset()
    reasons = dict.fromkeys(flat, _FLAT)
    for path in images & found.not_grey.keys():
        reasons[path] = f"its values are {found.not_grey[path]}, no grey values"
    cases = tuple(_without(case, reasons) for case in found.cases)
    return replace(found, cases=cases, faults={**found.faults, **reasons})


def _without(case: Case, reasons: Mapping[str, str]) -> Case:
    if case.segmentation in reasons:
        return case
    images = {name: path for name, path in case.images.items() if path not in reasons}
    rest = {name: path for name, path in case.images.items() if path in reasons}
    return replace(case, images=images, broken={**case.broken, **rest})
