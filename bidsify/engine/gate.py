"""Who writes into a folder now: one run alone, or runs on other participants side by side.

Locks serve to tell users what goes on, and the last of several runs to end the work by itself.
Nothing is lost where a file system has none, or has them for each machine apart: each run on
some participants keeps a journal of its own (:mod:`.parts`), and files are renamed into place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO, Literal

from ..errors import UsageError

STATE = ".bidsify"
GATE = f"{STATE}/receipts.jsonl"
PARTS = f"{STATE}/parts"
STAGING = f"{STATE}/staging"
#: The last line of the gate while tables are written, which does not take long.
FINISHING = json.dumps({"finishing": True}) + "\n"

#: What came of locking: it is ours, another has it, or nobody can say.
Answer = Literal["ours", "refused", "unknown"]
_REFUSED = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})
_UNKNOWN = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})
_PAUSE = 0.2  # seconds
_PAUSES = 3000  # to wait for the tables of others
_FEW = 5  # in which others have let go, or have said that they write the tables
_TRIES = 100  # to make a folder that others remove

_LOCKED: set[int] = set()  # descriptors that this process holds locks on


class BusyError(UsageError):
    """Another run writes there."""


def _let_go() -> None:
    """Close what was inherited: a worker that outlives its parent must not hold the lock."""
    for descriptor in _LOCKED:
        os.close(descriptor)
    _LOCKED.clear()


os.register_at_fork(after_in_child=_let_go)


def lock(stream: IO[str], how: int) -> Answer:
    """Lock a file; where that is not supported nobody can say who else holds it."""
    try:
        fcntl.flock(stream, how)
    except OSError as error:
        if error.errno in _REFUSED:
            return "refused"
        if error.errno in _UNKNOWN:
            return "unknown"
        raise
    return "ours"


def hold(stream: IO[str]) -> None:
    """Have workers that are forked from now on let go of a file."""
    _LOCKED.add(stream.fileno())


def let_go(stream: IO[str]) -> None:
    """Close a file, and with it its lock."""
    if not stream.closed:
        _LOCKED.discard(stream.fileno())
        stream.close()


def is_there(stream: IO[str], path: Path) -> bool:
    """Say whether an open file still is the one at ``path``; another run may have removed it."""
    try:
        own, named = os.fstat(stream.fileno()), path.lstat()
    except OSError:
        return False
    return (own.st_dev, own.st_ino) == (named.st_dev, named.st_ino)


def opened(path: Path, flags: int = 0) -> IO[str]:
    """Open a journal to read and to append to; what is no text in it is replaced."""
    flags |= os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o666)
    return os.fdopen(descriptor, "a+", encoding="utf-8", errors="replace")


def _require_own(root: Path) -> None:
    """Refuse a state that is not in the tree itself: it would be written, and then removed, there.

    Raises:
        UsageError: A link or something else is in the place of a folder or file of ours.
    """
    folders = ((name, stat.S_ISDIR) for name in (STATE, STAGING, PARTS))
    for name, is_right in (*folders, (GATE, stat.S_ISREG)):
        place = root / name
        with suppress(FileNotFoundError):  # one look: others remove it when they end
            if not is_right(place.lstat().st_mode):
                msg = (
                    f"{place}: a link, or nothing of ours, is in the place of our state; remove it"
                )
                raise UsageError(msg)


def make_folder(path: Path) -> None:
    """Make a folder of the state, which a run that ends may remove at the same time."""
    for _ in range(_TRIES):
        with suppress(FileExistsError, FileNotFoundError):
            path.mkdir(parents=True, exist_ok=True)
            return
    path.mkdir(parents=True, exist_ok=True)


class Gate:
    """Keeps out who may not write at the same time: all others, or who wants to be ``alone``.

    ``is_sure`` says that the file system locks; without that nobody is ever known to be alone.

    Raises:
        BusyError: Another run is on.
        UsageError: The place of the state leads somewhere else.
    """

    def __init__(self, root: Path, *, alone: bool) -> None:
        self._path = root / GATE
        pauses = 0
        while (answer := self._try(root, alone=alone)) == "refused":
            if alone or pauses >= (_PAUSES if _is_finishing(self._path) else _FEW):
                msg = f"{root}: another run is writing here; wait until it ends"
                raise BusyError(msg)
            pauses += 1
            Event().wait(_PAUSE)
        self.is_sure = answer == "ours"
        hold(self.stream)
        if alone and _is_finishing(self._path):  # said by a run that was cut off
            self._say("\n")

    def _try(self, root: Path, *, alone: bool) -> Answer:
        """Open and lock; again, where a run that ended has removed what was opened."""
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        while True:
            _require_own(root)
            make_folder(root / STATE)
            try:
                self.stream = opened(self._path)
            except FileNotFoundError:  # the folder was removed just now
                continue
            try:
                answer = lock(self.stream, how | fcntl.LOCK_NB)
                if answer != "refused" and is_there(self.stream, self._path):
                    return answer
            except BaseException:
                self.stream.close()
                raise
            self.stream.close()
            if answer == "refused":
                return answer

    def finishing(self) -> None:
        """Tell those who come that it will not take long."""
        self._say(f"\n{FINISHING}")

    def _say(self, line: str) -> None:
        self.stream.write(line)
        self.stream.flush()
        os.fsync(self.stream.fileno())  # a network file system keeps it to itself else

    def close(self) -> None:
        """Let others in."""
        let_go(self.stream)


def _is_finishing(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - len(FINISHING)))
            return stream.read() == FINISHING.encode()
    except FileNotFoundError:  # it has ended
        return True
