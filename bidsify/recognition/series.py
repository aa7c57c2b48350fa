"""DICOM downloads whose folders are named by identifiers: the headers say what each series is.

A file gets the name by which the patterns of its declaration know it, as the authors' own script
would have named it; it is not moved, and all records keep its real path. One file of each folder
is opened, so a folder must hold one series, as all downloaders make them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..dataset import Dataset
from ..errors import SourceError
from ..patterns import Fields, Pattern, render
from ..source import Source

_STRUCTURES = "RTSTRUCT"


@dataclass(frozen=True, slots=True)
class _Head:
    """What the header of a file says of its series; of a structure set, which series it is on."""

    modality: str
    description: str
    series: str


@dataclass(slots=True)
class Named:
    """Real path -> the name by which a declaration knows a file, and what is wrong with others."""

    names: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def named(dataset: Dataset, source: Source) -> Named:
    """Name the files that :class:`~bidsify.dataset.Series` speaks of.

    What no rule fits keeps its path, and is unclaimed.
    """
    folders, found = dict(_folders(dataset, source)), Named()
    heads: dict[str, _Head] = {}
    for folder, (paths, _) in folders.items():
        head = _head(source, paths[0])
        if isinstance(head, _Head):
            heads[folder] = head
        else:
            found.faults |= dict.fromkeys(paths, head)
    names = {folder: _name(dataset, head, folders[folder][1]) for folder, head in heads.items()}
    placed: dict[str, str] = {}
    for folder, head in heads.items():
        if names[folder] and head.modality != _STRUCTURES:
            _place(found, placed, folders[folder][0], names[folder], head.series)
    places = {series: place for place, series in placed.items() if series}
    for folder, head in heads.items():  # images come first: a structure set goes to its series
        if names[folder] and head.modality == _STRUCTURES:
            place = places.get(head.series)
            text = "drawn on a series that is not in the source; complete the download"
            for path in folders[folder][0]:
                if place is None:
                    found.faults[path] = f"{path}: {text}"
                else:
                    found.names[path] = f"{place}/{names[folder]}"
    return found


def _place(found: Named, placed: dict[str, str], paths: list[str], name: str, series: str) -> None:
    """Name the files of a series, unless another series has that name."""
    folder = name.rpartition("/")[0]
    if folder and placed.setdefault(folder, series) != series:
        text = f"a second series that would be {folder}; keep one of them"
        found.faults |= {path: f"{path}: {text}" for path in paths}
    else:
        found.names |= {path: name.replace("*", path.rpartition("/")[2]) for path in paths}


def _folders(dataset: Dataset, source: Source) -> Iterator[tuple[str, tuple[list[str], Fields]]]:
    patterns = [
        Pattern(text, dataset.fields)
        for text in dict.fromkeys(series.source for series in dataset.series)
    ]
    found: dict[str, tuple[list[str], Fields]] = {}
    for path in sorted(source.sizes) if patterns else ():
        match = next((m for m in (p.match(path) for p in patterns) if m), None)
        if match is not None:
            found.setdefault(path.rpartition("/")[0], ([], match.fields))[0].append(path)
    yield from found.items()


def _name(dataset: Dataset, head: _Head, fields: Fields) -> str:
    for series in dataset.series:
        if series.modality == head.modality and re.search(series.description, head.description):
            return render(series.name, fields)
    return ""


def _head(source: Source, path: str) -> _Head | str:
    """Read the header of one file, or say why that cannot be done."""
    from ..readers import dicom_file, structures  # noqa: PLC0415  pydicom takes 0.2 s

    try:
        content = source.read(path)
        tags = dicom_file.parse(content, path)
        with dicom_file.guarded(f"{path}: not a readable DICOM header"):
            names = ("Modality", "SeriesDescription", "SeriesInstanceUID")
            modality, description, series = (str(tags.get(name, "")) for name in names)
        if modality == _STRUCTURES:
            series = structures.read(content, path).series
        return _Head(modality, description, series)
    except SourceError as error:
        return str(error)
