"""Which verdicts can differ once files have changed. Names decide that: no file is opened here.

Rather too many than too few: a verdict that is left out is a defect that nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .dataset import DESCRIPTION
from .files.kinship import Kinship
from .files.names import Name, split_name
from .issue import Finding

_FOR_ALL = frozenset({DESCRIPTION, ".bidsignore"})  # what all files of a dataset depend on
# Checks of ours that follow references: to images and their grids, or to whether a file is there.
_OF_GRIDS = frozenset({"GRID_MISMATCH"})
_OF_PRESENCE = frozenset({"SOURCE_NOT_FOUND", "SPATIAL_REFERENCE_NOT_FOUND"})
_IMAGES = (".nii", ".nii.gz")
REFERRING = _OF_GRIDS | _OF_PRESENCE  # the files may be of another dataset
_Suffixes = dict[str, set["_Kin"]]


@dataclass(frozen=True, slots=True)
class Changes:
    """The files of one dataset that are not what they were; paths are relative to it.

    ``gone`` are those that are no more, or were replaced. ``is_regrouped`` says that subjects came
    or went; ``mentioned`` are names of JSON files that changed files spoke of.
    """

    paths: frozenset[str]
    gone: frozenset[str] = frozenset()
    is_regrouped: bool = False
    mentioned: frozenset[str] = frozenset()


class Closure:
    """What changes concern, in one dataset."""

    def __init__(self, changes: Changes, kinship: Kinship) -> None:
        self.changes = changes
        self._kinship = kinship
        self._folders = {each for path in changes.paths for each in _chain(path)}
        wholes = {each for each in self._folders if _is_whole(each)}
        self._paths = changes.paths | wholes
        self._lower = {path.lower() for path in self._paths}
        self._stems = {_Place.of(path).stem for path in self._paths}
        self._here: dict[str, _Suffixes] = {}
        self._below: dict[str, _Suffixes] = {}
        self._has_plain = False
        for path in self._paths:
            self._add(path)
        self._imaged = {_top(path) for path in changes.paths if path.endswith(_IMAGES)}
        self._has_shared_image = not all(top.startswith("sub-") for top in self._imaged)
        self._emptied = {each for path in changes.gone for each in _chain(path)}
        self._known: dict[str, bool] = {}

    @property
    def is_everything(self) -> bool:
        """Say whether a file changed on which all verdicts depend."""
        return not self._paths.isdisjoint(_FOR_ALL)

    def concerns(self, path: str, finding: Finding | None = None) -> bool:
        """Say whether what is found at a path can differ.

        Without the finding this goes by what the names have to do with each other; some rules
        follow references to anywhere.
        """
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self.is_everything or self._is_near(path)
        return known or (finding is not None and self._is_far(path, finding))

    def _add(self, path: str) -> None:
        place = _Place.of(path)
        parts = place.parts
        self._has_plain |= self._kinship.is_plain(path, parts)
        if "/" not in path and self._kinship.is_fixed(path):
            return
        kin = _Kin(parts.suffix, self._kinship.describes(parts), tuple(parts.entities.items()))
        self._here.setdefault(place.folder, {}).setdefault(kin.suffix, set()).add(kin)
        for each in _chain(path):
            self._below.setdefault(each, {}).setdefault(kin.suffix, set()).add(kin)

    def _is_near(self, path: str) -> bool:
        if path in self._paths or path in self._folders or path.lower() in self._lower:
            return True
        place = _Place.of(path)
        if "/" not in path:
            if self._has_plain and self._kinship.is_plain(path, place.parts):
                return True
            if self._kinship.is_fixed(path):
                return False
        if place.stem in self._stems:
            return True
        describes = self._kinship.describes(place.parts)
        kin = self._candidates(path, place.parts.suffix, describes=describes)
        return any(self._is_related(place.parts, each, describes=describes) for each in kin)

    def _candidates(self, path: str, suffix: str, *, describes: bool) -> Iterator[_Kin]:
        """Yield the changed files above a file, and below one that describes others."""
        above = _chain(path)
        tables = [self._here.get(folder, {}) for folder in above]
        tables += [self._below.get(above[-1], {})] if describes else []
        targets = self._kinship.targets
        for table in tables:
            fitting: Iterable[str] = table.keys() & {suffix, *targets}
            for each in table if suffix in targets else fitting:
                yield from table[each]

    def _is_related(self, parts: Name, kin: _Kin, *, describes: bool) -> bool:
        """Say whether a file reads a changed one, is read by it, or both by a third."""
        ours, theirs = parts.entities, dict(kin.entities)
        targets = self._kinship.targets
        if kin.describes and kin.suffix not in targets and kin.suffix != parts.suffix:
            return False  # a sidecar of the third says nothing of what belongs to that
        if not targets.isdisjoint({parts.suffix, kin.suffix}):
            ours, theirs = self._without_extra(ours), self._without_extra(theirs)
        if describes and kin.describes:  # the third has the entities of both
            return all(ours.get(key, label) == label for key, label in theirs.items())
        if describes:
            return ours.items() <= theirs.items()
        return kin.describes and theirs.items() <= ours.items()

    def _without_extra(self, entities: Mapping[str, str]) -> dict[str, str]:
        return {key: label for key, label in entities.items() if key not in self._kinship.extra}

    def _is_far(self, path: str, finding: Finding) -> bool:
        """Say whether a rule may have looked for a changed file, whatever its name."""
        code, changes = finding.code, self.changes
        if code == "UNUSED_STIMULUS" or code.startswith("PROFILE_"):
            return bool(changes.paths)
        if code == "SIDECAR_WITHOUT_DATAFILE":
            return path.rpartition("/")[2] in changes.mentioned
        if code in _OF_GRIDS:
            return self._has_shared_image or _top(path) in self._imaged
        if finding.rule in self._kinship.of_subjects:
            return changes.is_regrouped or "participants.tsv" in changes.paths
        bases = self._kinship.bases.get(finding.rule, ())
        wheres = [""] if code in _OF_PRESENCE else [_where(base, path) for base in bases]
        return not self._emptied.isdisjoint(wheres)


@dataclass(frozen=True, slots=True)
class _Kin:
    """What matters of the name of a changed file."""

    suffix: str
    describes: bool
    entities: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Place:
    folder: str
    parts: Name
    stem: str

    @classmethod
    def of(cls, path: str) -> _Place:
        """Take a path apart; a folder counts as a file whose extension ends with a slash."""
        folder = _chain(path)[-1]
        parts = split_name(path[len(folder) :])
        return cls(folder, parts, path[: len(path) - len(parts.extension)])


def _chain(path: str) -> list[str]:
    """Return the folders that hold a path, outermost first.

    >>> _chain("sub-01/anat/sub-01_T1w.json")
    ['', 'sub-01/', 'sub-01/anat/']
    """
    inside = path[:-1]  # the slash at the end of a folder leads to nothing below
    return ["", *(path[: i + 1] for i, letter in enumerate(inside) if letter == "/")]


def _is_whole(folder: str) -> bool:
    """Say whether a folder may count as one file, as in ``sub-01_meg.ds/``."""
    parts = _Place.of(folder).parts if folder else None
    return bool(parts and parts.suffix and parts.entities and len(parts.extension) > 1)


def _where(base: str, path: str) -> str:
    """Return what the paths start with that a rule looks for."""
    if base == "stimuli":
        return "stimuli/"
    place = _Place.of(path)
    if base == "file":
        return place.folder
    if base == "subject":
        return f"sub-{place.parts.entities.get('sub', 'undefined')}/"
    return ""


def _top(path: str) -> str:
    return path.partition("/")[0]
