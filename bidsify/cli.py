"""The command line: parse, call, print, exit. No decision about data is made here.

Results go to stdout, all else to stderr. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from . import __version__
from .cli_validation import COMMANDS
from .console import PROBLEMS, VERBOSITY, Program, color, common
from .console import report as say_report
from .printable import printable
from .progress import Progress

_source = click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
_dataset = click.option(
    "--dataset", metavar="NAME", help="Dataset name, or a declaration file such as ./mine.py."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_workers = click.option(
    "-j", "--jobs", "workers", default=1, show_default=True, type=click.IntRange(1),
    metavar="N", help="Number of processes.",
)  # fmt: skip


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bidsify")
@common
@click.pass_context
def main(ctx: click.Context) -> None:
    """Convert public medical-image segmentation datasets to BIDS, and prove it.

    Start with: bidsify demo ./demo
    """
    ctx.color = color()


for command in COMMANDS:
    main.add_command(command)


@main.command()
@common
@click.argument("name", required=False)
@_json
def datasets(name: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List the known datasets; with NAME, show one in full.

    Example: bidsify datasets ivdm3seg
    """
    from . import datasets as known
    from . import printing

    if name:
        dataset = known.load(name)
        document = printing.dataset_document(dataset)
        click.echo(_dumps(document) if as_json else printing.dataset_text(dataset))
        return
    declared = [known.load(each) for each in known.names()]
    if as_json:
        click.echo(_dumps([printing.dataset_summary(dataset) for dataset in declared]))
    else:
        click.echo("\n".join(map(printing.dataset_line, declared)))


@main.command()
@common
@_source
@_json
def detect(source: Path, as_json: bool) -> None:  # noqa: FBT001
    """Say which dataset SRC is, and why; SRC is a folder or an archive.

    Example: bidsify detect ~/Downloads/CHAOS_Train_Sets.zip
    """
    from . import detection, printing
    from .source import open_source

    paths = list(open_source(source).sizes)
    found = detection.candidates(paths)
    dataset = detection.choose(paths, found)
    made = printing.detection_document(paths, found, dataset)
    click.echo(_dumps(made) if as_json else printing.detection_text(made))


@main.command()
@common
@_source
@_dataset
@_json
def plan(source: Path, dataset: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what convert would write, from file names alone. Writes nothing.

    Example: bidsify plan ./MyoPS380_dataset
    """
    from . import api, printing

    made = api.plan(source, dataset)
    click.echo(_dumps(printing.plan_document(made)) if as_json else printing.plan_text(made))
    if made.failures:
        sys.exit(PROBLEMS)


@main.command()
@common
@_source
@click.argument("out", type=click.Path(path_type=Path))
@_dataset
@_workers
@click.option("--participant-label", "--participant_label", "participants", multiple=True,
              metavar="L", help="Convert these subjects only; may be repeated.")  # fmt: skip
@click.option("--on-existing", type=click.Choice(["resume", "replace", "error"]),
              default="resume", show_default=True, help="If OUT is not empty.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be written, and stop.")
@click.option("--fail-on-unclaimed", is_flag=True, help="Exit 1 when a file is not known.")
@click.option("--max-failures", type=click.IntRange(1), metavar="N",
              help="Stop after N subjects failed.")  # fmt: skip
@click.option("--reproducible", is_flag=True,
              help="Compress to the same bytes on every processor; half as fast.")  # fmt: skip
@click.option("--no-verify", is_flag=True, help="Do not compare what was written with SRC.")
@click.pass_context
def convert(  # noqa: PLR0917
    ctx: click.Context,
    source: Path,
    out: Path,
    dataset: str | None,
    workers: int,
    participants: tuple[str, ...],
    on_existing: Any,
    dry_run: bool,  # noqa: FBT001
    fail_on_unclaimed: bool,  # noqa: FBT001
    max_failures: int | None,
    reproducible: bool,  # noqa: FBT001
    no_verify: bool,  # noqa: FBT001
) -> None:
    """Convert SRC, a folder or an archive, into a BIDS derivative tree at OUT.

    Each file is compared with its source. Run it again to go on after an interruption.

    Example: bidsify convert ./CHAOS_Train_Sets.zip ./chaos-bids -j 4
    """
    from . import api, printing

    if dry_run:
        made = api.plan(source, dataset)
        click.echo(printing.plan_text(made))
        sys.exit(PROBLEMS if made.failures else 0)
    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.convert(
            source,
            out,
            dataset=dataset,
            workers=workers,
            participants=participants,
            on_existing=on_existing,
            reproducible=reproducible,
            prove=not no_verify,
            max_failures=max_failures,
            watch=progress.step,
        )
    say_report(done, ctx.meta[VERBOSITY])
    click.echo(printing.buckets_text(done.buckets))
    if done.failures or (fail_on_unclaimed and done.buckets["unclaimed"]):
        sys.exit(PROBLEMS)


@main.command()
@common
@_source
@click.argument("out", type=click.Path(path_type=Path))
@_dataset
@_workers
@_json
def verify(source: Path, out: Path, dataset: str | None, workers: int, as_json: bool) -> None:  # noqa: FBT001
    """Prove that OUT holds what SRC holds: voxels, affines, points, tables.

    Example: bidsify verify ./IVDM3Seg ./ivdm3seg-bids
    """
    from . import api

    problems = sorted(api.verify(source, out, dataset=dataset, workers=workers))
    if as_json:
        listed = [{"code": p.code, "path": p.path, "message": p.message} for p in problems]
        click.echo(_dumps({"root": str(out), "source": str(source), "problems": listed}))
    else:
        for problem in problems:
            click.echo(f"{problem.code} {printable(problem.path)}: {printable(problem.message)}")
        click.echo(f"{len(problems)} problems" if problems else "verified: nothing lost or changed")
    if problems:
        sys.exit(PROBLEMS)


@main.command()
@common
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--dataset", default="ivdm3seg", show_default=True, metavar="NAME",
              help="Which dataset to imitate.")  # fmt: skip
@_workers
@click.pass_context
def demo(ctx: click.Context, folder: Path, dataset: str, workers: int) -> None:
    """Make a small synthetic dataset in its native layout; convert, verify, validate it.

    Example: bidsify demo ./demo --dataset chaos
    """
    from . import api, printing
    from . import demo as generators
    from .errors import UsageError

    if dataset not in generators.names():
        msg = f"no demo of {dataset!r}; there are: {', '.join(generators.names())}"
        raise UsageError(msg)
    source, out = folder / "source" / dataset, folder / "bids" / dataset
    if source.exists() and not (out / "code").exists() and any(source.iterdir()):
        msg = f"{source}: already there and not made by a demo; choose another folder"
        raise UsageError(msg)
    generators.make(dataset, source)
    click.echo(f"made       {source}  (synthetic, in the layout of a download)")
    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.convert(source, out, workers=workers, watch=progress.step)
    say_report(done, ctx.meta[VERBOSITY])
    problems = api.verify(source, out, workers=workers)
    click.echo(f"converted  {out}  ({printing.buckets_text(done.buckets)})".replace("\n", ", "))
    verdict = f"{len(problems)} problems" if problems else "nothing lost or changed"
    click.echo(f"verified   {verdict}")
    report = api.validate(out, level="voxels")
    errors = report.count("error")
    click.echo(f"validated  {errors} errors, {report.count('warning')} warnings")
    click.echo(f"look at    {out / 'README.md'}, then {out}/sub-*")
    if problems or done.failures or errors:
        sys.exit(PROBLEMS)


def _dumps(document: Mapping[str, Any] | list[Any]) -> str:
    import orjson

    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
