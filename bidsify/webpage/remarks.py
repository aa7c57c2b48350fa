"""What is said of a single case beside its numbers."""

from __future__ import annotations

import math

from ..printable import counted, some
from ..survey.values import CaseFacts, LabelFacts, Scheme


def is_unreadable(facts: CaseFacts) -> bool:
    """Say whether there is a segmentation from which no label could be read."""
    return bool(facts.fault) and facts.case.segmentation is not None


def is_empty(facts: CaseFacts) -> bool:
    """Say whether there is a segmentation without any label, also for want of reading it."""
    return facts.case.segmentation is not None and not facts.labels


def strays(facts: CaseFacts, scheme: Scheme) -> list[LabelFacts]:
    """Return the labels whose values have no row in the label table of the case."""
    return [label for label in facts.labels if label.value not in scheme.names]


def frames(facts: CaseFacts) -> int:
    """Return the number of volumes of a segmentation; more than one are those of a 4-D file."""
    return math.prod(facts.shape[3:]) if facts.labels else 1


def remark(facts: CaseFacts, scheme: Scheme) -> str:
    """Return what stands in the last column of the row of a case."""
    if is_unreadable(facts):
        return f"segmentation unreadable: {facts.fault}"
    told = [facts.fault or ("no label" if is_empty(facts) else "")]
    if found := strays(facts, scheme):
        values = [f"{label.value} ({counted(label.voxels, 'voxel')})" for label in found]
        told.append(f"without a row in the label table: {some(values)}")
    if (number := frames(facts)) > 1:
        told.append(f"4-D: {number} frames, volumes are the mean of one frame")
    if facts.grid_is_stated:
        told.append("on another grid than its images, as its sidecar states")
    return "; ".join(filter(None, told))
