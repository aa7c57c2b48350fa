"""The command ``deid-check``: what in a tree tells who a person is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..printable import counted, printable, some
from .console import PROBLEMS, VERBOSITY, common, dumps, json_option, say

if TYPE_CHECKING:
    from ..deidentification.fix import Deidentified


@click.command("deid-check")
@common
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.option("--fix", is_flag=True,
              help="Blank headers and drop keys of sidecars; never voxels or tables.")  # fmt: skip
@json_option
@click.pass_context
def deid_check(ctx: click.Context, tree: Path, fix: bool, as_json: bool) -> None:  # noqa: FBT001
    """Find what tells who a person is: header texts, sidecars, tables, gzip names.

    Pixels are not looked at: faces and burned-in text stay unseen.

    Example: bidsify deid-check ./chaos-bids
    """
    from .. import api

    done = api.deid_check(tree, fix=fix)
    for text in done.failures:
        say(f"failed: {text}")
    if done.unrecorded and ctx.meta[VERBOSITY] > -2:  # noqa: PLR2004
        say(f"warning: no longer as the record of the conversion says: {some(done.unrecorded)}")
    if done.fixed and done.is_in_git and ctx.meta[VERBOSITY] > -2:  # noqa: PLR2004
        say("warning: the history of git, and its annex, keep the files as they were")
    click.echo(dumps(_document(tree, done)) if as_json else "\n".join(_lines(done, fix=fix)))
    if done.left or done.failures:
        sys.exit(PROBLEMS)


def _document(tree: Path, done: Deidentified) -> Mapping[str, Any]:
    return {
        "root": _whole(str(tree)),
        "found": [
            {
                "path": _whole(trace.path),
                "where": _whole(trace.where),
                "what": _whole(trace.what),
                "kind": trace.kind,
                "fixable": trace.is_fixable,
            }
            for trace in done.left
        ],
        "fixed": list(map(_whole, done.fixed)),
        "failures": list(map(_whole, done.failures)),
        "in_git": done.is_in_git,
        "unrecorded": list(map(_whole, done.unrecorded)),
    }


def _whole(text: str) -> str:
    """Write halves of characters, which a file name or a key may hold, by their numbers."""
    return text.encode("utf-8", "backslashreplace").decode()


def _lines(done: Deidentified, *, fix: bool) -> Iterator[str]:
    for trace in done.left:
        where = f"{trace.where}: " if trace.where else ""
        hint = " (--fix removes it)" if trace.is_fixable and not fix else ""
        yield printable(f"{trace.path}: {where}{trace.what}") + hint
    if fix:
        yield f"{counted(len(done.fixed), 'file')} fixed, {len(done.left)} findings left"
    elif done.left:
        yield counted(len(done.left), "finding")
    else:
        yield "nothing found that tells who a person is"


COMMANDS: Sequence[click.Command] = (deid_check,)
