"""A datalist for MONAI: the images and labels of each case, where they lie in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cases.case import Case
from .beginning import DRAWN_IN_PART, Begun, begin, title
from .folder import new_folder, way, write_json
from .folding import Folding
from .folds import folds
from .people import TEST, TRAINING, VALIDATION
from .result import Exported
from .safe_names import safe_names
from .selection import Choice

NAME = "datalist.json"


def export_monai(
    root: Path, dest: Path, choice: Choice, folding: Folding, workers: int = 1
) -> Exported:
    """Write ``datalist.json``; labels keep the values of the tree.

    A section without cases is not in it: the loader fails on an empty one.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or ``dest`` is in use.
    """
    begun = begin(root, choice, workers, DRAWN_IN_PART, takes_flat=True)
    cases = (*begun.chosen.labelled, *begun.chosen.unlabelled)
    splits = {case.name: folding.split(begun.split(case), case) for case in cases}
    parts = ((case.subject, splits[case.name]) for case in cases)
    divided = begun.people.divided(parts, folding.group)
    sections = _sections(begun, way(root, dest), folding, splits)
    document = {
        "name": title(root),
        "modality": {str(i): name for i, name in enumerate(begun.chosen.channels)},
        "labels": {"0": "background", **{str(v): n for v, n in begun.names.items() if v}},
        "numTraining": len(sections[TRAINING]),
        "numTest": len(sections[TEST]),
        **{name: items for name, items in sections.items() if items},
    }
    with new_folder(dest, root) as folder:
        write_json(folder / NAME, document)
    counts = {name: len(items) for name, items in sections.items()}
    notes = (*divided, *begun.notes)
    return Exported(dest, counts, begun.chosen.left_out, notes, begun.failures)


def _sections(
    begun: Begun, base: str, folding: Folding, splits: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the items of training, validation and test."""
    cases = (*begun.chosen.labelled, *begun.chosen.unlabelled)
    names = safe_names(cases)
    training = {
        case.name: begun.people.group(case.subject, folding.group)
        for case in cases
        if splits[case.name] == TRAINING
    }
    numbers = folds(training, folding.count, folding.seed)
    sections: dict[str, list[dict[str, Any]]] = {TRAINING: [], VALIDATION: [], TEST: []}
    for case in cases:
        item: dict[str, Any] = {"case": names[case.name], **_paths(case, base, begun)}
        if case.name in numbers:
            item["fold"] = numbers[case.name]
        sections[splits[case.name]].append(item)
    return sections


def _paths(case: Case, base: str, begun: Begun) -> Mapping[str, Any]:
    images = [f"{base}/{case.images[name]}" for name in begun.chosen.channels]
    paths: dict[str, Any] = {"image": images[0] if len(images) == 1 else images}
    if case.segmentation:
        paths["label"] = f"{base}/{case.segmentation}"
    return paths
