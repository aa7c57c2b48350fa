"""Write the files that belong to all subjects, once it is known what is in the tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import people
from .errors import SourceError
from .jobs import Job, PeopleJob, PeopleSidecarJob, Plan, TextJob
from .reading import Reading
from .record import Receipt
from .volumes import Made
from .work import Outcome, Setting, Status
from .writing import write_file


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


def write_shared(plan: Plan, setting: Setting, done: Mapping[str, Receipt]) -> Iterator[Outcome]:
    """Write them; files that are as they should be are left alone."""
    reading = Reading(setting.source)
    present = Present.of(target for target, receipt in done.items() if not receipt.is_omitted)
    for job in plan.shared:
        try:
            made = make_shared(job, reading, present)
            sound = job
        except SourceError:
            broken = _broken(job, reading, present)
            for path, why in broken.items():
                yield Outcome(job.target, "failed", (path,), message=why)
            sound = _without(job, broken)
            made = make_shared(sound, reading, present)
        if made is None:
            continue
        changed = write_if_changed(setting.root, job.target, made.content)
        facts = tuple((p, reading.facts[p]) for p in sound.sources if p in reading.facts)
        receipt = Receipt(job.target, "", len(made.content), "", "", facts)
        status: Status = "written" if changed else "kept"
        yield Outcome(job.target, status, sound.sources, receipt, notes=made.notes)


def make_shared(job: Job, reading: Reading, present: Present) -> Made | None:
    """Return the content of a shared file; None where the tree has no use for it.

    Raises:
        SourceError: A table of the source cannot be read.
    """
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


def write_if_changed(root: Path, target: str, content: bytes) -> bool:
    """Write a file unless it holds this content; say whether it was written."""
    path = root / target
    changed = path.is_symlink() or not path.is_file() or path.read_bytes() != content
    if changed:
        write_file(root, target, content)
    return changed


def _broken(job: Job, reading: Reading, present: Present) -> dict[str, str]:
    """Return the tables of the source that cannot be used, each with the reason."""
    found: dict[str, str] = {}
    if isinstance(job, PeopleJob | PeopleSidecarJob):
        for native in job.natives:
            alone = replace(job, natives=(native,))
            try:
                make_shared(alone, reading, present)
            except SourceError as error:
                found[native.path] = str(error)
    return found


def _without(job: Job, paths: Collection[str]) -> Job:
    if not isinstance(job, PeopleJob | PeopleSidecarJob):
        return job
    natives = tuple(native for native in job.natives if native.path not in paths)
    left = {p for native in natives for p in (native.path, native.sidecar)}
    return replace(job, natives=natives, sources=tuple(p for p in job.sources if p in left))
