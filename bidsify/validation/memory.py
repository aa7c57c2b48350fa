"""What earlier validations read, for what has not changed since: the file of ``--cache``.

Kept is the summary of one image, which its own bytes decide and nothing else; an image is the same
while size, both times and inode are. Kept too are whole visits of subjects, see :mod:`.visits`.
What follows from either, by anything else, is found anew each time, so nothing that is kept can
hide an error.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..errors import UsageError
from ..version import __version__
from . import stamps

if TYPE_CHECKING:
    from .checks.summary import Summary

#: Size, time of modification, time of change, inode: of the file that a link leads to.
Stamp = tuple[int, int, int, int]
#: As JSON holds it: a stamp, whether it is an image of labels, and the summary.
Entry = list[Any]

_MOST = 1000  # different values of an image that are kept
_STAMP = 4


@dataclass(slots=True)
class Memory:
    """What is known of images, by their paths, and what was ``met`` this time.

    ``started`` is when, in nanoseconds.
    """

    known: Mapping[str, Entry]
    started: int
    met: dict[str, Entry] = field(default_factory=dict)

    def recall(self, path: str, stamp: Stamp, *, is_of_labels: bool) -> Summary | None:
        """Return the summary of an image, if it is still the same."""
        entry = self.known.get(path)
        if entry is None or entry[: _STAMP + 1] != [*stamp, is_of_labels]:
            return None
        from .checks.summary import Summary  # noqa: PLC0415  numpy takes 0.1 s

        self.met[path] = entry
        voxels, not_finite, least, most, is_empty, counts, is_complete = entry[_STAMP + 1 :]
        values = {_number(value): count for value, count in counts}
        ends = _number(least), _number(most)
        return Summary(voxels, not_finite, *ends, is_empty, values, is_complete)

    def keep(self, path: str, stamp: Stamp, summary: Summary, *, is_of_labels: bool) -> None:
        """Keep a summary, unless the image may have changed since validation began."""
        if stamp[2] + stamps.MARGIN < self.started and len(summary.counts) <= _MOST:
            counts = [[_text(value), count] for value, count in summary.counts.items()]
            ends = _text(summary.least), _text(summary.most)
            self.met[path] = [
                *stamp, is_of_labels, summary.voxels, summary.not_finite, *ends,
                summary.is_empty, counts, summary.is_complete,
            ]  # fmt: skip

    @staticmethod
    def stamp(location: str) -> Stamp | None:
        """Look at a file; None where that fails."""
        try:
            status = os.stat(location)  # noqa: PTH116  100,000 files
        except OSError:
            return None
        return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@dataclass(slots=True)
class Notes:
    """What is known of a dataset, by folder at its root: a JSON text each; "" is the root itself.

    ``met`` is what is known afterwards; ``started`` is when, in nanoseconds.
    """

    known: Mapping[str, str]
    started: int
    met: dict[str, str] = field(default_factory=dict)

    def at_root(self) -> Memory:
        """Return what is known of images that lie directly at the root."""
        return Memory(orjson.loads(self.known.get("", "{}")), self.started)

    def renew(
        self, folders: Iterable[str], changed: Mapping[str, str], memory: Memory, *, is_sure: bool
    ) -> None:
        """Keep what has changed, what ``memory`` met at the root, and all else as it was.

        Where it is not sure that the root stood still meanwhile, all is kept as it was.
        """
        if not is_sure:
            self.met = dict(self.known)
            return
        if memory.met:
            self.met[""] = orjson.dumps(memory.met).decode()
        for name in folders:
            if text := changed.get(name, self.known.get(name, "")):
                self.met[name] = text


class Cache:
    """A file with what is known of any number of datasets.

    One that is damaged, or that another version wrote, counts as empty.

    Raises:
        UsageError: ``path`` lies in the dataset at ``root``, or is no place for a file.
    """

    def __init__(self, path: Path, root: Path) -> None:
        if path.resolve().is_relative_to(root.resolve()) or path.is_dir():
            msg = f"{path}: a folder, or in the dataset itself; name a file outside of it"
            raise UsageError(msg)
        self._path = path
        self._beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._started = self._clock()
        self._datasets = _read(path)

    def open(self, root: str) -> Notes:
        """Return what is known of a dataset."""
        return Notes(self._datasets.get(os.path.realpath(root), {}), self._started)

    def close(self, root: str, notes: Notes) -> None:
        """Note what was met, and forget the rest."""
        self._datasets[os.path.realpath(root)] = notes.met

    def save(self) -> None:
        """Write the file at once or not at all.

        Raises:
            UsageError: It cannot be written.
        """
        body = orjson.dumps(self._datasets, option=orjson.OPT_SORT_KEYS)
        with self._writing():
            self._beside.write_bytes(_head(body) + body)
            self._beside.replace(self._path)

    def _clock(self) -> int:
        """Return the time by the clock of the file system, and see that one may write there."""
        with self._writing():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._beside.write_bytes(b"")
            now = self._beside.stat().st_ctime_ns
            self._beside.unlink()
        return now

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"{self._path}: cannot be written: {error.strerror}; name another file"
            raise UsageError(msg) from error


def _head(body: bytes) -> bytes:
    """Return the first line of a cache, which tells other versions and damage."""
    digest = hashlib.sha256(body).hexdigest()
    return orjson.dumps({"bidsify_version": __version__, "sha256": digest}) + b"\n"


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if head + b"\n" != _head(body):
        return {}
    found: dict[str, dict[str, str]] = orjson.loads(body)
    return found


def _text(value: float) -> int | str:
    return value if isinstance(value, int) else value.hex()


def _number(value: int | str) -> float:
    return value if isinstance(value, int) else float.fromhex(value)
