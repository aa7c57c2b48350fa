"""A pool whose workers may die: no item is lost, none comes twice, and the guilty one is named."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bidsify.engine.pool import run_all
from bidsify.engine.workers import WorkerDiedError

pytestmark = [
    # Python 3.12 warns of any fork while the threads of the test runner are there.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def times(shared: int, item: int) -> int:
    return shared * item


def process_of(_shared: None, _item: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def die_of(deadly: frozenset[int], item: int) -> int:
    if item in deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def die_once(folder: Path, item: int) -> int:
    """Die of the item 3 the first time, as of a machine that was short of memory for a while."""
    mark = folder / "died"
    if item == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def fail_of(deadly: frozenset[int], item: int) -> int:
    if item in deadly:
        msg = f"no {item}"
        raise ValueError(msg)
    return item


def ignores_interrupts(_shared: None, _item: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


class Shared:
    """Counts how often it is pickled, by writing a line each time."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __getstate__(self) -> dict[str, Path]:
        with self.log.open("a") as stream:
            stream.write("x\n")
        return {"log": self.log}


def nothing(_shared: Shared, item: int) -> int:
    return item


def results(found: Iterator[tuple[int, Any]]) -> dict[int, Any]:
    """Return item -> result, after checking that none comes twice."""
    pairs = list(found)
    assert max(Counter(item for item, _ in pairs).values(), default=1) == 1
    return dict(pairs)


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_each_item_comes_with_its_result(workers: int) -> None:
    expected = {item: 7 * item for item in range(20)}
    assert results(run_all(times, 7, range(20), workers)) == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_to_do(workers: int) -> None:
    assert list(run_all(times, 7, [], workers)) == []


def test_one_worker_is_this_process() -> None:
    assert set(results(run_all(process_of, None, range(3), 1)).values()) == {os.getpid()}


def test_two_workers_are_two_others() -> None:
    found = set(results(run_all(process_of, None, range(40), 2)).values())
    assert os.getpid() not in found
    assert len(found) == 2


def test_inline_items_are_taken_one_at_a_time() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(5):
            taken.append(item)
            yield item

    assert next(run_all(times, 1, items(), 1)) == (0, 0)
    assert taken == [0]


@pytest.mark.parametrize(
    "deadly", [{0}, {3}, {19}, {0, 1, 2, 3}, {5, 6, 18}, set(range(20))], ids=str
)
def test_a_death_costs_its_item_alone(deadly: set[int]) -> None:
    found = results(run_all(die_of, frozenset(deadly), range(20), 2))
    assert set(found) == set(range(20))
    assert {item for item, result in found.items() if isinstance(result, WorkerDiedError)} == deadly
    assert all(found[item] == item for item in set(range(20)) - deadly)


def test_a_death_that_does_not_come_again_costs_nothing(tmp_path: Path) -> None:
    assert results(run_all(die_once, tmp_path, range(10), 2)) == {n: n for n in range(10)}
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("deadly", [1, 2, 6, 7])
def test_no_item_is_lost_while_the_caller_is_slow(deadly: int) -> None:
    """The pool may break between two results, while the caller works on the first."""
    found = []
    for item, result in run_all(die_of, frozenset({deadly}), range(14), 2):
        found.append((item, type(result)))
        time.sleep(0.15 if len(found) < 6 else 0)
    assert sorted(item for item, _ in found) == list(range(14))
    assert [item for item, kind in found if kind is WorkerDiedError] == [deadly]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_is_a_bug_and_escapes(workers: int) -> None:
    with pytest.raises(ValueError, match="no 3"):
        list(run_all(fail_of, frozenset({3}), range(10), workers))


def test_a_caller_that_stops_leaves_no_process() -> None:
    found = run_all(process_of, None, range(1000), 2)
    _, pid = next(found)
    found.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_workers_leave_ctrl_c_to_their_parent() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert set(results(run_all(ignores_interrupts, None, range(4), 2)).values()) == {True}
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_shared_goes_to_each_process_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert len(results(run_all(nothing, Shared(log), range(50), 2))) == 50
    assert 1 <= len(log.read_text().split()) <= 4
