"""What a plan consists of: immutable jobs, one for each file that is written.

A job is plain data: it goes to worker processes, and its digest decides whether a file that
is already there is what the plan wants.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from . import __version__
from .labels import Range
from .product import Suspect


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of the derivative, and the source files that it is made from.

    ``twins`` are pairs (copy, file in ``sources``) that must have the same content.
    """

    kind: ClassVar[str] = "job"
    target: str
    sources: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()

    def digest(self, *context: str) -> str:
        """Return what this job amounts to, as SHA-256; ``context`` is what it depends on."""
        parts = (__version__, repr(self), *context)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recode:
    """How native label values become those of the label table."""

    ranges: tuple[Range, ...]
    dtype: str
    may_be_empty: bool = True
    suspects: tuple[Suspect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeJob(Job):
    """A ``.nii.gz``. Without ``recode`` the values are kept.

    ``grid`` are the DICOM files that give the geometry of PNG slices, in the order of
    ``sources``, or of a structure set; ``ranked`` says whether they were paired by place alone,
    and if their numbers start at the same one (``"equal"``) or not (``"offset"``).
    ``structures`` are indices with the names that structures of them have. Values outside of
    ``plausible`` are reported.
    """

    kind: ClassVar[str] = "volume"
    reader: str
    recode: Recode | None = None
    grid: tuple[str, ...] = ()
    ranked: str = ""
    array: ArrayPart | None = None
    structures: tuple[tuple[int, tuple[str, ...]], ...] = ()
    plausible: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPart:
    """An array in a file of arrays, and how its axes lie.

    ``orientation`` names the direction in which voxel i, j, k grow, as in ``"PIR"``. Arrays
    are (row, column) = (j, i), with an optional first axis of channels. Where the channels
    ``unless`` of another array are equal, nothing is written.
    """

    key: str
    orientation: str
    channels: int = 0
    unless: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsJob(Job):
    """A table of points. ``stated`` holds for each source the values that its name states."""

    kind: ClassVar[str] = "points"
    reader: str
    columns: tuple[str, ...]
    stated: tuple[tuple[str, ...], ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    grid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyJob(Job):
    """A file copied byte for byte."""

    kind: ClassVar[str] = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarJob(Job):
    """The JSON of one data file. ``metadata`` is JSON text; the rest is read from the source.

    ``drawn_on`` become ``Sources`` as far as they exist; the first one is the grid to compare.
    ``landmarks`` are (name, source file) pairs; ``structures`` is the structure set whose names
    it must state, for each channel or for each label.
    """

    kind: ClassVar[str] = "sidecar"
    of: str
    metadata: str
    drawn_on: tuple[str, ...] = ()
    native_json: str | None = None
    dicom: tuple[str, ...] = ()
    landmarks: tuple[tuple[str, str], ...] = ()
    structures: str | None = None
    labels: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScansJob(Job):
    """The ``scans.tsv`` of a subject or session: each data file and where it comes from."""

    kind: ClassVar[str] = "scans"
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextJob(Job):
    """A file whose content the plan knows. With ``only_with``: only if such a file was written."""

    kind: ClassVar[str] = "text"
    content: str
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class NativeTable:
    """A table of the source whose columns are added; see :class:`~bidsify.dataset.SubjectTable`."""

    path: str
    renamed: tuple[tuple[str, str], ...] = ()
    states: tuple[tuple[str, str], ...] = ()
    is_list: bool = False
    sidecar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleJob(Job):
    """``participants.tsv`` or a ``sessions.tsv``: a row for each folder that was written.

    ``rows`` are (folder, values); values start with the label and the native id.
    """

    kind: ClassVar[str] = "people"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    natives: tuple[NativeTable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSidecarJob(Job):
    """``participants.json``: our definitions, and those that the source gives for its columns.

    ``ids`` are the label and the native id of each subject.
    """

    kind: ClassVar[str] = "people"
    metadata: str
    ids: tuple[tuple[str, str], ...] = ()
    natives: tuple[NativeTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """The jobs of one subject, or of one session of it, in the order in which they run."""

    subject: str
    session: str | None
    jobs: tuple[Job, ...]

    @property
    def name(self) -> str:
        """Return the folder of this unit, for messages."""
        return f"sub-{self.subject}" + (f"/ses-{self.session}" if self.session else "")


@dataclass(frozen=True, slots=True)
class Failure:
    """Source files that cannot be converted, and why."""

    sources: tuple[str, ...]
    message: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about the source as a whole; no error."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a conversion writes, and where each source file goes."""

    dataset: str
    edition: str
    units: tuple[Unit, ...]
    shared: tuple[Job, ...]
    ignored: tuple[tuple[str, str], ...]
    unclaimed: tuple[str, ...]
    failures: tuple[Failure, ...]
    remarks: tuple[Remark, ...]
    file_count: int
