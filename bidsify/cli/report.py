"""The command ``report``: a page to look at a tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click
from click.core import ParameterSource

from ..errors import UsageError
from .console import VERBOSITY, common, say, workers_option


class _Asked(NamedTuple):
    """The options of ``report``, as the user gave them."""

    output: Path | None
    figures: Path | None
    pixels: bool
    local: bool
    viewer: Literal["canvas", "niivue"]
    as_json: bool
    workers: int


@click.command()
@common
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.html",
              help="The page, a file; - is refused.  [default: NAME_report.html here]")  # fmt: skip
@click.option("--figures", type=click.Path(path_type=Path), metavar="DIR",
              help="Write the plots as SVG files too.")  # fmt: skip
@click.option("--pixels", is_flag=True, help="Show slices and a viewer: the page holds voxels.")
@click.option("--local", is_flag=True,
              help="With --pixels: the page stays here, whatever the terms.")  # fmt: skip
@click.option("--viewer", type=click.Choice(["canvas", "niivue"]), default="canvas",
              show_default=True,
              help="With --pixels; niivue needs the extra of that name.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True,
              help="Print what was found as JSON; a page is written with -o only.")  # fmt: skip
@workers_option
@click.pass_context
def report(ctx: click.Context, /, tree: Path, **options: Any) -> None:
    """Write a web page to look at a dataset: one file, which loads nothing from anywhere.

    It shows who has what, volumes of labels and which are unusual, grids, what the conversion
    changed, issues, terms, and texts for a paper. Without --pixels no voxel is in it.

    Example: bidsify report ./bids/chaos -o chaos.html --figures plots
    """
    from .. import api
    from ..survey.document import to_json

    asked = _Asked(**options)
    _check(asked, has_viewer=ctx.get_parameter_source("viewer") is not ParameterSource.DEFAULT)
    is_written = asked.output is not None or not asked.as_json
    found = api.describe(tree, workers=asked.workers) if asked.as_json else None
    if found is not None:
        click.echo(to_json(found))
    if not is_written:
        return
    place = api.report(
        tree,
        asked.output,
        figures=asked.figures,
        pixels=asked.pixels,
        local=asked.local,
        viewer=asked.viewer,
        workers=asked.workers,
        found=found,
    )
    if found is None:
        click.echo(str(place))
    elif ctx.meta[VERBOSITY] >= 0:
        say(f"wrote {place}")


def _check(asked: _Asked, *, has_viewer: bool) -> None:
    """Refuse options that do not fit together."""
    alone = {"--local": asked.local, "--viewer": has_viewer}
    for option in (name for name, is_given in alone.items() if is_given and not asked.pixels):
        msg = f"{option} is about voxels: add --pixels, or leave it out"
        raise UsageError(msg)
    for option, place in (("-o", asked.output), ("--figures", asked.figures)):
        if place == Path("-"):
            msg = f"{option} -: neither the page nor a figure goes to stdout; name a place"
            raise UsageError(msg)
    if asked.as_json and asked.output is None and (asked.figures is not None or asked.pixels):
        msg = "--json writes a page or figures only with -o: add -o, or leave out the others"
        raise UsageError(msg)


COMMANDS: Sequence[click.Command] = (report,)
