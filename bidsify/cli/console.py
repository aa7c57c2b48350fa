"""How the commands talk: verbosity, warnings and errors on stderr, colour."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from ..errors import BidsifyError, TermsError, UsageError
from ..printable import printable

if TYPE_CHECKING:
    from ..conversion.convert import Conversion
    from ..engine.workers import Workers

PROBLEMS, MISUSE, REFUSED, INTERRUPTED = 1, 2, 3, 130  # exit codes
DEBUG = "bidsify.debug"
VERBOSITY = "bidsify.verbosity"
_SHOWN = 20


workers_option = click.option(
    "-j", "--jobs", "workers", default=1, show_default=True, type=click.IntRange(1),
    metavar="N", help="Number of processes.",
)  # fmt: skip
_executor_option = click.option(
    "--executor", type=click.Choice(["local", "dask"]), default="local", show_default=True,
    help="Work in processes of this machine, or on a Dask cluster.",
)  # fmt: skip
_scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS",
    help="Where the scheduler of Dask is, as tcp://HOST:8786.  [default: $DASK_SCHEDULER_ADDRESS]",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def place_options(command: Any) -> Any:
    """Add the options that say where to work, which reach the command as ``workers``.

    Such a command may work on volumes in this very process, which is made ready for that.
    """

    @wraps(command)
    def run(*args: Any, executor: str, scheduler: str | None, workers: int, **rest: Any) -> Any:
        from ..engine.memory import keep_memory

        place = _place(executor, scheduler, workers)
        keep_memory()
        return command(*args, workers=place, **rest)

    return workers_option(_executor_option(_scheduler_option(run)))


def _place(executor: str, scheduler: str | None, processes: int) -> Workers:
    if executor == "local":
        if scheduler is not None:
            msg = "--scheduler is for a cluster: add --executor dask"
            raise UsageError(msg)
        return processes
    stated = click.get_current_context().get_parameter_source("workers")
    if stated is not click.core.ParameterSource.DEFAULT:
        msg = "-j is for --executor local; a cluster has as many workers as were started for it"
        raise UsageError(msg)
    address = scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS")
    if not address:
        msg = "--executor dask needs --scheduler ADDRESS, such as tcp://HOST:8786"
        raise UsageError(msg)
    from ..engine.workers import Cluster

    return Cluster(address)


def dumps(document: Any) -> str:
    """Format what a command prints as JSON."""
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _set_verbosity(ctx: click.Context, option: click.Parameter, count: int) -> None:
    """Add up -q and -v, wherever they stand in the command line."""
    step = -count if option.name == "quiet" else count
    ctx.meta[VERBOSITY] = ctx.meta.get(VERBOSITY, 0) + step


def _set_debug(ctx: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001
    ctx.meta[DEBUG] = ctx.meta.get(DEBUG, False) or value


def common(command: Any) -> Any:
    """Add the options that the program and each command have."""
    options = (
        click.option(
            "-q", "--quiet", count=True, expose_value=False, callback=_set_verbosity,
            help="Hide progress; -qq hides warnings too.",
        ),
        click.option(
            "-v", "--verbose", count=True, expose_value=False, callback=_set_verbosity,
            help="Show all warnings.",
        ),
        click.option(
            "--debug", is_flag=True, expose_value=False, callback=_set_debug,
            help="Show tracebacks.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


class Program(click.Group):
    """Turns errors into one line and an exit code."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program; the exit code tells of its work, whatever comes while Python ends.

        Python lets go of its handlers early, so that Ctrl-C would then kill what has said its
        result. To be ignored stays.
        """
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        return super().__call__(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see the class."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except BrokenPipeError:  # whoever read our output has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(PROBLEMS)
        except (KeyboardInterrupt, click.Abort):
            say("interrupted; the same command goes on where this one stopped")
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.meta.get(DEBUG):
                raise
            say(f"error: {sentence(error)}")
            ctx.exit(REFUSED if isinstance(error, TermsError) else MISUSE)


def sentence(error: Exception) -> str:
    """Say an error in one sentence."""
    if isinstance(error, BidsifyError):
        return str(error)
    if isinstance(error, OSError):
        why = str(error.strerror or error)
        return f"{error.filename}: {why}" if error.filename else why
    return f"unexpected {type(error).__name__}: {error}; a defect of bidsify, --debug shows where"


def report(done: Conversion, verbosity: int) -> None:
    """Say what a user must know; failures always."""
    shown = done.warnings if verbosity > 0 else done.warnings[:_SHOWN]
    if verbosity > -2:  # noqa: PLR2004
        for text in shown:
            say(f"warning: {text}")
        if len(shown) < len(done.warnings):
            say(f"... and {len(done.warnings) - len(shown)} more warnings; -v shows all")
    for text in done.failures:
        say(f"failed: {text}")


def say(text: str) -> None:
    """Print a line for people, on stderr."""
    click.echo(printable(text), err=True)


def color() -> bool | None:
    """Honour NO_COLOR and FORCE_COLOR; else let click look at the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
