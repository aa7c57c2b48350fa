"""The commands ``datasets``, ``detect``, ``plan``, ``convert`` and ``verify``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ..printable import printable
from .console import PROBLEMS, VERBOSITY, common, dumps, json_option, place_options, say
from .console import report as say_report
from .progress import Progress

if TYPE_CHECKING:
    from ..conversion.convert import Conversion
    from ..engine.workers import Workers

_source = click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
_dataset = click.option(
    "--dataset", metavar="NAME", help="Dataset name, or a declaration file such as ./mine.py."
)
_label_table = click.option(
    "--label-table", metavar="FILE", type=click.Path(path_type=Path),
    help="What label values mean, where the sources of a dataset do not agree on it.",
)  # fmt: skip


@click.command()
@common
@click.argument("name", required=False)
@json_option
def datasets(name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List the known datasets; with NAME, show one in full.

    Example: bidsify datasets ivdm3seg
    """
    from .. import datasets as known
    from . import printing

    if name:
        dataset = known.load(name)
        document = printing.dataset_document(dataset)
        click.echo(dumps(document) if as_json else printing.dataset_text(dataset))
        return
    declared = [known.load(each) for each in known.names()]
    if as_json:
        click.echo(dumps([printing.dataset_summary(dataset) for dataset in declared]))
    else:
        click.echo("\n".join(map(printing.dataset_line, declared)))


@click.command()
@common
@_source
@json_option
def detect(source: Path, as_json: bool) -> None:  # noqa: FBT001
    """Say which dataset SRC is, and why; SRC is a folder or an archive.

    Example: bidsify detect ~/Downloads/CHAOS_Train_Sets.zip
    """
    from ..recognition.identity import identify
    from ..source import open_source
    from . import printing

    made = printing.detection_document(identify(open_source(source)))
    click.echo(dumps(made) if as_json else printing.detection_text(made))


@click.command()
@common
@_source
@_dataset
@_label_table
@json_option
def plan(source: Path, dataset: str | None, label_table: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what convert would write. Writes nothing.

    File names decide; headers are asked where names do not tell what a series is.

    Example: bidsify plan ./MyoPS380_dataset
    """
    from .. import api
    from . import printing

    made = api.plan(source, dataset, label_table=label_table)
    click.echo(dumps(printing.plan_document(made)) if as_json else printing.plan_text(made))
    if made.failures:
        sys.exit(PROBLEMS)


@click.command()
@common
@_source
@click.argument("out", type=click.Path(path_type=Path))
@_dataset
@_label_table
@place_options
@click.option("--participant-label", "--participant_label", "participants", multiple=True,
              metavar="L", help="Convert these subjects only; may be repeated.")  # fmt: skip
@click.option("--on-existing", type=click.Choice(["resume", "replace", "error"]),
              default="resume", show_default=True, help="If OUT is not empty.")  # fmt: skip
@click.option("--finalize", is_flag=True,
              help="Convert nothing; write the tables of what parallel runs made.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
@click.option("--fail-on-unclaimed", is_flag=True, help="Exit 1 when a file is not known.")
@click.option("--max-failures", type=click.IntRange(1), metavar="N",
              help="Stop after N subjects failed.")  # fmt: skip
@click.option("--reproducible", is_flag=True,
              help="Compress to the same bytes on every processor; half as fast. With --finalize, "
              "as the runs had it.")  # fmt: skip
@click.option("--link", is_flag=True,
              help="Clone, or else hard-link, files that need no change, when they are written; an "
              "edit of a hard link edits SRC.")  # fmt: skip
@click.option("--no-verify", is_flag=True, help="Do not compare what is written now with SRC.")
@click.option("--datalad", is_flag=True,
              help="Save what was written as a DataLad dataset, with this command.")  # fmt: skip
@click.pass_context
def convert(
    ctx: click.Context,
    /,
    source: Path,
    out: Path,
    *,
    dry_run: bool,
    fail_on_unclaimed: bool,
    no_verify: bool,
    **options: Any,
) -> None:
    """Convert SRC, a folder or an archive, into a BIDS derivative tree at OUT.

    Each file is compared with its source. Run it again to go on after an interruption.

    Example: bidsify convert ./CHAOS_Train_Sets.zip ./chaos-bids -j 4
    """
    from .. import api
    from . import printing

    if dry_run and options["finalize"]:
        msg = "--finalize converts nothing, so there is nothing for --dry-run to show"
        raise UsageError(msg)
    if dry_run:
        asked = {name: options[name] for name in ("dataset", "label_table", "participants")}
        made = api.plan(source, **asked)
        click.echo(printing.plan_text(made))
        sys.exit(PROBLEMS if made.failures else 0)
    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.convert(source, out, prove=not no_verify, watch=progress.step, **options)
    say_report(done, ctx.meta[VERBOSITY])
    _end(done, fail_on_unclaimed=fail_on_unclaimed, datalad=options["datalad"])


def _end(done: Conversion, *, fail_on_unclaimed: bool, datalad: bool) -> None:
    """Print what was done, and exit accordingly."""
    from . import printing

    if done.pending:
        say(done.pending)
    if datalad and done.pending and not done.failures:
        say("warning: not saved with DataLad, as the tables are not there yet")
    if datalad and done.failures:
        say("warning: not saved with DataLad, as not all files were converted")
    click.echo(printing.buckets_text(done.buckets))
    if done.failures or (fail_on_unclaimed and done.buckets["unclaimed"]):
        sys.exit(PROBLEMS)


@click.command()
@common
@_source
@click.argument("out", type=click.Path(path_type=Path))
@_dataset
@_label_table
@place_options
@json_option
def verify(  # noqa: PLR0917
    source: Path,
    out: Path,
    dataset: str | None,
    label_table: Path | None,
    workers: Workers,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Prove that OUT holds what SRC holds: voxels, affines, points, tables.

    Example: bidsify verify ./IVDM3Seg ./ivdm3seg-bids
    """
    from .. import api

    problems = sorted(
        api.verify(source, out, dataset=dataset, label_table=label_table, workers=workers)
    )
    if as_json:
        listed = [{"code": p.code, "path": p.path, "message": p.message} for p in problems]
        click.echo(dumps({"root": str(out), "source": str(source), "problems": listed}))
    else:
        for problem in problems:
            click.echo(f"{problem.code} {printable(problem.path)}: {printable(problem.message)}")
        click.echo(f"{len(problems)} problems" if problems else "verified: nothing lost or changed")
    if problems:
        sys.exit(PROBLEMS)


COMMANDS: Sequence[click.Command] = (datasets, detect, plan, convert, verify)
