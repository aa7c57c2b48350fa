"""What runs in the workers of a Dask cluster: batches of items, one batch at a time.

What a run shares is a plugin of the workers, so that each gets it once, also one that joins late
or takes the place of a dead one. It is unpacked when the first batch comes.
"""

from __future__ import annotations

import asyncio
import io
import pickle
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from ..errors import ClusterError
from ..version import __version__
from .memory import give_back, keep_memory

_LISTED = 20  # names of a folder by which it is known again
_PACKERS = ("isal", "zlib-ng")  # their versions decide the bytes of what is compressed

#: Readers set what the whole process does about warnings, archives share one open file, and memory
#: is counted for one unit: so one batch at a time, however many threads a worker has.
_ALONE = Lock()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a batch: results of its items, in order, up to an error if there was one."""

    results: tuple[Any, ...]
    seconds: float
    error: Exception | None = None


class Shared(WorkerPlugin):
    """What all items of a run share, and whether a worker is fit for it."""

    def __init__(self, shared: object) -> None:
        pickled, paths = pickled_for_others(shared)
        self._packed = zlib.compress(pickled, 1)
        self._software = _software()
        self._looks = {path: look for path in paths if (look := _look(path)) is not None}
        self._fault = ""
        self._stopped = False
        self._unpacked: list[Any] = []

    def setup(self, worker: Worker) -> None:
        """Check that the worker would write what all others write.

        Raises:
            ClusterError: It would not.
        """
        why = _unlike(self._software) or _unseen(self._looks)
        if why:
            self._fault = f"the worker at {worker.address} {why}"
            raise ClusterError(self._fault)

    async def teardown(self, worker: Worker) -> None:
        """Start no more items, wait for the one at hand, and give memory back."""
        del worker
        self._stopped = True
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        with _ALONE:
            self._unpacked.clear()
        give_back()

    def run(self, payload: bytes) -> Done:
        """Run the items of a batch until one raises."""
        results: list[Any] = []
        keep_memory()  # nannies have the C library return each volume to the system
        with _ALONE:
            start = time.perf_counter()
            try:
                self._run(payload, results)
            except Exception as error:  # noqa: BLE001  what was done before must not be lost
                return Done(tuple(results), time.perf_counter() - start, _sendable(error))
            return Done(tuple(results), time.perf_counter() - start)

    def _run(self, payload: bytes, results: list[Any]) -> None:
        if self._fault:
            raise ClusterError(self._fault)
        if not self._unpacked:
            self._unpacked.append(pickle.loads(zlib.decompress(self._packed)))  # noqa: S301  ours
        function, items = pickle.loads(payload)  # noqa: S301
        for item in items:
            if self._stopped:  # nobody waits for the results
                return
            results.append(function(self._unpacked[0], item))


def run_batch(name: str, payload: bytes) -> Done:
    """Run a batch of the run of this name; what Dask calls."""
    shared = get_worker().plugins.get(name)
    return shared.run(payload) if isinstance(shared, Shared) else Done((), 0.0)  # it has ended


def pickled_for_others(value: object) -> tuple[bytes, tuple[Path, ...]]:
    """Return a value for workers with other working folders, and the paths that it holds."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dump(value)
    return stream.getvalue(), tuple(dict.fromkeys(pickler.paths))


class _Pickler(pickle.Pickler):
    """Makes paths absolute on their way, and collects them."""

    def __init__(self, stream: io.BytesIO, protocol: int) -> None:
        super().__init__(stream, protocol)
        self.paths: list[Path] = []

    def reducer_override(self, value: object) -> Any:
        """Pickle a path; see the class."""
        if not isinstance(value, Path):
            return NotImplemented
        path = value.absolute()
        self.paths.append(path)
        return Path, (str(path),)


def _software() -> dict[str, str]:
    return {"bidsify": __version__, **{name: _version(name) for name in _PACKERS}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _look(path: Path) -> int | tuple[str, ...] | None:
    """Return by what a file or folder is known: its size, or some names in it."""
    if path.is_file():
        return path.stat().st_size
    return tuple(sorted(_names(path))[:_LISTED]) if path.is_dir() else None


def _names(path: Path) -> set[str]:
    """List a folder: NFS looks up names in what it remembers of it, but not when it is opened."""
    return {entry.name for entry in path.iterdir()}


def _unlike(wanted: Mapping[str, str]) -> str:
    here = _software()
    for name, number in wanted.items():
        if here[name] != number:
            return f"has {name} {here[name]} where the run has {number}; install the same there"
    return ""


def _unseen(looks: Mapping[Path, int | tuple[str, ...]]) -> str:
    for path, wanted in looks.items():
        if not _sees(path, wanted):
            return (
                f"does not see {path} with what is in it; source and output must be on a file "
                "system that all machines share, under the same paths"
            )
    return ""


def _sees(path: Path, wanted: int | tuple[str, ...]) -> bool:
    try:
        if isinstance(wanted, int):
            return path.is_file() and path.stat().st_size == wanted
        return path.is_dir() and {*wanted} <= _names(path)
    except OSError:  # it may not look there
        return False


def _sendable(error: Exception) -> Exception:
    """Return an error that can be unpickled elsewhere."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001  anything can be wrong with it
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
