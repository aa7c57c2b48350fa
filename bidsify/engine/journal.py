"""What was done so far: receipts of files that were written, in the order in which they came.

While jobs run, receipts are appended to a journal by the parent process alone; a torn last line
is ignored. At the end they become a record of the pipeline, which holds no clock, no host and no
user, and the journal goes. A journal that is still there tells of a run that was cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ..errors import UsageError
from ..records.receipts import Receipt, receipt_entry, receipt_from

STATE = ".bidsify"
_JOURNAL = f"{STATE}/receipts.jsonl"
STAGING = f"{STATE}/staging"


_LOCKED: set[int] = set()  # descriptors of the journals that this process holds


def _let_go() -> None:
    """Close inherited journals: a worker that outlives its parent must not hold the lock."""
    for descriptor in _LOCKED:
        os.close(descriptor)
    _LOCKED.clear()


os.register_at_fork(after_in_child=_let_go)


def _require_own(root: Path) -> None:
    """Refuse a state that is not in the tree itself: it would be written, and then removed, there.

    Raises:
        UsageError: A link or something else is in the place of a folder or file of ours.
    """
    for name, is_right in ((STATE, Path.is_dir), (STAGING, Path.is_dir), (_JOURNAL, Path.is_file)):
        place = root / name
        if place.is_symlink() or (place.exists() and not is_right(place)):
            msg = f"{place}: a link, or nothing of ours, is in the place of our state; remove it"
            raise UsageError(msg)


class Journal:
    """Receipts of the run that is on. Holding it open keeps other runs out.

    Raises:
        UsageError: Another run writes there, or the place of the journal leads somewhere else.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        _require_own(root)
        (root / STATE).mkdir(parents=True, exist_ok=True)
        path = root / _JOURNAL
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        self._stream: IO[str] = os.fdopen(descriptor, "a+", encoding="utf-8", errors="replace")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._stream.close()
            msg = f"{root}: another run is writing here; wait until it ends"
            raise UsageError(msg) from error
        _LOCKED.add(self._stream.fileno())
        shutil.rmtree(root / STAGING, ignore_errors=True)
        (root / STAGING).mkdir()

    def earlier(self) -> Iterator[Receipt]:
        """Read the receipts of a run that was cut off; a torn line counts as none."""
        self._stream.seek(0)
        torn = False
        for line in self._stream:
            torn = not line.endswith("\n")
            try:
                yield receipt_from(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
        if torn:
            self._stream.write("\n")

    def append(self, receipts: Iterable[Receipt]) -> None:
        """Add receipts."""
        for receipt in receipts:
            self._stream.write(json.dumps(receipt_entry(receipt)) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Let go, and keep the journal for the next run."""
        _LOCKED.discard(self._stream.fileno())
        self._stream.close()

    def finish(self) -> None:
        """Remove the journal: its receipts are in the record now."""
        shutil.rmtree(self.root / STATE, ignore_errors=True)
        self.close()
