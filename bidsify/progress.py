"""Progress of a conversion: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from typing_extensions import Self

    from .jobs import Unit
    from .work import Outcome

_LINE_EVERY = 10.0  # seconds between plain lines
_MINUTE = 60


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
        if self._bar and self._done:
            click.echo(err=True)

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
        """Stop now; or after this unit, where a library swallows the exception."""
        self._interrupted = True
        raise KeyboardInterrupt

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
