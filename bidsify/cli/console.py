"""How the commands talk: verbosity, warnings and errors on stderr, colour."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..errors import BidsifyError, TermsError
from ..printable import printable

if TYPE_CHECKING:
    from ..conversion.convert import Conversion

PROBLEMS, MISUSE, REFUSED, INTERRUPTED = 1, 2, 3, 130  # exit codes
DEBUG = "bidsify.debug"
VERBOSITY = "bidsify.verbosity"
_SHOWN = 20


workers_option = click.option(
    "-j", "--jobs", "workers", default=1, show_default=True, type=click.IntRange(1),
    metavar="N", help="Number of processes.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


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
        return f"{error.filename or ''}: {error.strerror or error}"
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
