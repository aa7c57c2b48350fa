"""Run a function over many items on a Dask cluster, whose workers may come and go.

Batches go out a few ahead of the workers, and their results come back as they end. Dask runs the
batches of a dead worker again elsewhere. A batch that killed several workers is tried again item
by item, with nothing else in flight, so the guilty one is named and all others succeed.
"""

from __future__ import annotations

import pickle
import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

from distributed import Client, KilledWorker

from ..errors import ClusterError
from .batches import Batch, Batches
from .cluster_client import LOST, connected, hand_over
from .cluster_worker import Done, Shared, pickled_for_others, run_batch
from .workers import Cluster, WorkerDiedError

Common = TypeVar("Common")
Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 3  # batches in flight for each worker: keeps them busy while we note results
_LOOK = 1.0  # seconds between looks at who is there
_ANSWER = 30.0  # seconds that a busy scheduler may take
_FIRST_WORKER = 60.0  # seconds without any worker at the start
_NEXT_WORKER = 600.0  # and later, where a batch system may be slow to replace them
_RESUMES = "the same command goes on where this one stopped"


def run_all(
    function: Callable[[Common, Item], Result],
    shared: Common,
    items: Iterable[Item],
    cluster: Cluster,
    weigh: Callable[[Item], float],
) -> Generator[tuple[Item, Result | WorkerDiedError], None, None]:
    """Yield each item with ``function(shared, item)`` as it comes; see :func:`.pool.run_all`.

    Raises:
        ClusterError: The scheduler cannot be reached or dies, or a worker is not fit.
    """
    todo = Batches(items, weigh)
    if not len(todo):
        return
    with connected(cluster.address) as client:
        run: _Run[Item] = _Run(client, cluster.address, function)
        with run.sharing(shared):
            yield from run.results(todo)


class _Run(Generic[Item]):
    """One run on a cluster."""

    def __init__(self, client: Client, address: str, function: Callable[..., Any]) -> None:
        self._client = client
        self._address = address
        self._function = function
        self._name = f"bidsify-{secrets.token_hex(16)}"
        self._live: dict[Future[Done], Batch[Item]] = {}
        self._tasks: dict[Future[Done], Any] = {}
        self._suspects: deque[Item] = deque()
        self._workers = 0
        self._looked = float("-inf")
        self._seen = time.monotonic()
        self._patience = _FIRST_WORKER

    @contextmanager
    def sharing(self, shared: object) -> Iterator[None]:
        """Give the workers what all items share. None of them works any more at the end."""
        plugin = Shared(shared)
        try:
            self._share(plugin)
            yield
        finally:
            if self._client.status == "running":
                with suppress(ValueError, ClusterError), self._or_lost():  # it was not there
                    self._client.cancel([*self._tasks.values()])
                    self._client.unregister_worker_plugin(self._name)

    def _share(self, plugin: Shared) -> None:
        try:
            with self._or_lost():
                self._client.register_plugin(plugin, name=self._name)
        except (ImportError, AttributeError, pickle.UnpicklingError) as error:
            msg = f"{self._address}: a worker cannot load bidsify: {error}; install it there"
            raise ClusterError(msg) from error

    def results(self, todo: Batches[Item]) -> Iterator[tuple[Item, Any]]:
        """Yield results as they come."""
        while len(todo) or self._live or self._suspects:
            self._look()
            self._send(todo)
            done, _ = wait(self._live, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                yield from self._results_of(future, todo)

    def _send(self, todo: Batches[Item]) -> None:
        while len(todo) and len(self._live) < _AHEAD * max(self._workers, 1):
            self._submit(todo.take(self._workers))
        if self._suspects and not self._live and not len(todo):
            self._submit(Batch((self._suspects.popleft(),), 1.0, alone=True))

    def _submit(self, batch: Batch[Item]) -> None:
        payload, _ = pickled_for_others((self._function, batch.items))
        with self._or_lost():
            task = self._client.submit(run_batch, self._name, payload, pure=False)
        future: Future[Done] = Future()
        self._live[future], self._tasks[future] = batch, task
        loop: Any = self._client.loop
        loop.add_callback(hand_over, task, future)

    def _results_of(self, future: Future[Done], todo: Batches[Item]) -> Iterator[tuple[Item, Any]]:
        batch, _ = self._live.pop(future), self._tasks.pop(future)
        try:
            with self._or_lost():
                done = future.result()
        except KilledWorker:
            if batch.alone:
                yield batch.items[0], WorkerDiedError()
            else:
                self._suspects.extend(batch.items)
            return
        if not batch.alone:
            todo.learn(batch, done.seconds)
        yield from zip(batch.items, done.results, strict=False)  # up to the error
        if done.error is not None:
            raise done.error
        if len(done.results) < len(batch.items):
            raise self._lost()  # somebody removed what we share

    def _look(self) -> None:
        """See who is there, now and then.

        Raises:
            ClusterError: The scheduler is gone, or for long there was no worker.
        """
        now = time.monotonic()
        if self._client.status != "running":
            raise self._lost()
        if now - self._looked < _LOOK:
            return
        with self._or_lost():
            asked: Any = self._client.scheduler
            there = self._client.sync(asked.ncores, callback_timeout=_ANSWER)
        self._looked, self._workers = now, len(there)
        if there:
            self._seen, self._patience = now, _NEXT_WORKER
        elif now - self._seen > self._patience:
            msg = (
                f"{self._address}: no worker for {self._patience:.0f} seconds; start some with "
                f"'dask worker {self._address} --nthreads 1'; {_RESUMES}"
            )
            raise ClusterError(msg)

    @contextmanager
    def _or_lost(self) -> Iterator[None]:
        """Have an error that a dead scheduler causes say so.

        Raises:
            ClusterError: The scheduler is gone.
        """
        try:
            yield
        except (ClusterError, KilledWorker):
            raise
        except Exception as error:
            if isinstance(error, LOST) or self._client.status != "running":
                raise self._lost() from error
            raise

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"{self._address}: the Dask scheduler is gone; once its workers are too, {_RESUMES}"
        )
