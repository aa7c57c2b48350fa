"""What was done so far: receipts of files that were written, in the order in which they came.

While jobs run, receipts are appended to a journal by the parent process alone; a torn last line
is ignored. At the end they become a record of the pipeline, which holds no clock, no host and no
user, and the journal goes. A journal that is still there tells of a run that was cut off.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..records.receipts import Receipt
from . import gate, parts
from .gate import STAGING, STATE, Gate
from .parts import Failure, Left, Note, left, line_of, notes


@dataclass(frozen=True, slots=True)
class Merged:
    """What runs before this one noted: receipts and failures by target, participants of parts.

    ``unsettled`` are those whose run was cut off, or is on, and did not come again to its end;
    an empty label stands for those of a part that does not say yet.
    """

    receipts: Mapping[str, Receipt]
    failures: Mapping[str, str]
    participants: frozenset[str]
    unsettled: frozenset[str]


class Journal:
    """Receipts of the run that is on. Holding it open keeps other runs out.

    What a run that was cut off had half written is cleared away, unless others may be ``beside``.

    Raises:
        UsageError: Another run writes there, or the place of the journal leads somewhere else.
    """

    def __init__(self, root: Path, *, beside: bool = False) -> None:
        self.root = root
        self._gate = Gate(root, alone=True)
        self._taken: list[Left] = []
        try:
            if not beside:
                shutil.rmtree(root / STAGING, ignore_errors=True)
            gate.make_folder(root / STAGING)
        except BaseException:
            self.close()
            raise

    @property
    def is_sure(self) -> bool:
        """Say whether the file system tells that no other run is on."""
        return self._gate.is_sure

    @property
    def is_needed(self) -> bool:
        """Say whether other runs left something here that a later one goes on from."""
        return any(True for _ in self._noted()) or bool(self._taken)

    def earlier(self) -> Iterator[Receipt]:
        """Read the receipts of runs that were cut off or have not been merged."""
        yield from (note for note in self._noted() if isinstance(note, Receipt))

    def _noted(self) -> Iterator[Note]:
        """Read the journal, and then the parts, which are always newer; see :meth:`absorb`."""
        stream = self._gate.stream
        stream.seek(0)
        line = "\n"
        for line in stream:
            yield from notes([line])
        if not line.endswith("\n"):
            stream.write("\n")
        self._taken = left(self.root)
        for each in self._taken:
            yield from notes(each.lines)

    def merged(self) -> Merged:
        """Return what is there, the newest of each file."""
        receipts: dict[str, Receipt] = {}
        failures: dict[str, str] = {}
        for note in self._noted():
            if isinstance(note, Failure):
                failures[note.target] = note.message
            else:
                receipts[note.target] = note
                failures.pop(note.target, None)
        newest = {label: each for each in self._taken for label in each.participants or {""}}
        unsettled = frozenset(label for label, each in newest.items() if not each.is_ended)
        return Merged(receipts, failures, frozenset(newest) - {""}, unsettled)

    def finishing(self) -> None:
        """Tell runs that come that the tables are written now, and they may wait for that."""
        self._gate.finishing()

    def absorb(self) -> None:
        """Put receipts of the parts that were read into the journal, which what follows adds to."""
        for each in self._taken:
            self.append(note for note in notes(each.lines) if isinstance(note, Receipt))
            each.remove()
        self._taken = []

    def append(self, receipts: Iterable[Receipt]) -> None:
        """Add receipts."""
        for receipt in receipts:
            self._gate.stream.write(line_of(receipt))
        self._gate.stream.flush()

    def close(self) -> None:
        """Let go, and keep the journal for the next run."""
        self._gate.close()

    def finish(self) -> None:
        """Remove the journal and the parts that were read: their receipts are in the record now.

        What a run left since, where nothing keeps it out, stays. An open file is closed before its
        folder goes, because a network file system keeps it there under another name.
        """
        for each in self._taken:
            each.remove()
        state = self.root / STATE
        shutil.rmtree(self.root / STAGING, ignore_errors=True)
        parts.remove_folder(self.root)
        with suppress(OSError):
            (self.root / gate.GATE).unlink()
        self.close()
        with suppress(OSError):
            state.rmdir()
