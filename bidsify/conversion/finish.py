"""Write the files that belong to all subjects, once it is known what is in the tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.jobs import Job, Made
from ..engine.work import Outcome, Status
from ..engine.writing import remove_file, write_if_changed
from ..errors import SourceError
from ..planning.jobs import Plan
from ..planning.shared_jobs import PeopleJob, PeopleSidecarJob, TextJob
from ..source.reading import Reading
from . import people


@dataclass(frozen=True, slots=True)
class Present:
    """What is in the tree: the folders of subjects and sessions, and the kinds of files.

    A kind is a name without subject and session: ``{"acq-CISS", "T2w"}``.
    """

    folders: frozenset[str]
    kinds: frozenset[frozenset[str]]

    @classmethod
    def of(cls, targets: Iterable[str]) -> Present:
        """Look at the paths of all files of subjects."""
        folders, stems = set[str](), set[str]()
        present = set(targets)
        for target in present:
            subject, second, *_ = target.split("/")
            folders |= {subject, f"{subject}/{second}"}
            stem = target.removesuffix(".json")
            if stem == target or not present & {f"{stem}.nii.gz", f"{stem}.tsv"}:
                stems.add(_PEOPLE.sub("", target.rsplit("/", 1)[-1]).split(".", 1)[0])
        if any("/ses-" in folder for folder in folders):
            stems.add("sessions")
        return cls(frozenset(folders), frozenset(frozenset(s.split("_")) for s in stems))

    def has(self, stem: str) -> bool:
        """Say whether a file is there that inherits from ``stem``."""
        wanted = frozenset(stem.split("_"))
        return any(wanted <= kind for kind in self.kinds)


_PEOPLE = re.compile(r"^(?:sub-[^_]*_)?(?:ses-[^_]*_)?")


@dataclass(frozen=True, slots=True)
class Shared:
    """A file of all subjects: its content, None where the tree has no use for it.

    ``broken`` are tables of the source that cannot be used, each with the reason; ``job`` is
    what is left without them.
    """

    job: Job
    made: Made | None
    broken: Mapping[str, str]

    @property
    def faults(self) -> Iterator[Outcome]:
        """Report the tables that cannot be used."""
        for path, why in self.broken.items():
            yield Outcome(self.job.target, "failed", (path,), message=why)


def shared_files(plan: Plan, reading: Reading, targets: Iterable[str]) -> Iterator[Shared]:
    """Make them in memory, for a tree with these files of subjects."""
    present = Present.of(targets)
    return (_shared(job, reading, present) for job in plan.shared)


def _shared(job: Job, reading: Reading, present: Present) -> Shared:
    try:
        return Shared(job, _make(job, reading, present), {})
    except SourceError:
        broken = _broken(job, reading, present)
        sound = _without(job, broken)
        return Shared(sound, _make(sound, reading, present), broken)


def write_shared(
    files: Iterable[Shared], root: Path, earlier: Collection[str]
) -> Iterator[Outcome]:
    """Write them; files that are as they should be are left alone.

    What an earlier run wrote, and the tree has no use for any more, goes.
    """
    for each in files:
        yield from each.faults
        if each.made is None and each.job.target in earlier:
            remove_file(root, each.job.target)
        elif each.made is not None:
            is_new = write_if_changed(root, each.job.target, each.made.content)
            status: Status = "written" if is_new else "kept"
            yield Outcome(each.job.target, status, each.job.sources, notes=each.made.notes)


def _make(job: Job, reading: Reading, present: Present) -> Made | None:
    """Return the content of a shared file; None where the tree has no use for it."""
    match job:
        case TextJob():
            if job.only_with and not present.has(job.only_with):
                return None
            return Made(job.content.encode(), "")
        case PeopleJob():
            made = people.people(job, reading, present.folders)
            return made if made.content.count(b"\n") > 1 else None
        case PeopleSidecarJob():
            return people.people_sidecar(job, reading) if present.folders else None
        case _:
            msg = f"no shared file is made by {job.kind!r}"
            raise AssertionError(msg)


def _broken(job: Job, reading: Reading, present: Present) -> dict[str, str]:
    """Return the tables of the source that cannot be used, each with the reason."""
    found: dict[str, str] = {}
    if isinstance(job, PeopleJob | PeopleSidecarJob):
        for native in job.natives:
            alone = replace(job, natives=(native,))
            try:
                _make(alone, reading, present)
            except SourceError as error:
                found[native.path] = str(error)
    return found


def _without(job: Job, paths: Collection[str]) -> Job:
    if not isinstance(job, PeopleJob | PeopleSidecarJob):
        return job
    natives = tuple(native for native in job.natives if native.path not in paths)
    left = {p for native in natives for p in (native.path, native.sidecar)}
    return replace(job, natives=natives, sources=tuple(p for p in job.sources if p in left))
