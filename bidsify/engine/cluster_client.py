"""The connection to the scheduler of a Dask cluster, of which users hear nothing but our errors."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import dask
from distributed import Client

from ..errors import ClusterError

Result = TypeVar("Result")

_CONNECTING = 5.0  # seconds
_LEAVING = 2.0
_TALKERS = frozenset({"distributed", "tornado", "asyncio", "concurrent"})
#: What calls of a dead scheduler end in; the errors of asyncio are others before Python 3.11.
LOST = (OSError, TimeoutError, asyncio.TimeoutError, CancelledError)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect, and let nobody but us speak of what happens to the connection.

    Raises:
        ClusterError: Nobody answers.
    """
    timeouts = {
        "distributed.comm.timeouts.connect": f"{_CONNECTING}s",
        "distributed.comm.timeouts.tcp": "15s",
        "distributed.comm.retry.count": 0,
    }
    with dask.config.set(timeouts), _silence():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions; those that matter are checked
            try:
                client = _Connection(address)
            except Exception as error:
                msg = (
                    f"{address}: no Dask scheduler answers there; start one, or mend the address; "
                    "the same command then goes on"
                )
                raise ClusterError(msg) from error
        try:
            yield client
        finally:
            client.leave()


class _Connection(Client):
    """A client of which nothing is heard when it has left, or could not connect."""

    def __init__(self, address: str) -> None:
        """Connect, or raise any error."""
        try:
            Client.__init__(self, address, timeout=_CONNECTING, set_as_default=False)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Close, whoever is still there."""
        try:
            with suppress(Exception):
                Client.close(self, timeout=_LEAVING)
        finally:
            self.status = "closed"  # else it tries again, and complains, when it is collected


@contextmanager
def _silence() -> Iterator[None]:
    """Have the loggers of Dask and of what it builds on say nothing.

    Each of them by itself: Dask sets levels of its own for some, such as tornado.application.
    """
    named = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _TALKERS]
    loggers = [logging.getLogger(name) for name in {*named, *_TALKERS}]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)


async def hand_over(task: Any, future: Future[Result]) -> None:
    """Tell how a task of Dask ended, also where its result could not be fetched.

    The executor of Dask never ends such a future.
    """
    try:
        future.set_result(await task)
    except Exception as error:  # noqa: BLE001  who waits for it judges
        future.set_exception(error)
