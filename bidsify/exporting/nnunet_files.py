"""The documents of a dataset for nnU-Net: dataset, splits, and the map back to the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..cases.case import Case
from ..version import __version__
from .beginning import MAP, Begun
from .folder import write_json
from .folding import Folding
from .folds import USUAL, folds
from .labelling import Labelling
from .people import TEST, TRAINING, VALIDATION
from .safe_names import one_line

SPLITS = "splits_final.json"


@dataclass(frozen=True, slots=True)
class Item:
    """A case by the ``name`` that nnU-Net knows; ``target`` where its labels are written anew."""

    case: Case
    name: str
    ending: str
    is_test: bool = False
    target: str = ""
    mapping: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What the documents are about; ``hashes`` of labels that were written anew."""

    begun: Begun
    labelling: Labelling
    items: tuple[Item, ...]
    hashes: Mapping[str, str]
    left_out: Mapping[str, str]


def write_documents(
    folder: Path, written: Written, folding: Folding, name: str, shown: str
) -> tuple[bool, tuple[str, ...]]:
    """Write all documents; ``shown`` is how the way to the tree is written.

    Returns whether there are folds, and what to tell a user of these.

    Raises:
        UsageError: The cases cannot be put into as many folds.
    """
    training = [item for item in written.items if not item.is_test]
    splits, notes = _splits(training, written.begun, folding)
    parts = [(item.case.subject, _part(item, written.begun, folding)) for item in written.items]
    divided = written.begun.people.divided(parts, folding.group)
    write_json(folder / "dataset.json", _dataset(written, training, name, shown))
    if splits:
        write_json(folder / SPLITS, splits)
    document = _map(written, name)
    document["folds"] = {"count": len(splits), "seed": folding.seed, "group": folding.group}
    write_json(folder / MAP, document)
    return bool(splits), (*divided, *notes)


def _dataset(written: Written, training: Sequence[Item], name: str, shown: str) -> dict[str, Any]:
    labelling, channels = written.labelling, written.begun.chosen.channels
    document: dict[str, Any] = {
        "name": name,
        "channel_names": {str(i): _channel(each) for i, each in enumerate(channels)},
        "labels": dict(labelling.labels),
        "numTraining": len(training),
        "file_ending": next(item.ending for item in written.items),
    }
    if labelling.order is not None:
        document["regions_class_order"] = list(labelling.order)
    document["dataset"] = {
        item.name: {
            "images": [f"{shown}/{item.case.images[each]}" for each in channels],
            "label": item.target or f"{shown}/{item.case.segmentation}",
        }
        for item in training
    }
    return document


def _channel(contrast: str) -> str:
    """Name a channel: nnU-Net takes its way to normalise from the name, which only CT has."""
    return "CT" if contrast.rpartition("_")[2] == "ct" else contrast


def _splits(
    training: Sequence[Item], begun: Begun, folding: Folding
) -> tuple[list[dict[str, list[str]]], tuple[str, ...]]:
    if folding.count == 0:
        held = {i.name for i in training if _part(i, begun, folding) == VALIDATION}
        numbers = {item.name: 0 if item.name in held else -1 for item in training}
        if not 0 < len(held) < len(training):
            return [], ("no folds: participants.tsv keeps no case for validation",)
    else:
        groups = {i.name: begun.people.group(i.case.subject, folding.group) for i in training}
        numbers = dict(folds(groups, folding.count, folding.seed))
    count = max(numbers.values(), default=-1) + 1
    if count == 0:
        return [], ("no folds: all cases for training belong to one group",)
    splits = [
        {
            "train": [name for name, own in numbers.items() if own != fold],
            "val": [name for name, own in numbers.items() if own == fold],
        }
        for fold in range(count)
    ]
    few = folding.count is None and count < USUAL
    return splits, (f"{count} parts for cross-validation, as there are no more groups",) * few


def _part(item: Item, begun: Begun, folding: Folding) -> str:
    """Return the part of the split that a case is in; folds that we make are all training."""
    if item.is_test:
        return TEST
    stated = begun.people.split(item.case.subject)
    return VALIDATION if folding.count == 0 and stated == VALIDATION else TRAINING


def _map(written: Written, name: str) -> dict[str, Any]:
    begun, labelling = written.begun, written.labelling
    names = {0: "background", **begun.names}
    return {
        "format": "nnunet",
        "bidsify": __version__,
        "dataset": name,
        "kind": begun.chosen.kind,
        "channels": list(begun.chosen.channels),
        "labels": {
            "names": {str(value): one_line(text) for value, text in names.items()},
            "forward": {str(value): number for value, number in labelling.forward.items()},
            "backward": {str(number): value for value, number in labelling.forward.items()},
        },
        "cases": {item.name: _case(item, written) for item in written.items},
        "empty": [
            item.name
            for item in written.items
            if item.case.segmentation and begun.looks[item.case.name].is_empty
        ],
        "left_out": dict(sorted(written.left_out.items())),
    }


def _case(item: Item, written: Written) -> dict[str, Any]:
    case, chosen = item.case, written.begun.chosen
    document: dict[str, Any] = {
        "purpose": "test" if item.is_test else "training",
        "segmentation": case.segmentation,
        "table": case.table,
        "images": [case.images[channel] for channel in chosen.channels],
    }
    if item.target:
        document["written"] = {"path": item.target, "sha256": written.hashes[item.target]}
    if missing := chosen.missing.get(case.name):
        document["not_drawn"] = list(missing)
    return document
