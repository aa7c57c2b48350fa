"""What there is to do: immutable jobs, one for each file that is written, and what they yield.

A job is plain data: it goes to worker processes, and its digest decides whether a file that
is already there is what the plan wants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..errors import UsageError
from ..version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file of the derivative, and the source files that it is made from.

    ``twins`` are pairs (copy, file in ``sources``) that must have the same content.
    """

    kind: ClassVar[str] = "job"
    target: str
    sources: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Return all files of the source that this job accounts for."""
        return (*self.sources, *(copy for copy, _ in self.twins))

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the targets of the same unit that its content depends on, if they were made."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the files that say how to read ``sources``, and that other jobs account for."""
        return ()

    @property
    def transform(self) -> str:
        """Say in words what is done to the source."""
        return f"{self.kind} made from the source"

    def is_wanted(self, present: Collection[str]) -> bool:
        """Say whether there is a use for it, now that ``present`` are the targets that exist."""
        del present
        return True

    def digest(self, *context: str) -> str:
        """Return what this job amounts to, as SHA-256; ``context`` is what it depends on."""
        parts = (__version__, repr(self), *context)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


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


def selected(units: Sequence[Unit], participants: Sequence[str]) -> list[Unit]:
    """Return the units of the participants that were asked for; all where none is.

    Raises:
        UsageError: One of them is not in the source.
    """
    wanted = {label.removeprefix("sub-") for label in participants}
    if unknown := wanted - {unit.subject for unit in units}:
        known = sorted({unit.subject for unit in units})
        some = ", ".join(known[:10] + ["..."] * (len(known) > 10))  # noqa: PLR2004
        msg = f"no participant {', '.join(sorted(unknown))} in the source; there are {some}"
        raise UsageError(msg)
    return [unit for unit in units if not wanted or unit.subject in wanted]


@dataclass(frozen=True, slots=True)
class Made:
    """A file to write; ``content_sha256`` is that of the decompressed bytes."""

    content: bytes
    content_sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Omitted:
    """A file that is not written, and why; ``notes`` are what a user should know of it."""

    reason: str
    notes: tuple[str, ...] = ()
