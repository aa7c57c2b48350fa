"""The commands ``export`` and ``import-predictions``: to training frameworks, and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..printable import printable
from .console import PROBLEMS, VERBOSITY, common, dumps, json_option, say, workers_option

if TYPE_CHECKING:
    from ..exporting.result import Exported

_CHOICE = {"labels", "channels", "only", "workers"}
_FOLDS = {"folds", "seed", "group", "with_test"}
_OF_NNUNET = {"number", "name", "regions", "variable", "partial", "require"}
_TAKES = {
    "nnunet": _CHOICE | _FOLDS | _OF_NNUNET,
    "monai": _CHOICE | _FOLDS,
    "hf": _CHOICE | {"group"},
    "colors": set[str](),
}
_SHOWN = 20


def _listed(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


@click.command()
@common
@click.argument("form", metavar="nnunet|monai|hf|colors", type=click.Choice([*_TAKES]))
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path))
@click.option("--labels", metavar="TABLE",
              help="Which kind of segmentation, where there are several: seg-zones.")  # fmt: skip
@click.option("--channels", callback=_listed, metavar="LIST",
              help="Contrasts in order: T1w,FLAIR.  [default: those of all cases]")  # fmt: skip
@click.option("--only", callback=_listed, metavar="LIST",
              help="Only segmentations with these entities: desc-reader1.")  # fmt: skip
@click.option("--folds", type=click.IntRange(0), metavar="N",
              help="Parts for cross-validation; 0 takes the validation cases of "
              "participants.tsv.  [default: 5]")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="N",
              help="Another one gives another division.")  # fmt: skip
@click.option("--group", metavar="COLUMN",
              help="Column of participants.tsv that folds keep together; a warning names "
              "what its split divides.")  # fmt: skip
@click.option("--with-test", is_flag=True,
              help="Train also on cases that participants.tsv keeps for tests.")  # fmt: skip
@click.option("--id", "number", type=click.IntRange(1, 999), default=501, show_default=True,
              metavar="N", help="nnunet: the number of the dataset.")  # fmt: skip
@click.option("--name", help="nnunet: the name of the dataset.  [default: that of TREE]")
@click.option("--regions", is_flag=True, help="nnunet: train on the regions of regions.tsv.")
@click.option("--variable", metavar="NAME",
              help="nnunet: name TREE by this variable.  [default: relative paths]")  # fmt: skip
@click.option("--partial", type=click.Choice(["ignore", "leave-out"]), default="ignore",
              show_default=True, help="nnunet: the background of cases in which not all labels "
              "were drawn, or the cases.")  # fmt: skip
@click.option("--require", callback=_listed, metavar="LIST",
              help="nnunet: leave out cases without a voxel of these labels.")  # fmt: skip
@workers_option
@json_option
@click.pass_context
def export(
    ctx: click.Context, /, form: str, tree: Path, dest: Path, *, as_json: bool, **options: Any
) -> None:
    """Hand a BIDS tree to nnU-Net, MONAI, Hugging Face datasets, or viewers (colour tables).

    Images stay in TREE. DEST is nnUNet_raw for nnunet, else a new folder. Only labels whose
    values nnU-Net does not take are written anew; bidsify_export.json keeps both directions.

    Example: bidsify export nnunet ./brats-bids ./nnUNet_raw --id 501
    """
    from .. import api

    _check_options(ctx, form)
    asked = {name: value for name, value in options.items() if name in _TAKES[form]}
    run: Mapping[str, Any] = {
        "nnunet": api.export_nnunet, "monai": api.export_monai,
        "hf": api.export_hf, "colors": api.export_colors,
    }  # fmt: skip
    done: Exported = run[form](tree, dest, **asked)
    _report(done, ctx.meta[VERBOSITY], as_json=as_json)
    if done.failures:
        sys.exit(PROBLEMS)


@click.command("import-predictions")
@common
@click.argument("tree", metavar="TREE", type=click.Path(path_type=Path))
@click.argument("predictions", metavar="PREDICTIONS", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--export", "map_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Its bidsify_export.json.  [default: that in PREDICTIONS]")  # fmt: skip
@click.option("--model", default="nnUNet", show_default=True, metavar="NAME",
              help="Becomes desc-NAME of the files.")  # fmt: skip
@workers_option
@json_option
@click.pass_context
def import_predictions(
    ctx: click.Context, /, tree: Path, predictions: Path, out: Path, **options: Any
) -> None:
    """Make a BIDS derivative of predictions of nnU-Net, with the label values of TREE.

    Example: bidsify import-predictions ./brats-bids ./predicted ./brats-nnunet --model nnUNet3d
    """
    from .. import api

    done = api.import_predictions(
        tree,
        predictions,
        out,
        export=options["map_file"],
        model=options["model"],
        workers=options["workers"],
    )
    _warn(done.notes, ctx.meta[VERBOSITY])
    for text in done.failures:
        say(f"failed: {text}")
    if options["as_json"]:
        click.echo(dumps({"folder": str(done.folder), "written": list(done.written),
                          "failures": list(done.failures)}))  # fmt: skip
    else:
        click.echo(f"imported {len(done.written)}\nfailed {len(done.failures)}")
    if done.failures:
        sys.exit(PROBLEMS)


def _check_options(ctx: click.Context, form: str) -> None:
    others = set[str]().union(*_TAKES.values()) - _TAKES[form] - {"workers"}
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if name in others and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            msg = f"does not go with {form}"
            raise click.BadParameter(msg, param=parameter)


def _warn(notes: Sequence[str], verbosity: int) -> None:
    shown = notes if verbosity > 0 else notes[:_SHOWN]
    if verbosity > -2:  # noqa: PLR2004
        for text in shown:
            say(f"warning: {text}")
        if len(shown) < len(notes):
            say(f"... and {len(notes) - len(shown)} more warnings; -v shows all")


def _report(done: Exported, verbosity: int, *, as_json: bool) -> None:
    left_out = [f"{name}: left out: {why}" for name, why in done.left_out.items()]
    _warn([*done.notes, *left_out], verbosity)
    for text in done.failures:
        say(f"failed: {text}")
    if as_json:
        document = {"folder": str(done.folder), "counts": dict(done.counts)}
        rest = {"left_out": dict(done.left_out), "failures": list(done.failures)}
        click.echo(dumps({**document, **rest, "commands": list(done.commands)}))
        return
    lines = [str(done.folder), *(f"{name} {count}" for name, count in done.counts.items())]
    lines += [f"left out {len(done.left_out)}"] if done.left_out else []
    lines += [f"next: {command}" for command in done.commands]
    click.echo("\n".join(map(printable, lines)))


COMMANDS: Sequence[click.Command] = (export, import_predictions)
