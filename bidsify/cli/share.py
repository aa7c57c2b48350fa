"""The commands ``share`` and ``reproduce``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..printable import counted, printable
from .console import PROBLEMS, VERBOSITY, common, say, workers_option
from .progress import Progress

if TYPE_CHECKING:
    from ..sharing.share import Tier

_SHOWN = 50


@click.command()
@common
@click.argument("tree", type=click.Path(path_type=Path))
@click.argument("dest", type=click.Path(path_type=Path))
@click.option(
    "--tier", type=click.Choice(["recipe", "metadata", "full"]), default="recipe",
    show_default=True, help="How much leaves: nothing of the data, its texts, or all.",
)  # fmt: skip
@click.option(
    "--permission", metavar="FILE", type=click.Path(path_type=Path),
    help="A written permission; its SHA-256 is recorded, not its content.",
)  # fmt: skip
@click.option(
    "--route", metavar="NAME",
    help="How the data were obtained, where the terms depend on it, such as tcia.",
)  # fmt: skip
@click.option(
    "--shard-size", metavar="GB", type=click.FloatRange(0, min_open=True), default=10.0,
    show_default=True, help="Largest archive of the tier full, in 10^9 bytes.",
)  # fmt: skip
@click.option(
    "--citation", is_flag=True,
    help="Write CITATION.cff, and leave out the fields that BIDS then forbids.",
)  # fmt: skip
@workers_option
def share(  # noqa: PLR0917
    tree: Path,
    dest: Path,
    tier: Tier,
    permission: Path | None,
    route: str | None,
    shard_size: float,
    citation: bool,  # noqa: FBT001
    workers: int,
) -> None:
    """Pack what may leave of TREE into DEST, a new folder: by default no voxel of it.

    A recipe lets whoever has the same download make the identical tree. The tier full is
    refused (exit 3) where the terms of the data do not allow it, or are not known to.

    Example: bidsify share ./chaos-bids ./chaos-recipe
    """
    from .. import api

    done = api.share(
        tree,
        dest,
        tier=tier,
        route=route,
        permission=permission,
        shard_size=max(1, round(shard_size * 1e9)),
        citation=citation,
        workers=workers,
    )
    for note in done.notes:
        say(f"note: {note}")
    click.echo(f"{done.tier}: {counted(done.files, 'file')}, {done.size} bytes")
    if done.digest:
        click.echo(f"content manifest {done.digest}")


@click.command()
@common
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@workers_option
@click.pass_context
def reproduce(ctx: click.Context, recipe: Path, source: Path, out: Path, workers: int) -> None:
    """Convert SRC as RECIPE says, and prove that OUT is the identical tree.

    RECIPE is recipe.json, or the folder that holds it. Run it again to go on after an
    interruption.

    Example: bidsify reproduce ./chaos-recipe ./CHAOS_Train_Sets.zip ./chaos-bids
    """
    from .. import api
    from ..records.conversion import RECORD

    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.reproduce(recipe, source, out, workers=workers, watch=progress.step)
    for note in done.notes:
        say(f"note: {note}")
    if done.packed:
        say(f"note: {counted(done.packed, 'file')}: same content, packed differently")
    say(f"note: {RECORD}, the record of this run, is not part of the proof")
    if done.is_identical:
        for each in done.source[:_SHOWN]:
            say(f"note: {each.what} in the source: {printable(each.path)}")
        if len(done.source) > _SHOWN:
            say(f"note: ... and {len(done.source) - _SHOWN} more in the source")
        files = counted(done.files, "file")
        click.echo(f"identical: {files}, content manifest {done.digest}")
        return
    for where, differences in (("tree", done.tree), ("source", done.source)):
        for each in differences[:_SHOWN]:
            click.echo(f"{each.what} in the {where}: {printable(each.path)}")
        if len(differences) > _SHOWN:
            click.echo(f"... and {len(differences) - _SHOWN} more in the {where}")
    said = f"{counted(len(done.tree), 'file')} of the tree"
    click.echo(f"NOT identical: {said}, {counted(len(done.source), 'file')} of the source differ")
    sys.exit(PROBLEMS)


COMMANDS: Sequence[click.Command] = (share, reproduce)
