"""The jobs of files that belong to all subjects; they run when it is known who is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..engine.jobs import Job


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
