"""The commands ``validate``, ``explain`` and ``schema``: parse, call, print, exit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from ..reporting import FORMATS
from ..validation.options import LEVELS, Options, Request, require_content
from .console import PROBLEMS, VERBOSITY, color, common, dumps, say

if TYPE_CHECKING:
    from ..reporting.settings import Settings
    from ..validation.changed import Changed
    from ..validation.issue import Report, Severity
    from ..validation.options import Level


class _Asked(NamedTuple):
    """The options of ``validate``, as the user gave them."""

    level: Level
    form: str
    outputs: tuple[str, ...]
    fail_on: Severity | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    baseline: Path | None
    changed_since: str | None
    cache: Path | None
    missing_content: Literal["error", "skip"]
    schema: Path | None
    profile: str | None
    recursive: bool
    ignore_nifti_headers: bool
    official: bool
    workers: int


@click.command()
@common
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.option("--level", type=click.Choice(LEVELS), default="headers",
              show_default=True, help="names opens no file, voxels reads all images.")  # fmt: skip
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="text", show_default=True,
              help="What to print.")  # fmt: skip
@click.option("--output", "outputs", multiple=True, metavar="FMT=FILE",
              help="Write a file too, as sarif=bids.sarif; may be repeated.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["error", "warning"]),
              help="Exit 1 on issues as bad as this.  [default: error]")  # fmt: skip
@click.option("--select", multiple=True, metavar="CODE", help="Only these codes; TSV_* works.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Not these codes.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE",
              help="An earlier JSON report: only what is new since then counts.")  # fmt: skip
@click.option("--changed-since", metavar="REV",
              help="Only what changes since this git revision may have caused.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path), metavar="FILE",
              help="Keep what was read there; read only what changed since.")  # fmt: skip
@click.option("--missing-content", default="error", show_default=True,
              type=click.Choice(["error", "skip"]),
              help="Files of a DataLad clone that were not fetched.")  # fmt: skip
@click.option("--schema", type=click.Path(path_type=Path), metavar="FILE",
              help="Another BIDS schema, as a schema.json.")  # fmt: skip
@click.option("--profile", metavar="NAME",
              help="Hold the tree against this dataset's declaration.")  # fmt: skip
@click.option("--recursive", "-r", is_flag=True, help="Validate datasets in derivatives/ too.")
@click.option("--ignore-nifti-headers", is_flag=True, help="Read no header of an image.")
@click.option("--official", is_flag=True,
              help="Run the official validator too and show where the two differ.")  # fmt: skip
@click.option("-j", "--jobs", "workers", default=0, type=click.IntRange(0), metavar="N",
              help="Number of processes.  [default: by size]")  # fmt: skip
@click.pass_context
def validate(ctx: click.Context, /, tree: Path, **options: Any) -> None:
    """Validate any BIDS dataset, whoever made it.

    First as the official validator does, by the rules of the BIDS schema, then what it does not
    look at: label tables, grids, links, and with --level voxels each voxel.

    Example: bidsify validate ./ds --output sarif=bids.sarif
    """
    from .. import reporting
    from ..reporting import selection
    from ..validation.nested import validate_all

    asked = _Asked(**options)
    require_content(asked.level, asked.cache)
    document = _schema(asked.schema)
    outputs = [_output(text) for text in asked.outputs]
    settings = _settings(tree, asked, document)
    baseline = selection.read_baseline(asked.baseline) if asked.baseline else {}
    changed = _changed(tree, asked.changed_since, document)
    request = _request(tree, asked, changed)
    report = validate_all(request, asked.workers, recursive=asked.recursive, cache=asked.cache)
    if asked.official:
        _compare(request, report, document, recursive=asked.recursive)
    report = _chosen(changed.keep(report) if changed else report, settings, asked)
    report = selection.without(report, baseline)
    wanted = color()
    is_colored = sys.stdout.isatty() if wanted is None else wanted
    reporting.write(report, asked.form, sys.stdout.buffer, color=is_colored)
    for form, path in outputs:
        reporting.write(report, form, path)
        if ctx.meta[VERBOSITY] >= 0:
            say(f"wrote {path}")
    if selection.fails(report, asked.fail_on or settings.fail_on or "error"):
        sys.exit(PROBLEMS)


@click.command()
@common
@click.argument("code")
def explain(code: str) -> None:
    """Say what an issue code means, why it matters and how to mend it.

    Example: bidsify explain SIDECAR_WITHOUT_DATAFILE
    """
    from ..validation import codes

    click.echo(codes.explain(code.upper()).rstrip())


@click.command()
@common
@click.argument("name", required=False)
@click.option("--overlay", is_flag=True, help="With bids: add CT, points and meshes to it.")
def schema(name: str | None, overlay: bool) -> None:  # noqa: FBT001
    """Print a JSON Schema of ours, or list them; bids is the official schema of BIDS.

    Example: bidsify schema label_table
    """
    from .. import json_schema
    from ..schema_export.overlay import document

    if name is None and not overlay:
        click.echo("\n".join(json_schema.names()))
    else:
        made = document(name or "", is_overlaid=overlay)
        click.echo(dumps(made))


def _request(tree: Path, asked: _Asked, changed: Changed | None) -> Request:
    return Request(
        str(tree),
        str(asked.schema) if asked.schema else None,
        Options(
            asked.level,
            nifti_headers=not asked.ignore_nifti_headers,
            skip_missing=asked.missing_content == "skip",
            voxels_in=changed.folders if changed else None,
        ),
        asked.profile,
    )


def _changed(tree: Path, revision: str | None, document: Any) -> Changed | None:
    if revision is None:
        return None
    from ..validation.changed import changed_paths

    return changed_paths(tree, revision, document)


def _compare(request: Request, report: Report, document: Any, *, recursive: bool) -> None:
    """Say on stderr where the official validator differs."""
    from .. import bids_schema
    from ..validation import official

    theirs = official.validate_officially(
        Path(request.root),
        document or bids_schema.schema(),
        nifti_headers=request.options.nifti_headers,
        recursive=recursive,
    )
    for text in official.render(official.compare(report.issues(), theirs)):
        say(text.rstrip("\n"))


def _settings(tree: Path, asked: _Asked, document: Any) -> Settings:
    """Read what the dataset itself wants left out, and refuse mistyped codes."""
    from ..reporting.settings import read_settings
    from ..validation.codes import check_patterns

    check_patterns((*asked.select, *asked.ignore), document)
    return read_settings(tree, document)


def _chosen(report: Report, settings: Settings, asked: _Asked) -> Report:
    from ..reporting import selection
    from ..reporting import settings as reading

    report, stale = reading.apply(settings, report)
    for text in stale:
        say(f"warning: {text}")
    return selection.choose(report, asked.select, asked.ignore)


def _schema(path: Path | None) -> Any:
    from .. import bids_schema

    return bids_schema.load(path) if path else None


def _output(text: str) -> tuple[str, Path]:
    form, equals, path = text.partition("=")
    if form not in FORMATS or not equals or not path:
        msg = f"{text!r} is not FMT=FILE, where FMT is one of {', '.join(FORMATS)}"
        raise click.BadParameter(msg, param_hint="--output")
    return form, Path(path)


COMMANDS: Sequence[click.Command] = (validate, explain, schema)
