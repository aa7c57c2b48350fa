"""What all subjects of a dataset depend on, told by what it holds."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import stat
import sys
from pathlib import Path

import orjson

from .dataset import PEOPLE_NAME, Dataset

_LARGEST = 1 << 24  # bytes of a file at the root; with a larger one nothing is kept
# Nothing below the root reads these: it is enough that they are there.
_APART = frozenset({PEOPLE_NAME, "README", "README.md", "CHANGES", "LICENSE", "CITATION.cff"})


class Ground:
    """All that each subject of a dataset depends on: files at the root, options, programs, user.

    ``key`` is a digest of it, None where it cannot be had.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._root = dataset.root.location
        self._times = self._look()
        self.key = None if self._times is None else self._digest(dataset)

    @property
    def is_unchanged(self) -> bool:
        """Say whether the files are still those that were hashed."""
        return self._times == self._look()

    def _look(self) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
        """Return names and stamps of what lies at the root but is no folder."""
        found = []
        try:
            with os.scandir(self._root) as entries:
                for entry in entries:
                    if entry.is_dir():
                        continue
                    status = entry.stat()
                    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                        return None
                    times = status.st_mtime_ns, status.st_ctime_ns
                    found.append((entry.name, (status.st_size, *times, status.st_ino)))
        except OSError:
            return None
        return tuple(sorted(found))

    def _digest(self, dataset: Dataset) -> str | None:
        digest = hashlib.sha256(orjson.dumps([_programs(), _user(), dataset.options.of_headers]))
        digest.update(orjson.dumps(dataset.rulebook.schema))
        for name, _ in self._times or ():
            try:
                body = b"" if name in _APART else Path(self._root, name).read_bytes()
            except OSError:
                return None
            named = name.encode("utf-8", "surrogateescape")
            digest.update(b"%d %d " % (len(named), len(body)) + named + body)
        return digest.hexdigest()


def _programs() -> list[str]:
    """Return what tells this program, file by file, and those that it asks."""
    package = Path(__file__).parents[1]
    files = sorted(path for path in package.rglob("*") if path.suffix not in {"", ".pyc"})
    stamps = [(path, path.stat()) for path in files]
    own = [f"{path} {status.st_size} {status.st_mtime_ns}" for path, status in stamps]
    return [*own, sys.version, orjson.__version__, _version("hedtools"), _version("numpy")]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _user() -> list[int]:
    """Return who asks, as far as permissions go by that."""
    if sys.platform == "win32":
        return []
    return [os.geteuid(), os.getegid(), *sorted(os.getgroups())]
