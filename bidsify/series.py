"""DICOM downloads whose folders are named by identifiers: the headers say what each series is.

A file gets the name by which the patterns of its declaration know it, as the authors' own script
would have named it; it is not moved, and all records keep its real path. One file of each folder
is opened, so a folder must hold one series, as all downloaders make them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .dataset import Dataset
from .errors import SourceError
from .patterns import Fields, Pattern, render
from .source import Source

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
    folders = dict(_folders(dataset, source))
    heads = {folder: _head(source, paths[0]) for folder, (paths, _) in folders.items()}
    placed: dict[str, str] = {}
    found = Named()
    for is_drawn in (False, True):  # images first: a structure set goes to its series
        for folder, (paths, fields) in folders.items():
            head = heads[folder]
            if head is None or (head.modality == _STRUCTURES) != is_drawn:
                continue
            name = _name(dataset, head, fields)
            if is_drawn and name and head.series not in placed:
                text = "drawn on a series that is not in the source; complete the download"
                found.faults |= {path: f"{path}: {text}" for path in paths}
                continue
            if is_drawn:
                name = f"{placed[head.series]}/{name}"
            elif name:
                placed[head.series] = name.rpartition("/")[0]
            found.names |= {p: name.replace("*", p.rpartition("/")[2]) for p in paths if name}
    return found


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


def _head(source: Source, path: str) -> _Head | None:
    """Read the header of one file; None where it is no DICOM file that we can read."""
    from .readers import dicom_file, structures  # noqa: PLC0415  pydicom takes 0.2 s

    try:
        content = source.read(path)
        tags = dicom_file.parse(content, path)
        modality = str(tags.get("Modality", ""))
        series = str(tags.get("SeriesInstanceUID", ""))
        if modality == _STRUCTURES:
            series = structures.read(content, path).series
        return _Head(modality, str(tags.get("SeriesDescription", "")), series)
    except SourceError:
        return None
