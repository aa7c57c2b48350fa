"""Run a function over many items: inline, in processes that may die, or on a cluster.

A pool of the standard library loses all its tasks when one worker is killed. Here only the
tasks in flight are tried again, one at a time, so the one that kills its worker is named and
all others succeed.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection
from threading import Thread
from typing import Any, TypeVar

from ..collecting import frozen
from .memory import keep_memory
from .workers import Cluster, WorkerDiedError, Workers

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST = 4  # workers for each processor: more only cost memory
_AHEAD = 3  # tasks submitted for each worker: keeps them busy, bounds what a death costs


def run_all(
    function: Callable[[Shared, Item], Result],
    shared: Shared,
    items: Iterable[Item],
    workers: Workers,
    weigh: Callable[[Item], float] = lambda _: 0.02,
) -> Generator[tuple[Item, Result | WorkerDiedError], None, None]:
    """Yield each item with ``function(shared, item)`` as it comes.

    ``shared`` goes to each process once. One worker means this process. All three must be
    picklable. Who does not take all results must close it, which waits for the processes.
    ``weigh`` guesses the seconds that an item takes: on a cluster, small ones go together.
    """
    if isinstance(workers, Cluster):
        from . import cluster  # noqa: PLC0415  an extra, which takes half a second

        yield from cluster.run_all(function, shared, items, workers, weigh)
        return
    workers = min(workers, _MOST * (os.cpu_count() or 1))
    if workers > 1:
        items = todo = deque(items)
        workers = min(workers, len(todo))
    if workers <= 1:
        for item in items:
            yield item, function(shared, item)
        return
    suspects: deque[Item] = deque()
    while todo or suspects:
        queue, count = (suspects, 1) if suspects else (todo, workers)
        start = partial(ProcessPoolExecutor, count, initializer=_begin, initargs=(shared,))
        with frozen():
            yield from _drain(function, start(), queue, suspects, count)


def _drain(
    function: Callable[[Shared, Item], Result],
    executor: ProcessPoolExecutor,
    queue: deque[Item],
    suspects: deque[Item],
    count: int,
) -> Generator[tuple[Item, Result | WorkerDiedError], None, None]:
    """Work off ``queue`` with one pool; what was in flight when it broke becomes suspect."""
    alone = count == 1
    live: dict[Future[Result], Item] = {}
    try:
        while queue or live:
            while queue and len(live) < (1 if alone else count * _AHEAD):
                live[executor.submit(_call, function, queue[0])] = queue[0]
                queue.popleft()  # only now: submitting fails where a worker has just died
            done, _ = wait(live, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield live.pop(future), result
    except BrokenProcessPool:
        for future, item in live.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                yield item, future.result()
            elif alone:
                yield item, WorkerDiedError()
            else:
                suspects.append(item)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


_SHARED: list[Any] = []  # of this worker process


def _begin(shared: object) -> None:
    """Prepare a worker.

    It leaves Ctrl-C to the parent, which lets running jobs end and starts no more. What is
    shared is copied, because a forked process would otherwise use the open files of its parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    keep_memory()
    _SHARED[:] = [pickle.loads(pickle.dumps(shared))]  # noqa: S301  our own object


def _end_with_parent() -> None:
    """Wait for the end of the parent: a worker whose parent was killed would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _call(function: Callable[[Any, Item], Result], item: Item) -> Result:
    return function(_SHARED[0], item)
