"""A dataset and the datasets in its ``derivatives/`` folder, as one report: ``--recursive``.

Each is a dataset of its own, with its own ``.bidsignore``, as for the official validator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from .dataset import DESCRIPTION
from .files.tree import Folder
from .findings import finding
from .issue import Located, Report
from .options import Request
from .run import validate_tree

_DERIVATIVES = "derivatives"
_UNSAID = "DERIVATIVE_WITHOUT_DESCRIPTION"


def validate_all(request: Request, workers: int = 1, *, recursive: bool = False) -> Report:
    """Validate the dataset at ``request.root`` and, if asked to, its derivatives and theirs.

    Subjects of several datasets count once.

    Raises:
        UsageError: there is no such folder.
        SchemaError: the schema cannot be read, or is newer than this version understands.
    """
    report = validate_tree(request, workers)
    if not recursive:
        return report
    found = list(report.findings)
    files, seconds = report.files, report.seconds
    # The profile is that of the outer dataset, and so are the folders whose voxels are wanted.
    inner = replace(request, options=replace(request.options, voxels_in=None), profile=None)
    top = Folder(request.root)
    subjects = _subjects(top)
    for where, folder in _datasets(top, found):
        each = validate_tree(replace(inner, root=folder.location), workers)
        found += ((where + path, one) for path, one in each.findings)
        files += each.files
        seconds += each.seconds
        subjects |= _subjects(folder)
    return replace(
        report, files=files, subjects=len(subjects), seconds=seconds, findings=tuple(found)
    )


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
