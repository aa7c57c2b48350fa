"""The files of one subject, and which visit each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..files.tree import File, Folder


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies: ``person`` is the folder of a subject, or of one session of it.

    ``tail`` is the datatype and what follows the names of subject and session.
    """

    person: str
    tail: str


def place_of(path: str) -> Place | None:
    """Take the path of a file of a subject apart; None where it is in no folder of a datatype.

    >>> place_of("sub-1/ses-2/anat/sub-1_ses-2_acq-x_T1w.nii.gz")
    Place(person='sub-1/ses-2', tail='anat/acq-x_T1w.nii.gz')
    """
    *folders, name = path.split("/")
    depth = 2 if len(folders) > 1 and folders[1].startswith("ses-") else 1
    if len(folders) != depth + 1:
        return None
    stem = "_".join(folders[:depth]) + "_"
    return Place("/".join(folders[:depth]), f"{folders[-1]}/{name.removeprefix(stem)}")


@dataclass(frozen=True, slots=True)
class Present:
    """All files of a subject by path, and the paths by person and tail."""

    subject: str
    files: Mapping[str, File]
    tails: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, folder: Folder) -> Present:
        """Look at the folder of a subject."""
        files = {file.path: file for file in _below(folder)}
        return cls(folder.name, files, tails_of(files))


def tails_of(paths: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Return person -> tail -> path."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        if place := place_of(path):
            found.setdefault(place.person, {})[place.tail] = path
    return found


def _below(folder: Folder) -> Iterator[File]:
    yield from folder.files.values()
    for name in folder.folders:
        yield from _below(folder.child(name))
