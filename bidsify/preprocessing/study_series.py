"""Which DICOM files of a source are a series of one of the sequences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..errors import SourceError
from ..source import Source
from . import study_names
from .study_names import Role

_DICOM = (".dcm", ".ima")
_MARK = slice(128, 132)  # of a file (DICOM PS3.10, 7.1)


def series(paths: Iterable[str], source: Source) -> Iterator[tuple[Role, tuple[str, ...]]]:
    """Yield the DICOM series that are one of the sequences: each folder holds one."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder and name != "DICOMDIR" and _may_be_slice(name):
            folders[folder].append(path)
    for folder, candidates in folders.items():
        home, _, name = folder.rpartition("/")
        if not (files := _slices(candidates, source)):
            continue
        sequence = study_names.sequence(name)
        if sequence is None:
            sequence = _described(source, files[0])
        if sequence:
            yield Role(home, sequence), tuple(files)


def _may_be_slice(name: str) -> bool:
    """Say whether a name has the extension of DICOM, or none: what ends a UID is none."""
    _, dot, extension = name.lower().rpartition(".")
    return not dot or extension.isdigit() or name.lower().endswith(_DICOM)


def _slices(candidates: list[str], source: Source) -> list[str]:
    """Return the slices of a folder: by extension, or where one of them begins as DICOM does.

    Beside such a one those with a number in their names count too: a damaged slice is no other
    file, and must not be lost in silence.
    """
    named = [path for path in candidates if path.lower().endswith(_DICOM)]
    if not named and not any(_is_marked(path, source) for path in candidates):
        return []
    return [
        path
        for path in candidates
        if path in named
        or any(letter.isdigit() for letter in path.rpartition("/")[2])
        or _is_marked(path, source)
    ]


def _is_marked(path: str, source: Source) -> bool:
    try:
        return next(iter(source.blocks(path)), b"")[_MARK] == b"DICM"
    except SourceError:  # unreadable: nothing of ours
        return False


def _described(source: Source, path: str) -> str | None:
    """Return the sequence that the header of a slice tells of."""
    from ..readers import dicom_file  # noqa: PLC0415  pydicom takes 0.2 s

    try:
        tags = dicom_file.parse(source.read(path), path)
        with dicom_file.guarded(f"{path}: not a readable DICOM header"):
            texts = [str(tags.get(name, "")) for name in ("SeriesDescription", "ProtocolName")]
    except SourceError:  # no DICOM file: nothing of ours
        return None
    return next((found for found in map(study_names.sequence, texts) if found is not None), None)
