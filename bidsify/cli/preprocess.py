"""The command ``preprocess``: cardiac studies to registered training volumes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import UsageError
from .console import PROBLEMS, VERBOSITY, common, place_options, say
from .progress import Progress

if TYPE_CHECKING:
    from ..engine.output import OnExisting
    from ..engine.workers import Workers
    from ..preprocessing.options import Guide, Method


class _Asked(NamedTuple):
    """The options of ``preprocess``, as the user gave them."""

    steps: str | None
    bound_mm: float | None
    guide: Guide
    method: Method | None
    train: bool
    weights: Path | None
    workers: Workers
    participants: tuple[str, ...]
    on_existing: OnExisting
    no_verify: bool


@click.command()
@common
@click.argument("pipeline", metavar="myops", type=click.Choice(["myops"]))
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--steps", metavar="LIST",
              help="Only these of slices,normalise,affine,nonrigid,crop; without slices, "
                   "sequences need as many slices each.")  # fmt: skip
@click.option("--bound", "bound_mm", type=float, metavar="MM",
              help="How far apart matching slices may be.  [default: 5]")  # fmt: skip
@click.option("--affine", "guide", default="masks+images", show_default=True,
              type=click.Choice(["masks", "masks+images", "images"]),
              help="What the affine and non-rigid steps go by.")  # fmt: skip
@click.option("--nonrigid", "method", type=click.Choice(["demons", "voxelmorph"]),
              help="How the non-rigid step is made.  [default: demons]")  # fmt: skip
@click.option("--train", is_flag=True,
              help="Train VoxelMorph on SRC, unless OUT has its weights.")  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE",
              help="Use these weights of VoxelMorph.")  # fmt: skip
@place_options
@click.option("--participant-label", "--participant_label", "participants", multiple=True,
              metavar="L", help="Only these subjects; may be repeated.")  # fmt: skip
@click.option("--on-existing", type=click.Choice(["resume", "replace", "error"]),
              default="resume", show_default=True, help="If OUT is not empty.")  # fmt: skip
@click.option("--no-verify", is_flag=True, help="Do not compare what was written with SRC.")
@click.pass_context
def preprocess(ctx: click.Context, /, source: Path, out: Path, **options: Any) -> None:
    """Bring bSSFP, LGE and T2w of each study of SRC onto each other, as MyoPS380 was made.

    SRC is a tree of 'bidsify convert', a folder or archive with names as in MyoPS 2020, or DICOM
    series in SUBJECT/SERIES/, with masks beside them.

    Example: bidsify preprocess myops ./studies ./preprocessed -j 2
    """
    from .. import api

    del options["pipeline"]  # there is one
    asked = _Asked(**options)
    if asked.train and asked.weights:
        msg = "--train makes weights and --weights gives them: leave one of them out"
        raise UsageError(msg)
    with Progress(sys.stderr, quiet=ctx.meta[VERBOSITY] < 0) as progress:
        done = api.preprocess(
            source,
            out,
            steps=tuple(asked.steps.split(",")) if asked.steps else (),
            bound_mm=asked.bound_mm,
            guide=asked.guide,
            method=_method(asked),
            weights=asked.weights,
            workers=asked.workers,
            participants=asked.participants,
            on_existing=asked.on_existing,
            prove=not asked.no_verify,
            watch=progress.step,
            say=say,
        )
    for text in done.warnings if ctx.meta[VERBOSITY] > -2 else ():  # noqa: PLR2004
        say(f"warning: {text}")
    for text in done.failures:
        say(f"failed: {text}")
    click.echo(f"processed {len(done.done)}\nfailed {len(done.failures)}")
    for name in ("dice_before", "dice_affine", "dice_nonrigid", "scar_dice_nonrigid", "folds"):
        if done.means.get(name) is not None:
            click.echo(f"{name} {done.means[name]:.4f}")
    if done.failures:
        sys.exit(PROBLEMS)


def _method(asked: _Asked) -> Method:
    """Return the method of the non-rigid step: weights are for VoxelMorph alone."""
    needs_network = asked.train or asked.weights is not None
    if needs_network and asked.method == "demons":
        msg = "--train and --weights are for --nonrigid voxelmorph: leave them or demons out"
        raise UsageError(msg)
    return "voxelmorph" if needs_network else asked.method or "demons"


COMMANDS: Sequence[click.Command] = (preprocess,)
