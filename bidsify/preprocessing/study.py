"""The cardiac studies of a source: which files they are, and the stacks that these hold.

A source is a BIDS tree whose ``acq`` names the sequences, a folder of DICOM series for each
subject, or NIfTI files whose names tell the sequence, as those of MyoPS 2020 do.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SourceError
from ..source import Source
from . import study_names, study_series
from .stack import SEQUENCES, Slice, Stack
from .study_names import Role

if TYPE_CHECKING:
    from ..source.reading import Reading
    from .study_stacks import Grid

_NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True, slots=True)
class Study:
    """The files of one examination. ``subject`` and ``session`` are labels of BIDS names.

    ``images`` has for each sequence a NIfTI file or the slices of a DICOM series; ``labels`` the
    masks of sequences that have their own, and under "" those drawn for all of them.
    """

    subject: str
    images: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str] = field(default_factory=dict)
    session: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Return all its files, sorted."""
        images = (path for paths in self.images.values() for path in paths)
        return tuple(sorted({*images, *self.labels.values()}))


@dataclass(frozen=True, slots=True)
class Refused:
    """A subject that cannot be processed, and one sentence that says why."""

    subject: str
    reason: str


@dataclass(slots=True)
class _Found:
    """What each sequence of a study may be: files, or folders of slices; ``series`` has these."""

    images: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def find(source: Source) -> list[Study | Refused]:
    """Find the studies of a source by names; a header is read where a series' folder tells nothing.

    Sorted by subject. Of copies with the same bytes one is taken.
    """
    found: dict[str, _Found] = defaultdict(_Found)
    for role, paths in _roles(source):
        if role.is_labels:
            found[role.study].labels[role.sequence].extend(paths)
        else:
            found[role.study].images[role.sequence].append(paths)
    chosen = {key: one for key, one in sorted(found.items()) if one.images}
    labels = _labels(chosen, source)
    studies = [_study(labels[key], key, one, source) for key, one in chosen.items()]
    return sorted(studies, key=lambda one: (one.subject, getattr(one, "session", "")))


def read(study: Study, reading: Reading) -> dict[str, Stack]:
    """Read the stacks of a study by sequence, with the labels that lie on their grids.

    Raises:
        SourceError: A file is damaged or tells no place, or labels fit no stack; one sentence.
    """
    from . import study_stacks  # noqa: PLC0415  pydicom takes 0.2 s

    slices: dict[str, tuple[Slice, ...]] = {}
    grids: dict[str, Grid] = {}
    for name, paths in study.images.items():
        if paths[0].endswith(_NIFTI):
            grids[name] = study_stacks.read_grid(paths[0], reading)
            slices[name] = study_stacks.slices_of(grids[name])
        else:
            slices[name] = study_stacks.read_series(paths, reading)
    _check_placed(study, grids)
    for name, path in sorted(study.labels.items()):
        labels, fits = study_stacks.read_grid(path, reading), set[str]()
        # A mask of its own comes later than that of all sequences, and counts.
        for one in (name,) if name else study.images:
            labelled = study_stacks.with_labels(slices[one], labels, path)
            if labelled is not None:
                slices[one] = labelled
                fits.add(one)
        if not fits:
            what = study.images[name][0] if name else "any image of the study"
            msg = f"{path}: does not lie on the pixels of {what}; resample it to them first"
            raise SourceError(msg)
    return {name: Stack(name, slices[name]) for name in SEQUENCES}


def _check_placed(study: Study, grids: Mapping[str, Grid]) -> None:
    """Refuse volumes without a position, unless all lie on one grid."""
    for name, grid in grids.items():
        same = len(grids) == len(study.images) and all(
            other.values.shape == grid.values.shape and np.allclose(other.affine, grid.affine)
            for other in grids.values()
        )
        if not grid.is_placed and not same:
            msg = (
                f"{study.images[name][0]}: its header states no position in the scanner (sform and "
                "qform codes are 0); convert the DICOM files anew"
            )
            raise SourceError(msg)


def _roles(source: Source) -> Iterator[tuple[Role, tuple[str, ...]]]:
    """Yield what the files of a source are; the slices of a series together."""
    paths = sorted(source.sizes)
    if study_names.is_bids(paths):
        yield from ((role, (path,)) for path in paths if (role := study_names.bids(path)))
        return
    series = [*study_series.series(paths, source)]
    yield from series
    homes = frozenset(role.study for role, _ in series)
    for path in paths:
        if role := study_names.native(path, homes):
            yield role, (path,)


def _labels(studies: Iterable[str], source: Source) -> dict[str, tuple[str, str]]:
    """Return subject and session of each study, of which no two are the same.

    Whole paths stand where short names are not unique, for file systems that ignore case too.
    """
    root = study_names.plain(source.root.name.partition(".")[0]) or "1"
    found = {key: (study_names.label(key) or root, _session(key)) for key in studies}
    for longer in (study_names.plain, _unmistakable):
        often = Counter((subject.lower(), session) for subject, session in found.values())
        found = {
            key: (subject, session)
            if often[subject.lower(), session] == 1
            else (longer(key), session)
            for key, (subject, session) in found.items()
        }
    return found


def _unmistakable(study: str) -> str:
    """Return a label that no other study has, also where paths differ in signs alone."""
    return f"{study_names.plain(study)}x{hashlib.sha256(study.encode()).hexdigest()[:8]}"


def _session(study: str) -> str:
    return study.partition("/ses-")[2] if study.startswith("sub-") else ""


def _study(label: tuple[str, str], key: str, found: _Found, source: Source) -> Study | Refused:
    subject, session = label
    absent = [name for name in SEQUENCES if name not in found.images]
    if absent:
        needed = "bSSFP, LGE and T2w"
        what = f"{key or subject}: has no {' and no '.join(absent)}"
        return Refused(subject, f"{what}; a study needs {needed}: complete it, or leave it out")
    study = Study(subject, {}, {}, session)
    for name in SEQUENCES:
        paths = _one(found.images[name], source)
        if paths is None:
            first, second, *_ = (one[0] for one in found.images[name])
            reason = f"{second}: a second {name} beside {first}; keep one of them"
            return Refused(subject, reason)
        study = replace(study, images={**study.images, name: paths})
    for name in sorted(found.labels):
        labels = _plainest(found.labels[name])
        path = _one([(one,) for one in labels], source)
        if path is None:
            reason = f"{labels[1]}: a second mask beside {labels[0]}; keep one of them"
            return Refused(subject, reason)
        study = replace(study, labels={**study.labels, name: path[0]})
    return study


def _plainest(paths: list[str]) -> list[str]:
    """Leave out second segmentations, such as ``seg-common`` of ``bidsify harmonise``."""
    return [path for path in paths if "_seg-" not in path] or paths


def _one(candidates: list[tuple[str, ...]], source: Source) -> tuple[str, ...] | None:
    """Return the only candidate, or the first of copies; None where they differ."""
    first, *others = candidates
    try:
        if all([*map(source.read, other)] == [*map(source.read, first)] for other in others):
            return first
    except SourceError:  # unreadable: not to be told equal
        return None
    return None
