"""Runs on some participants, side by side: each has a journal of its own, merged in the end.

The first line of such a part says of whom it is, the last one that its run came to its end. In
between are receipts of files that were written or found to be as they should, and failures. A
part that stops without its last line belongs to a run that is still on, or that was cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import UsageError
from ..records.receipts import Receipt, receipt_entry, receipt_from
from .gate import PARTS, BusyError, Gate, hold, is_there, let_go, lock, make_folder, opened

_END = json.dumps({"end": True}) + "\n"


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that failed, and why."""

    target: str
    message: str


Note = Receipt | Failure


def line_of(note: Note) -> str:
    """Return a line of a journal."""
    if isinstance(note, Failure):
        return json.dumps({"failed": note.target, "message": note.message}) + "\n"
    return json.dumps(receipt_entry(note)) + "\n"


def notes(lines: Iterable[str]) -> Iterator[Note]:
    """Read a journal; a torn line counts as none."""
    return (note for line in lines if (note := _note(line)) is not None)


def _note(line: str) -> Note | None:
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        entry = json.loads(line)
        if isinstance(entry, dict) and "failed" in entry:
            return Failure(str(entry["failed"]), str(entry["message"]))
        return receipt_from(entry)
    return None


@dataclass(frozen=True, slots=True)
class Left:
    """What a run on some participants left, or what it has so far.

    ``number`` is higher than that of all parts before it that have to do with its participants.
    """

    path: Path
    dataset: str
    participants: frozenset[str]
    number: int
    lines: tuple[str, ...]
    size: int

    @property
    def is_ended(self) -> bool:
        """Say whether its run came to its end."""
        return bool(self.lines) and self.lines[-1] == _END

    @property
    def is_live(self) -> bool:
        """Say whether its run is known to be on."""
        try:
            with self.path.open(encoding="utf-8") as stream:
                return lock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB) == "refused"
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Remove it, unless its run is on, or has written more since this was read."""
        with suppress(FileNotFoundError):
            if self.is_ended or (self.path.stat().st_size == self.size and not self.is_live):
                self.path.unlink()


def left(root: Path, wanted: Collection[str] | None = None) -> list[Left]:
    """Return the parts that are there, older ones of the same participants first.

    Of those that have nothing to do with the participants ``wanted``, the first line is read.
    """
    folder = root / PARTS
    if not folder.is_dir():
        return []
    probe = folder / f"{secrets.token_hex(8)}.probe"  # a network file system now lists anew
    with suppress(FileNotFoundError):
        probe.touch()
        probe.unlink()
    read = (_read(path, wanted) for path in folder.glob("*.jsonl"))
    found = [each for each in read if each is not None]
    return sorted(found, key=lambda each: (each.number, each.path.name))


def remove_folder(root: Path) -> None:
    """Remove the folder of parts, if there is none in it."""
    with suppress(OSError):
        for probe in (root / PARTS).glob("*.probe"):
            probe.unlink(missing_ok=True)
        (root / PARTS).rmdir()


def _read(path: Path, wanted: Collection[str] | None) -> Left | None:
    dataset, participants, number = "", frozenset[str](), 0
    try:
        with path.open("rb") as stream:
            first = stream.readline()
            with suppress(ValueError, KeyError, TypeError, RecursionError):
                head: Any = json.loads(first)
                dataset, number = str(head["dataset"]), int(head["number"])
                participants = frozenset(map(str, head["participants"]))
            is_wanted = wanted is None or not participants.isdisjoint(wanted)
            rest = stream.readlines() if is_wanted else []
    except FileNotFoundError:  # a run that has it in its tables removed it just now
        return None
    lines = tuple(line.decode("utf-8", errors="replace") for line in (first, *rest))
    return Left(path, dataset, participants, number, lines, len(first) + sum(map(len, rest)))


def _require_same(root: Path, dataset: str, others: Iterable[Left]) -> None:
    for each in others:
        if each.dataset not in {"", dataset}:
            msg = (
                f"{root}: others make {each.dataset!r} here, and this is {dataset!r}; choose "
                "another folder"
            )
            raise UsageError(msg)


def _refuse_same(root: Path, participants: Collection[str], others: Iterable[Left]) -> None:
    for each in others:
        if each.is_live:
            names = ", ".join(
                f"sub-{label}" for label in sorted(each.participants & {*participants})
            )
            msg = f"{root}: another run is at work on {names} here; wait until it ends"
            raise BusyError(msg)


class Part:
    """Notes of a run on some participants, beside which others may be on.

    Raises:
        BusyError: A run on all participants is on, or one on the same.
        UsageError: Others are at work on another dataset.
    """

    def __init__(self, root: Path, dataset: str, participants: Collection[str]) -> None:
        self.root = root
        self._gate = Gate(root, alone=False)
        try:
            others = left(root, participants)
            _require_same(root, dataset, others)
            self._before = [each for each in others if each.participants & {*participants}]
            _refuse_same(root, participants, self._before)
            number = 1 + max((each.number for each in self._before), default=0)
            head = {"dataset": dataset, "number": number, "participants": sorted(participants)}
            #: All of it: a file that another machine has removed cannot be read again over NFS.
            self._lines = [json.dumps(head) + "\n"]
            self._begin()
        except BaseException:
            self._gate.close()
            raise

    def _begin(self) -> None:
        """Write the journal under a name of its own, as far as there is something to note."""
        self.path = self.root / PARTS / f"{secrets.token_hex(16)}.jsonl"
        stream: IO[str] | None = None
        while stream is None:
            make_folder(self.path.parent)
            with suppress(FileNotFoundError):  # the folder was removed just now
                stream = opened(self.path, os.O_EXCL)
        self._stream = stream
        lock(self._stream, fcntl.LOCK_EX)  # others hold it for a moment, to see whether it is live
        hold(self._stream)
        self._stream.writelines(self._lines)
        self._stream.flush()

    def earlier(self) -> Iterator[Note]:
        """Read what earlier runs noted, on all participants or on these, and were cut off."""
        self._gate.stream.seek(0)
        yield from notes(self._gate.stream)
        for each in self._before:
            yield from notes(each.lines)

    def append(self, noted: Iterable[Note]) -> None:
        """Add notes."""
        lines = [line_of(note) for note in noted]
        self._lines += lines
        self._stream.writelines(lines)
        self._stream.flush()

    def end(self) -> None:
        """Note that the run came to its end, and let go.

        Who merges parts where no locks are may have taken this one for cut off and removed it.
        """
        self._lines.append(_END)
        self._stream.write(_END)
        self._stream.flush()
        if not is_there(self._stream, self.path):
            let_go(self._stream)
            self._begin()
        self.close()

    def discard(self) -> None:
        """Let go, and remove it: there was nothing to note."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go, and keep what was noted."""
        let_go(self._stream)
        self._gate.close()
