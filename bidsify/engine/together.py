"""Several runs, each on some participants, write into one folder; who is last writes the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UsageError
from ..records.receipts import Receipt
from .gate import BusyError
from .journal import Journal
from .output import OnExisting, Output, Wanted, check_record, check_same, prepare, with_all
from .parts import Part


@contextmanager
def open_part(
    root: Path, wanted: Wanted, on_existing: OnExisting, participants: Collection[str]
) -> Iterator[Output]:
    """Open a folder to write files of some participants into, while others do so with theirs.

    What was noted stays in a part of the state, which :func:`open_left` reads.

    Raises:
        UsageError: We may not write there, or it holds something else.
    """
    before = prepare(root, wanted, on_existing)
    check_record(root, wanted, before.record)
    part = Part(root, wanted.dataset, participants)
    try:
        earlier = {n.target: n for n in part.earlier() if isinstance(n, Receipt)}
        record = before.now(root, wanted)
        check_record(root, wanted, record)
        check_same(root, wanted, wanted.dataset, earlier)
    except BaseException:
        part.discard()
        raise
    try:
        yield Output(root, record, {**(record.receipts if record else {}), **earlier}, part)
    except BaseException:
        part.close()
        raise
    part.end()


@contextmanager
def open_left(root: Path, wanted: Wanted, *, is_last: bool) -> Iterator[Output | None]:
    """Open what runs on some participants left, to write what belongs to all of them.

    None where it ``is_last`` that wants to end the work by itself, and is not: others write, or
    a part has no end, be it cut off or that of a run on a machine that shares no locks with this.

    Raises:
        UsageError: There is nothing of ours, it is of something else, or another run is on.
    """
    before = prepare(root, wanted, "resume")
    if before.is_new:
        msg = f"{root}: there is nothing to finalize; run the tasks first"
        raise UsageError(msg)
    check_record(root, wanted, before.record)
    try:
        journal = Journal(root, beside=True)
    except BusyError:
        if not is_last:
            raise
        yield None
        return
    try:
        journal.finishing()
        merged = journal.merged()
        if is_last and (merged.unsettled or not journal.is_sure):
            journal.close()
            yield None
            return
        yield with_all(root, wanted, before, merged, journal)
    except BaseException:
        journal.close()
        raise
    journal.finish()
