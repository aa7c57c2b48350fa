"""Which issues can be new since a git revision: ``--changed-since``.

The files that git says differ, committed or not, and those whose verdicts hang on them. The tree
is compared with the revision itself: who wants the changes of a branch names its merge base.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import bids_schema
from ..errors import UsageError
from .closure import REFERRING, Changes, Closure
from .dataset import DESCRIPTION
from .files.kinship import Kinship, kinship
from .issue import Finding, Report

_SETTINGS = ".bidsify.toml"  # its exceptions may hide anything
_DERIVATIVES = "derivatives/"
_NOT_RULED = ("sourcedata/", "code/", _DERIVATIVES)
_REPOSITORY = b"160000"  # the mode of a repository in this one: its files are not listed
_NAMED = re.compile(rb"""[^\s"'/,\\]+\.json""")
# A hook is told where its repository is, which need not be that of the dataset.
_TOLD = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


@dataclass(frozen=True, slots=True)
class Changed:
    """What the changes since a revision concern.

    ``folders`` are the folders at the root that must be visited, or None for all: files at the
    root always are. ``datasets`` are the root and the changed derivatives, by where they lie;
    below ``wholes`` everything counts as changed.
    """

    folders: frozenset[str] | None
    datasets: Mapping[str, Closure] = field(default_factory=dict)
    wholes: tuple[str, ...] = ()

    def concerns(self, path: str, finding: Finding | None = None) -> bool:
        """Say whether what is found at a path of the tree can be new.

        Some rules follow references to anywhere, which shows only with the finding.
        """
        if path.startswith(self.wholes):
            return True
        if path == _DERIVATIVES:
            return any(where for where in self.datasets)
        where, inner = _dataset_of(path)
        if finding is not None and finding.code in REFERRING:
            return any(each.concerns(inner, finding) for each in self.datasets.values())
        return where in self.datasets and self.datasets[where].concerns(inner, finding)

    def keep(self, report: Report) -> Report:
        """Leave out of a report what was found before."""
        kept = tuple(pair for pair in report.findings if self.concerns(*pair))
        return replace(report, findings=kept)


def changed_paths(root: Path, revision: str, schema: Mapping[str, Any] | None = None) -> Changed:
    """Compare a dataset with a revision of the git repository that it lies in.

    Untracked files count, those that git is told to ignore too: validation sees them. Folders
    without files do not exist for git, and what links in the tree lead to is not looked at.

    Raises:
        UsageError: There is no git, no repository, or no such revision.
    """
    commit = _commit(root, revision)
    paths, gone, repositories = _compare(root, commit)
    groups: dict[str, tuple[set[str], set[str]]] = {}
    for path in paths:
        where, inner = _dataset_of(path)
        if inner and not inner.startswith(_NOT_RULED):
            here, gone_here = groups.setdefault(where, (set(), set()))
            here.add(inner)
            if path in gone:
                gone_here.add(inner)
    wholes = {_whole_of(path) for path in repositories}
    wholes |= {where for where, (here, _) in groups.items() if DESCRIPTION in here}
    wholes |= {""} if _SETTINGS in paths else set()
    mentioned = _mentioned(root, commit)
    kin = kinship(bids_schema.schema() if schema is None else schema)
    datasets = {
        where: Closure(
            Changes(
                frozenset(here),
                frozenset(gone_here),
                is_regrouped=_is_regrouped(root, commit, where),
                mentioned=mentioned,
            ),
            kin,
        )
        for where, (here, gone_here) in sorted(groups.items())
    }
    folders = None if "" in wholes else _folders(root, datasets.get(""), kin)
    return Changed(folders, datasets, tuple(sorted(wholes)))


def _folders(root: Path, closure: Closure | None, kin: Kinship) -> frozenset[str] | None:
    """Return the folders to visit. What is found at the root may hang on all of them."""
    if closure is None:
        return frozenset()
    changes = closure.changes
    entries = list(root.iterdir())
    at_root = [one.name for one in entries if not kin.is_fixed(one.name) and one.is_file()]
    below = {one.name for one in entries if one.is_dir()}
    if (
        changes.gone
        or changes.mentioned
        or "stimuli" in below
        or any("/" not in path or not path.startswith("sub-") for path in changes.paths)
        or any(closure.concerns(name) for name in at_root)
    ):
        return None
    folders = {path.partition("/")[0] for path in changes.paths}
    if changes.is_regrouped:
        folders |= below - _subjects(below)
    return frozenset(folders)


