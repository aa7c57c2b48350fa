"""The command ``demo``: a synthetic dataset from its native layout to a validated tree."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from .console import PROBLEMS, VERBOSITY, common, workers_option
from .console import report as say_report
from .progress import Progress


@click.command()
@common
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--dataset", default="ivdm3seg", show_default=True, metavar="NAME",
              help="Which dataset to imitate.")  # fmt: skip
@workers_option
@click.pass_context
def demo(ctx: click.Context, folder: Path, dataset: str, workers: int) -> None:
    """Make a small synthetic dataset in its native layout; convert, verify, validate, show it.

    Example: bidsify demo ./demo --dataset chaos
    """
    from .. import api
    from .. import demo as generators
    from ..errors import UsageError
    from . import printing

    if dataset not in generators.names():
        msg = f"no demo of {dataset!r}; there are: {', '.join(generators.names())}"
        raise UsageError(msg)
    source, out = folder / "source" / dataset, folder / "bids" / dataset
    if source.exists() and not (out / "code").exists() and any(source.iterdir()):
        msg = f"{source}: already there and not made by a demo; choose another folder"
        raise UsageError(msg)
    generators.make(dataset, source)
    table = generators.label_table(dataset)
    stated = folder / "source" / f"{dataset}_labels.tsv" if table else None
    if stated and table:
        stated.write_text(table, "utf-8")
    click.echo(f"made       {source}  (synthetic, in the layout of a download)")
    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.convert(source, out, label_table=stated, workers=workers, watch=progress.step)
    say_report(done, ctx.meta[VERBOSITY])
    problems = api.verify(source, out, workers=workers)
    click.echo(f"converted  {out}  ({printing.buckets_text(done.buckets)})".replace("\n", ", "))
    verdict = f"{len(problems)} problems" if problems else "nothing lost or changed"
    click.echo(f"verified   {verdict}")
    report = api.validate(out, level="voxels")
    errors = report.count("error")
    click.echo(f"validated  {errors} errors, {report.count('warning')} warnings")
    page = api.report(out, folder / f"{dataset}.html", pixels=True, local=True, workers=workers)
    click.echo(f"look at    {page}, {out / 'README.md'}, {out}/sub-*")
    if problems or done.failures or errors:
        sys.exit(PROBLEMS)


COMMANDS: Sequence[click.Command] = (demo,)
