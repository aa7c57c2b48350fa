"""Many items as tasks of a size that a scheduler can serve: some seconds of work each, or less.

A scheduler needs a few milliseconds for a task, one after the other. So the more workers wait for
it, the larger a task must be; and the less is left to do, the smaller, so that all end together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

TASK_SECONDS = 0.004  # what a task costs the scheduler
_USUAL = 1.0  # seconds of work in a batch, on clusters that a scheduler serves with ease
_LEAST = 0.05
_MOST_ITEMS = 500  # bounds what a batch of trifles costs to send
_LEARNING = 0.2  # weight of the last batch in what is thought of the pace


@dataclass(frozen=True, slots=True)
class Batch(Generic[Item]):
    """Items of one task, and how much work they are by their own estimates, in seconds.

    ``alone`` is for what must not be in flight beside others.
    """

    items: tuple[Item, ...]
    weight: float
    alone: bool = False


class Batches(Generic[Item]):
    """Deals items out, in their order.

    ``weigh`` guesses the seconds that an item takes; only ratios count in the long run, as the
    pace is learned from how long batches took.
    """

    def __init__(self, items: Iterable[Item], weigh: Callable[[Item], float]) -> None:
        self._left = deque((item, max(weigh(item), 1e-6)) for item in items)
        self._weight = sum(weight for _, weight in self._left)
        self._pace = 1.0  # real seconds for each second of weight
        self._learned = False

    def __len__(self) -> int:
        """Return the number of items that are left."""
        return len(self._left)

    def take(self, workers: int) -> Batch[Item]:
        """Return the next batch for one of so many workers; at least one item."""
        seconds = self._seconds(workers) / self._pace
        taken: list[Item] = []
        weight = 0.0
        while self._left and len(taken) < _MOST_ITEMS:
            item, more = self._left[0]
            if taken and weight + more > seconds:
                break
            self._left.popleft()
            taken.append(item)
            weight += more
        self._weight -= weight
        return Batch(tuple(taken), weight)

    def learn(self, batch: Batch[Item], seconds: float) -> None:
        """Note how long a batch took."""
        measured = max(seconds / batch.weight, 1e-6)
        rate = _LEARNING if self._learned else 1.0
        self._pace += rate * (measured - self._pace)
        self._learned = True

    def _seconds(self, workers: int) -> float:
        """Return how long the next batch should take."""
        served = workers * TASK_SECONDS  # the scheduler comes round to each worker in this time
        most = max(_USUAL, 2 * served) if self._learned else max(_USUAL / 4, served)
        share = self._weight * self._pace / (2 * max(workers, 1))
        return max(min(most, share), _LEAST, served)
