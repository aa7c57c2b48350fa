"""Progress of a conversion: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

import click

from .console import INTERRUPTED

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..engine.jobs import Unit
    from ..engine.work import Outcome

_LINE_EVERY = 10.0  # seconds between plain lines
_MINUTE = 60
_STOPPING = "stopping after the subjects at hand; Ctrl-C again stops at once"


class Progress:
    """Counts units, and stops between them after Ctrl-C; see the module."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._bar = stream.isatty() and not quiet
        self._started = self._told = time.monotonic()
        self._done = 0
        self._failed = 0
        self._bytes = 0
        self._interrupted = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._bar and (self._done or self._interrupted):
            click.echo(err=True)
        if self._interrupted:
            signal.signal(signal.SIGINT, self._interrupt)  # what is left must exit alike
            if kind is None:
                raise KeyboardInterrupt

    def step(self, unit: Unit, outcomes: Sequence[Outcome], done: int, total: int) -> None:
        """Count one unit that ended; ``done`` of ``total``."""
        if self._interrupted:
            raise KeyboardInterrupt
        self._done = done
        self._failed += any(outcome.status == "failed" for outcome in outcomes)
        facts = {
            p: f
            for o in outcomes
            if o.receipt and o.status == "written"
            for p, f in o.receipt.sources
        }
        self._bytes += sum(fact.size for fact in facts.values())
        now = time.monotonic()
        if self._bar:
            self._stream.write(f"\r\x1b[K{self._line(total, now)}  {unit.name}")
            self._stream.flush()
        elif not self._quiet and (now - self._told >= _LINE_EVERY or done == total):
            self._told = now
            click.echo(self._line(total, now), err=True)

    def _interrupt(self, *_: object) -> None:
        """Have ``step`` stop after this unit; the second time stop now, as after a kill.

        An exception from here would come up anywhere: in a finalizer, which loses it and prints
        a traceback, or in a worker that was just forked. And a stream may be in use: no echo.
        """
        if self._interrupted:
            os._exit(INTERRUPTED)
        self._interrupted = True
        if not self._quiet:
            with suppress(OSError):
                os.write(2, (f"\r\x1b[K{_STOPPING}" if self._bar else f"{_STOPPING}\n").encode())

    def _line(self, total: int, now: float) -> str:
        seconds = max(now - self._started, 1e-3)
        left = seconds / self._done * (total - self._done)
        failed = f", {self._failed} failed" if self._failed else ""
        filled = 20 * self._done // max(total, 1)
        bar = f"[{'#' * filled}{'.' * (20 - filled)}] " if self._bar else ""
        return (
            f"{bar}{self._done} of {total} subjects and sessions{failed}, "
            f"{self._bytes / seconds / 1e6:.1f} MB/s, {_clock(left)} left"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
