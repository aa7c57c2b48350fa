"""How unusual the volume of a label is among all cases of a tree."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..volume import Array
from .values import CaseFacts

FEWEST = 8  # volumes that make a distribution
NOTABLE = 3.5  # scores from here on are outliers
OF_MAD, OF_MEAN = 1.4826, 1.2533  # both estimate the standard deviation of a normal distribution
NARROWEST = 0.05  # 5 %: volumes that agree better than segmentations can are no yardstick


def with_scores(cases: Sequence[CaseFacts]) -> tuple[CaseFacts, ...]:
    """Give each label the robust z-score of its volume, as a logarithm, and each case its worst."""
    places = defaultdict(list)
    for number, facts in enumerate(cases):
        for at, label in enumerate(facts.labels):
            if label.volume_ml > 0:
                places[facts.scheme, label.value].append((number, at))
    found: dict[tuple[int, int], float] = {}
    for where in places.values():
        volumes = [cases[number].labels[at].volume_ml for number, at in where]
        found.update(zip(where, robust(volumes), strict=True))
    return tuple(_scored(facts, number, found) for number, facts in enumerate(cases))


def robust(volumes: Sequence[float]) -> list[float]:
    """Return robust z-scores of the logarithms; zeros for too few.

    >>> robust([10.0] * 9 + [20.0])[-1]
    7.98
    """
    if len(volumes) < FEWEST:
        return [0.0] * len(volumes)
    logs: Array = np.log(np.array(volumes))
    away = logs - np.median(logs)
    spread = OF_MAD * float(np.median(np.abs(away)))
    spread = spread or OF_MEAN * float(np.mean(np.abs(away)))
    return [round(float(each), 2) for each in away / max(spread, NARROWEST)]


def _scored(facts: CaseFacts, number: int, found: dict[tuple[int, int], float]) -> CaseFacts:
    labels = tuple(
        replace(label, score=found.get((number, at), 0.0)) for at, label in enumerate(facts.labels)
    )
    worst = max((abs(label.score) for label in labels), default=0.0)
    return replace(facts, labels=labels, outlier=worst if math.isfinite(worst) else 0.0)