def _commit(root: Path, revision: str) -> str:
    """Return the name of the commit, which can be taken for nothing else."""
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    if _git(root, "rev-parse", "--is-inside-work-tree").strip() != b"true":
        msg = f"{root}: not in the work tree of a git repository"
        raise UsageError(msg)
    if revision and not revision.startswith("-"):
        try:
            found = _git(root, "rev-parse", "--verify", "--quiet", revision + "^{commit}")
            return found.decode().strip()
        except UsageError:
            pass
    msg = f"{revision!r}: no revision of this git repository; a shallow clone lacks older ones"
    raise UsageError(msg)


def _compare(root: Path, commit: str) -> tuple[set[str], set[str], set[str]]:
    """Return the paths that differ, those of them that are gone, and repositories among them."""
    options = ("--raw", "-z", "--no-renames", "--relative", "--ignore-submodules=none")
    words = _git(root, "diff", *options, "--no-ext-diff", commit, "--", ".").split(b"\0")
    paths, gone, repositories = set(), set(), set()
    for about, name in zip(words[::2], words[1::2], strict=False):
        path = os.fsdecode(name)
        old, new, *_, status = about.removeprefix(b":").split()
        if _REPOSITORY in (old, new):
            repositories.add(path + "/")
            continue
        paths.add(path)
        if status not in b"AM":
            gone.add(path)
    for name in _git(root, "ls-files", "--others", "-z").split(b"\0"):
        if name:
            (repositories if name.endswith(b"/") else paths).add(os.fsdecode(name))
    return paths, gone, repositories


def _is_regrouped(root: Path, commit: str, where: str) -> bool:
    """Say whether subjects have come or gone."""
    names = _git(root, "ls-tree", "--name-only", "-z", commit, *([where] if where else []))
    before = (os.fsdecode(name).rpartition("/")[2] for name in names.split(b"\0"))
    folder = root / where
    now = (each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else ()
    return _subjects(before) != _subjects(now)


def _subjects(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith("sub-")}


def _mentioned(root: Path, commit: str) -> frozenset[str]:
    """Return the JSON files that changed texts no longer name: these may be without use now."""
    options = ("-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--relative")
    text = _git(root, "diff", *options, commit, "--", "*.json", "*.tsv")
    lines = (x for x in text.split(b"\n") if x.startswith(b"-") and not x.startswith(b"--- "))
    return frozenset(os.fsdecode(name) for line in lines for name in _NAMED.findall(line[1:]))


def _dataset_of(path: str) -> tuple[str, str]:
    """Return where the dataset of a path lies, and the path there.

    >>> _dataset_of("derivatives/seg/sub-01/anat/sub-01_dseg.nii.gz")
    ('derivatives/seg/', 'sub-01/anat/sub-01_dseg.nii.gz')
    """
    *steps, inner = _steps(path)
    return "".join(steps), inner


def _steps(path: str) -> Iterator[str]:
    while path.startswith(_DERIVATIVES) and path.count("/") > 1:
        name, _, rest = path.removeprefix(_DERIVATIVES).partition("/")
        yield f"{_DERIVATIVES}{name}/"
        path = rest
    yield path


def _whole_of(repository: str) -> str:
    """Return what may be concerned where a repository in the tree is another than it was."""
    where, inner = _dataset_of(repository)
    is_apart = inner.startswith(_NOT_RULED)
    return where + inner if is_apart else where


def _git(root: Path, *words: str) -> bytes:
    program = shutil.which("git")
    if program is None:
        msg = "git is not installed, and only git knows what has changed"
        raise UsageError(msg)
    environment = {key: value for key, value in os.environ.items() if key not in _TOLD}
    done = subprocess.run(  # noqa: S603  no shell; words of the user are never options
        [program, "-C", str(root), "--no-optional-locks", *words],
        env={**environment, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        msg = f"{root}: git cannot compare it: {said or f'exit code {done.returncode}'}"
        raise UsageError(msg)
    return done.stdout
