"""The output folder: is it ours, what did earlier runs leave in it, and who writes there now?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UsageError
from ..records.conversion import RECORD, Record, read_record
from ..records.receipts import Receipt
from .journal import STATE, Journal
from .writing import remove_file

OnExisting = Literal["resume", "replace", "error"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written: the files of all units, made from the dataset at ``source``.

    ``record`` is where the pipeline keeps what it did, for the next run to go on from.
    """

    source: Path
    dataset: str
    targets: frozenset[str]
    record: str = RECORD


@dataclass(frozen=True, slots=True)
class Output:
    """A folder that this run alone writes into, with what earlier runs wrote and recorded."""

    root: Path
    record: Record | None
    receipts: Mapping[str, Receipt]
    journal: Journal

    def note(self, receipts: Iterable[Receipt]) -> None:
        """Note what was done, so that a run that is cut off can go on."""
        self.journal.append(receipts)


@contextmanager
def open_output(root: Path, wanted: Wanted, on_existing: OnExisting) -> Iterator[Output]:
    """Open a folder to write into; the journal stays where an error ends the run.

    Raises:
        UsageError: We may not write there, or it holds something else.
    """
    record = _prepare(root, wanted, on_existing)
    if record and on_existing != "replace":
        _check_same(root, wanted, record.dataset, record.receipts)
    journal = Journal(root)
    try:
        earlier = {receipt.target: receipt for receipt in journal.earlier()}
        receipts = {**(record.receipts if record else {}), **earlier}
        if on_existing == "replace":
            _remove(root, [*receipts, *(record.shared if record else ()), wanted.record])
            receipts = {}
        else:
            _check_same(root, wanted, wanted.dataset, earlier)
        yield Output(root, record, receipts, journal)
    except BaseException:
        journal.close()
        raise
    journal.finish()


def _prepare(root: Path, wanted: Wanted, on_existing: OnExisting) -> Record | None:
    """Check that we may write into ``root``; return the record of what is there."""
    inside, outside = root.resolve(), wanted.source.resolve()
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
    record = _record_of(root, wanted.record)
    if record is None and not (root / STATE).is_dir() and not _is_ours(root):
        msg = f"{root}: the output folder is not empty and not ours; choose a new or empty folder"
        raise UsageError(msg)
    return record


def _record_of(root: Path, name: str) -> Record | None:
    """Read the record; one that is damaged counts as none, so all is written again."""
    try:
        return read_record(root, name)
    except UsageError:
        if _is_ours(root):
            return None
        raise


def _is_ours(root: Path) -> bool:
    """Say whether the description of the tree names us as its maker."""
    try:
        document = json.loads((root / "dataset_description.json").read_bytes())
        return bool(document["GeneratedBy"][0]["Name"] == "bidsify")
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return False


def _check_same(root: Path, wanted: Wanted, dataset: str, written: Iterable[str]) -> None:
    """Refuse to mix two sources in one tree."""
    strays = sorted(set(written) - wanted.targets)
    if dataset != wanted.dataset or strays:
        what = f", such as {strays[0]}, which this source does not give" if strays else ""
        msg = (
            f"{root}: holds files made of {dataset!r} from another source{what}; choose another "
            "folder, or --on-existing replace"
        )
        raise UsageError(msg)


def _remove(root: Path, targets: Iterable[str]) -> None:
    """Remove what an earlier run wrote by its own record, and nothing else."""
    for target in targets:
        if remove_file(root, target):
            for parent in (root / target).parents:
                if parent == root or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()
