"""The output folder: is it ours, and what may be done with what is in it?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from .errors import UsageError
from .jobs import Plan
from .record import STATE, Record, read_record
from .source import Source

OnExisting = Literal["resume", "replace", "error"]


def prepare(root: Path, source: Source, on_existing: OnExisting) -> Record | None:
    """Check that we may write into ``root``; return the record of what is there.

    Raises:
        UsageError: We may not.
    """
    inside, outside = root.resolve(), source.root.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        msg = f"{root}: output and source lie in one another; choose a folder outside the source"
        raise UsageError(msg)
    if root.exists() and not root.is_dir():
        msg = f"{root}: not a folder; choose another output folder"
        raise UsageError(msg)
    if not root.is_dir() or not any(root.iterdir()):
        return None
    if on_existing == "error":
        msg = f"{root}: the output folder is not empty"
        raise UsageError(msg)
    record = _record_of(root)
    if record is None and not (root / STATE).is_dir() and not _is_ours(root):
        msg = f"{root}: the output folder is not empty and not ours; choose a new or empty folder"
        raise UsageError(msg)
    return record


def _record_of(root: Path) -> Record | None:
    """Read the record; one that is damaged counts as none, so all is written again."""
    try:
        return read_record(root)
    except UsageError:
        if _is_ours(root):
            return None
        raise


def _is_ours(root: Path) -> bool:
    """Say whether the description of the tree names us as its maker."""
    try:
        document = json.loads((root / "dataset_description.json").read_bytes())
        return bool(document["GeneratedBy"][0]["Name"] == "bidsify")
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False


def check_same(root: Path, plan: Plan, dataset: str, written: Iterable[str]) -> None:
    """Refuse to mix two sources in one tree.

    Raises:
        UsageError: The tree holds files that this plan does not write.
    """
    planned = {job.target for unit in plan.units for job in unit.jobs}
    strays = sorted(set(written) - planned)
    if dataset != plan.dataset or strays:
        what = f", such as {strays[0]}, which this source does not give" if strays else ""
        msg = (
            f"{root}: holds a conversion of {dataset!r} from another source{what}; choose another "
            "folder, or --on-existing replace"
        )
        raise UsageError(msg)


def remove(root: Path, targets: Iterable[str]) -> None:
    """Remove what an earlier conversion wrote by its own record, and nothing else."""
    for target in targets:
        path = root / target
        if path.resolve().is_relative_to(root.resolve()):
            path.unlink(missing_ok=True)
            for parent in path.parents:
                if parent == root or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()
