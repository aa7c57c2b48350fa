"""The texts of a derivative of predictions: description, label table, sidecars, README."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..harmonisation.segmentations import label_value
from ..text_files import MISSING, to_json, to_tsv
from ..tree_description import DESCRIPTION, read_description
from ..validation.files.inheritance import Ambiguity, sidecar_of
from ..validation.files.texts import read_table
from ..validation.files.tree import File, Folder
from ..version import __version__
from .beginning import title
from .export_map import ExportMap, Origin

_BIDS_VERSION = "1.11.1"
_COLUMNS = ("index", "name", "abbreviation", "color", "mapping")  # those that need no description
_LINK = "tree"
_COPIED = ("License", "SourceDatasets", "HowToAcknowledge", "Funding", "ReferencesAndLinks")


@dataclass(frozen=True, slots=True)
class Described:
    """What predictions are of: a tree, the way to it from the derivative, and by which model."""

    root: Path
    way: str
    known: ExportMap
    model: str


def write_texts(folder: Path, origins: Mapping[str, Origin], of: Described) -> None:
    """Write what is said of the whole and of each prediction; ``origins`` by path."""
    kind, tree = of.known.kind, Folder(str(of.root))
    stem = "dseg" if kind == "dseg" else f"{kind}_dseg"
    spaces = {path: _reference(tree, origin) for path, origin in origins.items()}
    first = next(iter(spaces.values()))
    common = first is not None and all(each == first for each in spaces.values())
    shared: dict[str, Any] = {"Description": f"Predicted by {of.model}.", "Manual": False}
    if common:
        shared["SpatialReference"] = first
    texts = {
        DESCRIPTION: to_json(_dataset(of)).encode(),
        "README.md": _readme(title(of.root), of.model).encode(),
        f"{stem}.tsv": _table(tree, of.known),
        f"{stem}.json": to_json(shared).encode(),
    }
    for path, origin in origins.items():
        own: dict[str, Any] = {"Sources": [f"bids:{_LINK}:{image}" for image in origin.images]}
        if not common and spaces[path] is not None:
            own["SpatialReference"] = spaces[path]
        texts[f"{path.removesuffix('.nii.gz')}.json"] = to_json(own).encode()
    for path, content in texts.items():
        (folder / path).write_bytes(content)
    if (of.root / ".bidsignore").is_file():
        shutil.copyfile(of.root / ".bidsignore", folder / ".bidsignore")


def _dataset(of: Described) -> Mapping[str, Any]:
    return {
        **{key: value for key, value in read_description(of.root)[0].items() if key in _COPIED},
        "Name": f"{title(of.root)}: predictions of {of.model}",
        "BIDSVersion": _BIDS_VERSION,
        "DatasetType": "derivative",
        "DatasetLinks": {_LINK: of.way},
        "GeneratedBy": [
            {"Name": of.model, "Description": "Predicted the labels."},
            {
                "Name": "bidsify",
                "Version": __version__,
                "Description": "Gave predictions the label values and the grid of the tree.",
            },
        ],
    }


def _readme(name: str, model: str) -> str:
    return (
        f"# Predictions of {model}\n\n"
        f"Segmentations of {name}, predicted by {model} and brought back by bidsify. Voxel values\n"
        "are those of the label table of the dataset; the images are in the dataset itself\n"
        f"(`{_LINK}` under `DatasetLinks` in `dataset_description.json`).\n"
    )


def _table(tree: Folder, known: ExportMap) -> bytes:
    """Return the label table: rows of the tree's own where it is there, else names alone."""
    rows: dict[int, Mapping[str, str]] = {}
    for path in dict.fromkeys(case.table for case in known.cases.values() if case.table):
        file = tree.find(path)
        columns = read_table(file).columns if isinstance(file, File) else {}
        for cells in zip(*columns.values(), strict=True):
            row = dict(zip(columns, cells, strict=True))
            if (value := label_value(row.get("index", ""))) is not None:
                rows.setdefault(value, row)
    names = [name for name in _COLUMNS if any(name in row for row in rows.values())]
    names = ["index", "name", *(name for name in names if name not in {"index", "name"})]
    stated = {
        value: {**rows.get(value, {}), "index": str(value), "name": text}
        for value, text in sorted(known.names.items())
    }
    return to_tsv(names, ([row.get(name, MISSING) for name in names] for row in stated.values()))


def _reference(tree: Folder, origin: Origin) -> object:
    """Return the space that the segmentation states, or else its first image."""
    for path in (origin.segmentation, origin.images[0]):
        file = tree.find(path) if path else None
        if isinstance(file, File):
            found = sidecar_of(file)
            if not isinstance(found, Ambiguity) and "SpatialReference" in found.values:
                value: object = found.values["SpatialReference"]
                return value
    return None
