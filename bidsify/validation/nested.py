"""A dataset and the datasets in its ``derivatives/`` folder, as one report: ``--recursive``.

Each is a dataset of its own, with its own ``.bidsignore``, as for the official validator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .dataset import DESCRIPTION
from .files.tree import Folder
from .findings import finding
from .issue import Located, Report
from .options import Request
from .run import validate_tree

if TYPE_CHECKING:
    from .memory import Cache

_DERIVATIVES = "derivatives"
_UNSAID = "DERIVATIVE_WITHOUT_DESCRIPTION"


def validate_all(
    request: Request, workers: int = 1, *, recursive: bool = False, cache: Path | None = None
) -> Report:
    """Validate the dataset at ``request.root`` and, if asked to, its derivatives and theirs.

    Subjects of several datasets count once. ``cache`` is a file for what was read: the report is
    the same, and what has not changed since is not read again.

    Raises:
        UsageError: there is no such folder, or no place for the cache.
        SchemaError: the schema cannot be read, or is newer than this version understands.
    """
    if cache is None:
        return _validate_all(request, workers, None, recursive=recursive)
    from .memory import Cache  # noqa: PLC0415  where there is one

    opened = Cache(cache, Path(request.root))
    report = _validate_all(request, workers, opened, recursive=recursive)
    opened.save()
    return report


def _validate_all(
    request: Request, workers: int, cache: Cache | None, *, recursive: bool
) -> Report:
    report = _validate(request, workers, cache)
    if not recursive:
        return report
    found = list(report.findings)
    files, seconds = report.files, report.seconds
    # The profile is that of the outer dataset, and so are the folders whose voxels are wanted.
    inner = replace(request, options=replace(request.options, voxels_in=None), profile=None)
    top = Folder(request.root)
    subjects = _subjects(top)
    for where, folder in _datasets(top, found):
        each = _validate(replace(inner, root=folder.location), workers, cache)
        found += ((where + path, one) for path, one in each.findings)
        files += each.files
        seconds += each.seconds
        subjects |= _subjects(folder)
    return replace(
        report, files=files, subjects=len(subjects), seconds=seconds, findings=tuple(found)
    )


def _validate(request: Request, workers: int, cache: Cache | None) -> Report:
    if cache is None:
        return validate_tree(request, workers)
    notes = cache.open(request.root)
    report = validate_tree(request, workers, notes)
    cache.close(request.root, notes)
    return report


def _datasets(
    top: Folder,
    found: list[Located],
    where: str = "",
    above: frozenset[str] = frozenset(),
) -> Iterator[tuple[str, Folder]]:
    """Yield the datasets below one, outer ones first, and note what is no dataset.

    ``above`` are the places of the datasets around this one: links may lead back to them.
    """
    if _DERIVATIVES not in top.folders:
        return
    above |= {os.path.realpath(top.location)}
    children = Folder(top.location + _DERIVATIVES)
    where += f"{_DERIVATIVES}/"
    found += _unread(children, where)
    unsaid: dict[str, None] = {}
    for name in children.folders:
        child = Folder(children.location + name)
        if child.error:
            found += _unread(child, f"{where}{name}/")
        elif DESCRIPTION not in child.files:
            # Subjects right here are one dataset whose description is missing, not many.
            unsaid[where if name.startswith("sub-") else f"{where}{name}/"] = None
        elif os.path.realpath(child.location) not in above:
            yield f"{where}{name}/", child
            yield from _datasets(child, found, f"{where}{name}/", above)
    found += ((path, finding(_UNSAID)) for path in unsaid)


def _unread(folder: Folder, path: str) -> Iterator[Located]:
    if folder.error:
        yield path, finding("FILE_READ", folder.error.strerror or str(folder.error))


def _subjects(folder: Folder) -> set[str]:
    return {name for name in folder.folders if name.startswith("sub-")}
