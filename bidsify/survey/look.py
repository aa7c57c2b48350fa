"""Look through a tree once, in processes, and return all that a page or an export needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cases.case import Case
from ..cases.find import find_cases
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import UsageError
from ..tree_description import read_description
from ..validation.files.tree import Folder
from .about import about, people
from .measuring import Task, measure
from .record import made
from .schemes import UNSTATED, schemes, with_values
from .scores import with_scores
from .terms import declared, terms
from .validity import validity
from .values import CaseFacts, Scheme, Survey


def survey(root: Path, workers: int = 1) -> Survey:
    """Return what is in a tree. All segmentations are read; of images the headers alone.

    Raises:
        UsageError: There is no such folder.
    """
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    found = find_cases(root, workers)
    stated, places = schemes(found.tables)
    every = sorted((*found.cases, *found.lost), key=lambda case: case.name)
    tasks = [
        _task(case, stated, places.get(case.table or "", UNSTATED), found.faults) for case in every
    ]
    cases = with_scores(_measured(root, tasks, workers))
    folder = Folder(str(root))
    description, fault = read_description(root)
    record = made(root)
    dataset = declared(record.dataset) if record else None
    return Survey(
        about=about(description, fault, dataset),
        people=people(folder, dataset),
        cases=cases,
        schemes=with_values(stated, cases),
        made=record,
        terms=terms(root, _licence(description)),
        validity=validity(root, workers),
        faults=dict(sorted(found.faults.items())),
    )


def _licence(description: Mapping[str, Any]) -> str:
    licence = description.get("License")
    return licence.strip() if isinstance(licence, str) else ""


def _task(case: Case, stated: tuple[Scheme, ...], place: int, faults: Mapping[str, str]) -> Task:
    path = case.segmentation or ""
    fault = f"{path}: {faults[path]}" if path in faults else ""
    return Task(case, place, stated[place].names, stated[place].colors, fault)


def _measured(root: Path, tasks: list[Task], workers: int) -> list[CaseFacts]:
    """Measure all cases; those whose worker was killed are said to be too large."""
    numbered = dict(enumerate(tasks))
    found: dict[int, CaseFacts] = {}
    jobs = list(numbered.items())
    for (number, task), facts in run_all(_measure, root, jobs, workers):
        if isinstance(facts, WorkerDiedError):
            why = "the process that read it was killed, most often for want of memory"
            found[number] = CaseFacts(task.case, task.scheme, fault=why)
        else:
            found[number] = facts
    return [found[number] for number in sorted(found)]


def _measure(root: Path, job: tuple[int, Task]) -> CaseFacts:
    return measure(root, job[1])
