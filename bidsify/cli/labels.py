"""The command ``labels``: show the label tables of a tree, or map them to common codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..printable import printable
from .console import PROBLEMS, VERBOSITY, common, dumps, json_option, say, workers_option

if TYPE_CHECKING:
    from ..harmonisation.harmonise import Harmonised
    from ..harmonisation.segmentations import Found, LabelTables

_SHOWN = 5


@click.command()
@common
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.option("--count", is_flag=True, help="Read all voxels; count the files with each value.")
@click.option("--harmonise", "table", type=click.Path(path_type=Path), metavar="TABLE",
              help="Write a second segmentation beside each, with the codes of TABLE.")  # fmt: skip
@click.option("--name", metavar="NAME",
              help="The label of seg-.  [default: by the name of TABLE]")  # fmt: skip
@click.option("--union", is_flag=True,
              help="Several labels may become one code, or be dropped.")  # fmt: skip
@workers_option
@json_option
@click.pass_context
def labels(  # noqa: PLR0917
    ctx: click.Context,
    tree: Path,
    count: bool,  # noqa: FBT001
    table: Path | None,
    name: str | None,
    union: bool,  # noqa: FBT001
    workers: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show what the voxel values of a BIDS tree mean; map them to common codes.

    --harmonise leaves each file that is there as it is, scans.tsv included, and adds
    seg-NAME segmentations with a label table and a sidecar each.

    Example: bidsify labels ./chaos-bids --harmonise abdomen.tsv
    """
    if table is None:
        if name is not None or union:
            option = "--name" if name is not None else "--union"
            msg = "goes with --harmonise alone"
            raise click.BadParameter(msg, param_hint=option)
        _show(tree, count=count, workers=workers, as_json=as_json)
        return
    if count:
        msg = "goes without --harmonise"
        raise click.BadParameter(msg, param_hint="--count")
    from .. import api

    done = api.harmonise(tree, table, name=name, union=union, workers=workers)
    _report(done, ctx.meta[VERBOSITY], as_json=as_json)
    if done.failures:
        sys.exit(PROBLEMS)


def _show(tree: Path, *, count: bool, workers: int, as_json: bool) -> None:
    from ..harmonisation import segmentations

    found = segmentations.find(tree)
    listed = segmentations.label_tables(found, tree, count=count, workers=workers)
    if as_json:
        click.echo(dumps(_document(tree, found, listed)))
    else:
        click.echo("\n".join(map(printable, _lines(tree, found, listed))))
    failures = [text for each in listed for text in each.failures]
    for text in failures:
        say(f"failed: {text}")
    if failures:
        sys.exit(PROBLEMS)


def _report(done: Harmonised, verbosity: int, *, as_json: bool) -> None:
    if done.left_alone and verbosity > -2:  # noqa: PLR2004
        some = f"{done.left_alone[0]}{_more(len(done.left_alone))}"
        say(f"warning: no row speaks of the label table of {some}; left alone")
    for text in done.failures:
        say(f"failed: {text}")
    if as_json:
        click.echo(dumps({
            "name": done.name, "written": list(done.written), "kept": list(done.kept),
            "failures": list(done.failures), "left_alone": list(done.left_alone),
        }))  # fmt: skip
    else:
        click.echo(f"seg-{done.name}: {len(done.written)} files written, {len(done.kept)} kept")


def _document(tree: Path, found: Found, listed: Sequence[LabelTables]) -> Mapping[str, Any]:
    tables = [
        {
            "paths": [table.path for table in each.tables],
            "fault": each.tables[0].fault or None,
            "columns": list(each.tables[0].columns),
            "rows": [dict(row) for row in each.tables[0].rows],
            "segmentations": list(each.segmentations),
            "counts": _counts(each.counts),
        }
        for each in listed
    ]
    alone = [{"path": s.path, "reason": s.fault} for s in found.segmentations if s.table is None]
    return {"root": str(tree), "tables": tables, "without_table": alone}


def _counts(counts: Mapping[int, int] | None) -> Mapping[str, int] | None:
    return None if counts is None else {str(value): count for value, count in counts.items()}


def _lines(tree: Path, found: Found, listed: Sequence[LabelTables]) -> Iterator[str]:
    if not listed:
        yield f"{tree}: no label tables (*_dseg.tsv)"
    for each in listed:
        first = each.tables[0]
        used = len(each.segmentations)
        yield f"{first.path}{_more(len(each.tables))}: {used} segmentation{'s' * (used != 1)}"
        if first.fault:
            yield f"  cannot be read: {first.fault}"
        else:
            yield from _aligned(each)
        yield ""
    alone = [each for each in found.segmentations if each.table is None]
    if alone:
        yield f"without a label table: {len(alone)} segmentation{'s' * (len(alone) != 1)}"
        yield from (f"  {each.path}: {each.fault}" for each in alone[:_SHOWN])
        if len(alone) > _SHOWN:
            yield f"  ... and {len(alone) - _SHOWN} more"


def _aligned(each: LabelTables) -> Iterator[str]:
    table = each.tables[0]
    head = list(table.columns)
    rows = [list(row.values()) for row in table.rows]
    if each.counts is not None:
        head.append("files")
        for row, value in zip(rows, table.names, strict=True):
            row.append(str(each.counts.get(value, 0)))
        for value in sorted(each.counts.keys() - table.names.keys()):
            strange = {"index": str(value), "name": "(no row in the table)"}
            shown = (strange.get(name, "") for name in table.columns)
            rows.append([*shown, str(each.counts[value])])
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _more(count: int) -> str:
    return f" and {count - 1} more like it" if count > 1 else ""


COMMANDS: Sequence[click.Command] = (labels,)
