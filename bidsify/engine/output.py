"""The output folder: is it ours, what did earlier runs leave in it, and who writes there now?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import UsageError
from ..records.conversion import RECORD, Record, read_record
from ..records.receipts import Receipt
from .gate import STATE
from .journal import Journal, Merged
from .parts import Failure, Part
from .untouched import holds
from .work import Outcome
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
    """A folder to write into, with what earlier runs wrote and recorded.

    ``failures`` are messages by target, of runs on the ``participants`` that are merged here.
    """

    root: Path
    record: Record | None
    receipts: Mapping[str, Receipt]
    journal: Journal | Part
    failures: Mapping[str, str] = field(default_factory=dict)
    participants: frozenset[str] = frozenset()

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Note what was done, so that a run that is cut off can go on.

        A part says all of its participants, as who merges it knows nothing else of them.
        """
        outcomes = list(outcomes)
        if isinstance(self.journal, Journal):
            new = (o for o in outcomes if o.status in {"written", "omitted"})
            self.journal.append(o.receipt for o in new if o.receipt)
            return
        self.journal.append(o.receipt for o in outcomes if o.receipt)
        failed = (o for o in outcomes if o.status == "failed")
        self.journal.append(Failure(o.target, o.message) for o in failed)


@contextmanager
def open_output(root: Path, wanted: Wanted, on_existing: OnExisting) -> Iterator[Output]:
    """Open a folder to write into, alone; the journal stays where an error ends the run.

    Raises:
        UsageError: We may not write there, or it holds something else.
    """
    before = prepare(root, wanted, on_existing)
    if on_existing != "replace":
        check_record(root, wanted, before.record)
    journal = Journal(root)
    try:
        merged = journal.merged()
        if on_existing == "replace":
            record = before.now(root, wanted)
            receipts = [*(record.receipts if record else {}).values(), *merged.receipts.values()]
            left = [each.target for each in receipts if _is_of(each, root, wanted)]
            _remove(root, [*left, *(record.shared if record else ()), wanted.record])
            output = Output(root, record, {}, journal)
        else:
            output = with_all(root, wanted, before, merged, journal)
        journal.absorb()
        yield output
    except BaseException:
        journal.close()
        raise
    journal.finish()


@dataclass(frozen=True, slots=True)
class Before:
    """What was in a folder before it was locked: nothing, or perhaps a record."""

    is_new: bool
    record: Record | None = None
    stamp: tuple[int, ...] = ()

    def now(self, root: Path, wanted: Wanted) -> Record | None:
        """Return the record, read again where a run that ended since has written another."""
        is_same = _stamp(root / wanted.record) == self.stamp
        return self.record if is_same else _record_of(root, wanted.record)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def prepare(root: Path, wanted: Wanted, on_existing: OnExisting) -> Before:
    """Check that we may write into ``root``; return what is there."""
    inside, outside = root.resolve(), wanted.source.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        msg = f"{root}: output and source lie in one another; choose a folder outside the source"
        raise UsageError(msg)
    if root.exists() and not root.is_dir():
        msg = f"{root}: not a folder; choose another output folder"
        raise UsageError(msg)
    if not root.is_dir() or not any(root.iterdir()):
        return Before(is_new=True)
    if on_existing == "error":
        msg = f"{root}: the output folder is not empty"
        raise UsageError(msg)
    stamp = _stamp(root / wanted.record)
    record = _record_of(root, wanted.record)
    if record is None and not (root / STATE).is_dir() and not _is_ours(root):
        msg = f"{root}: the output folder is not empty and not ours; choose a new or empty folder"
        raise UsageError(msg)
    return Before(is_new=False, record=record, stamp=stamp)


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


def with_all(
    root: Path, wanted: Wanted, before: Before, merged: Merged, journal: Journal
) -> Output:
    """Return what is there by the record and by what was merged, which is newer.

    The record is read last: who removes a part has written it into the record before.
    """
    check_same(root, wanted, wanted.dataset, merged.receipts)
    record = before.now(root, wanted)
    check_record(root, wanted, record)
    receipts = {**(record.receipts if record else {}), **merged.receipts}
    return Output(root, record, receipts, journal, merged.failures, merged.participants)


def check_record(root: Path, wanted: Wanted, record: Record | None) -> None:
    """Refuse a tree of another source."""
    if record is not None:
        check_same(root, wanted, record.dataset, record.receipts)


def check_same(root: Path, wanted: Wanted, dataset: str, written: Iterable[str]) -> None:
    """Refuse to mix two sources in one tree."""
    strays = sorted(set(written) - wanted.targets)
    if dataset != wanted.dataset or strays:
        what = f", such as {strays[0]}, which this source does not give" if strays else ""
        msg = (
            f"{root}: holds files made of {dataset!r} from another source{what}; choose another "
            "folder, or --on-existing replace, also if files have left the source"
        )
        raise UsageError(msg)


def _is_of(receipt: Receipt, root: Path, wanted: Wanted) -> bool:
    """Say whether a file may be removed: it has to give way, or holds what the receipt says.

    Somebody may have put a record or a part there that names files which are not ours.
    """
    return receipt.target in wanted.targets or holds(receipt, root)


def _remove(root: Path, targets: Iterable[str]) -> None:
    """Remove what an earlier run wrote by its own record, and nothing else."""
    for target in targets:
        if remove_file(root, target):
            for parent in (root / target).parents:
                if parent == root or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()
