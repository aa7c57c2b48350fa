"""A model of a run on a cluster: what waits for what, event by event.

- The *driver* (the process of the command) serves one batch at a time: it packs and sends it, and
  later takes its results and notes them. It keeps three batches for each worker in flight.
- The *scheduler* serves one task at a time.
- A *worker* works on one batch at a time, unit by unit; the seconds of a unit are drawn from those
  that were measured.
- The *file system* serves one request after the other: after each unit come its opens and renames,
  at so many a second, and its bytes, at so many MB/s, for all workers together.

Each of the four is a queue, first come first served. Not in the model: listing and planning
before, tables of all subjects after, workers that start late or die, networks, caches.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from bidsify.engine.batches import Batch, Batches

AHEAD = 3  # batches in flight for each worker, as in bidsify/engine/cluster.py
BUSY = 0.8  # share of its time from which something is called the bound


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured seconds of a task: of the scheduler, and of the driver, which adds some a unit."""

    scheduler: float
    driver: float
    driver_unit: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What is converted: seconds of measured units, seconds of the file system for each, bytes."""

    name: str
    seconds: Sequence[float]
    storage: float
    sent: float

    @property
    def mean(self) -> float:
        """Return the mean seconds of a unit."""
        return sum(self.seconds) / len(self.seconds)


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came out: seconds in all, and the share of them in which each was busy."""

    makespan: float
    tasks: int
    busy: dict[str, float]

    @property
    def efficiency(self) -> float:
        """Return the share of the workers' time that went into units."""
        return self.busy["workers"]

    @property
    def bound(self) -> str:
        """Return what all others wait for: the workers, if they are busy; else who is most so."""
        if self.efficiency >= BUSY:
            return "workers"
        name = max(self.busy, key=lambda one: (one != "workers", self.busy[one]))
        return name if self.busy[name] >= BUSY / 2 else "last batches"


class _Server:
    """Serves one request after the other."""

    def __init__(self) -> None:
        self.free = self.worked = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """Return when a request that comes now is done."""
        self.free = max(self.free, now) + seconds
        self.worked += seconds
        return self.free


def noop(_shared: object, item: object) -> object:
    """Do nothing: what a task costs besides its work."""
    return item


def simulate(kind: Kind, costs: Costs, units: int, workers: int, batch: int | None) -> Simulated:
    """Run so many units through the queues; ``batch`` is a number of units, none: as bidsify."""
    run = _Run(kind, costs, units, workers, batch)
    for _ in range(AHEAD * workers):
        run.send(0.0)
    while run.events:
        now, _, what, about = heapq.heappop(run.events)
        getattr(run, what)(now, *about)
        run.begin(now)
    busy = {
        "workers": run.working / workers / run.end,
        "scheduler": run.scheduler.worked / run.end,
        "driver": run.driver.worked / run.end,
        "file system": run.storage.worked / run.end,
    }
    return Simulated(run.end, run.tasks, busy)


class _Run:
    """What is under way. Each event has a method, which is called with the time."""

    def __init__(
        self, kind: Kind, costs: Costs, units: int, workers: int, batch: int | None
    ) -> None:
        self.kind, self.costs, self.workers, self.size = kind, costs, workers, batch
        self.rng = Random(1)  # noqa: S311  a simulation, the same each time
        self.todo = Batches(range(units), lambda _: kind.mean)
        self.left, self.tasks, self.idle = units, 0, workers
        self.working = self.end = 0.0
        self.driver, self.scheduler, self.storage = _Server(), _Server(), _Server()
        self.waiting: deque[int] = deque()  # batches that no worker has begun, as numbers of units
        self.events: list[tuple[float, int, str, tuple[float, ...]]] = []
        self._number = count()

    def _push(self, when: float, what: str, *about: float) -> None:
        heapq.heappush(self.events, (when, next(self._number), what, about))

    def send(self, now: float) -> None:
        """Have the driver send the next batch, if there is one."""
        if not self.left:
            return
        taken = len(self.todo.take(self.workers).items) if self.size is None else self.size
        size = min(taken, self.left)
        self.left, self.tasks = self.left - size, self.tasks + 1
        seconds = self.costs.driver + size * self.costs.driver_unit
        self._push(self.driver.serve(now, seconds), "sent", size)

    def sent(self, now: float, size: float) -> None:
        """Have the scheduler take a batch."""
        self._push(self.scheduler.serve(now, self.costs.scheduler), "ready", size)

    def ready(self, _now: float, size: float) -> None:
        """Have a batch wait for a worker."""
        self.waiting.append(int(size))

    def begin(self, now: float) -> None:
        """Have idle workers begin batches that wait."""
        while self.waiting and self.idle:
            self.idle -= 1
            size = self.waiting.popleft()
            self._push(now, "unit", size, size, now)

    def unit(self, now: float, size: float, rest: float, start: float) -> None:
        """Work on the next unit of a batch, or end it."""
        if rest:
            seconds = self.rng.choice(self.kind.seconds)
            self.working += seconds
            self._push(now + seconds, "made", size, rest - 1, start)
            return
        self.idle += 1
        self.end = max(self.end, now)
        if self.size is None:
            self.todo.learn(Batch((), size * self.kind.mean), now - start)
        self.send(now)

    def made(self, now: float, *about: float) -> None:
        """Have the file system take what a unit reads and writes."""
        self._push(self.storage.serve(now, self.kind.storage), "unit", *about)
