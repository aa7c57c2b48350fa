"""What hands a tree on: to training frameworks, to viewers; and takes predictions back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError

if TYPE_CHECKING:
    from ..exporting.predictions import Imported
    from ..exporting.result import Exported
    from .sources import AnyPath


def export_nnunet(
    tree: AnyPath,
    dest: AnyPath,
    *,
    number: int = 501,
    name: str | None = None,
    labels: str | None = None,
    channels: Sequence[str] = (),
    only: Sequence[str] = (),
    regions: bool = False,
    folds: int | None = None,
    seed: int = 0,
    group: str | None = None,
    with_test: bool = False,
    variable: str | None = None,
    partial: Literal["ignore", "leave-out"] = "ignore",
    require: Sequence[str] = (),
    workers: int = 1,
) -> Exported:
    """Make a dataset for nnU-Net v2 that uses the images of a tree where they are.

    Labels are written anew where their values must change; ``bidsify_export.json`` keeps both
    directions. Cases that ``participants.tsv`` keeps for tests become links in ``imagesTs``.

    Args:
        tree: Any BIDS tree with segmentations.
        dest: The folder ``nnUNet_raw``; ``DatasetNNN_Name`` is made in it.
        number: NNN, 1 to 999.
        name: Name; by default from the description of the tree.
        labels: The kind of segmentation (``seg-zones``) or its label table, where several are.
        channels: Contrasts in order; by default those that all cases have.
        only: Entities that the name of a segmentation must have, such as ``desc-reader1``.
        regions: Train on the regions of ``regions.tsv`` instead of on labels.
        folds: Parts for cross-validation; five by default. 0: validation of ``participants.tsv``.
        seed: Decides between divisions that are equally good.
        group: Column of ``participants.tsv`` whose values no fold tears apart; where its split
            does, a note says so.
        with_test: Train also on cases that are kept for tests.
        variable: Environment variable to write for the tree, instead of relative paths.
        partial: What becomes of cases whose own label table lacks labels that others have:
            their background is to be ignored, or they are left out.
        require: Labels, by name or value, that must occur in a case.
        workers: Number of processes; 1 works in this one.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or the number is taken.
    """
    from ..exporting.folding import Folding  # noqa: PLC0415
    from ..exporting.nnunet import Wish, export_nnunet  # noqa: PLC0415
    from ..exporting.selection import Choice  # noqa: PLC0415

    if partial not in {"ignore", "leave-out"}:
        msg = f"no way {partial!r} to treat cases that are drawn in part: 'ignore' or 'leave-out'"
        raise UsageError(msg)
    wish = Wish(number, name, regions, variable, partial, tuple(require))
    choice = Choice(labels, tuple(channels), tuple(only))
    folding = Folding(folds, seed, group, with_test)
    return export_nnunet(Path(tree), Path(dest), wish, choice, folding, workers)


def export_monai(
    tree: AnyPath,
    dest: AnyPath,
    *,
    labels: str | None = None,
    channels: Sequence[str] = (),
    only: Sequence[str] = (),
    folds: int | None = None,
    seed: int = 0,
    group: str | None = None,
    with_test: bool = False,
    workers: int = 1,
) -> Exported:
    """Write ``datalist.json`` for MONAI, with paths into the tree; see :func:`export_nnunet`.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or ``dest`` is in use.
    """
    from ..exporting.folding import Folding  # noqa: PLC0415
    from ..exporting.monai import export_monai  # noqa: PLC0415
    from ..exporting.selection import Choice  # noqa: PLC0415

    choice = Choice(labels, tuple(channels), tuple(only))
    folding = Folding(folds, seed, group, with_test)
    return export_monai(Path(tree), Path(dest), choice, folding, workers)


def export_hf(
    tree: AnyPath,
    dest: AnyPath,
    *,
    labels: str | None = None,
    channels: Sequence[str] = (),
    only: Sequence[str] = (),
    group: str | None = None,
    workers: int = 1,
) -> Exported:
    """Write ``metadata.csv`` for the loader ``niftifolder`` of Hugging Face ``datasets``.

    The loader reads nothing outside of its folder, so a link to the tree lies beside it.
    A note says where the split of the tree tears values of the column ``group`` apart.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or ``dest`` is in use.
    """
    from ..exporting.hf import export_hf  # noqa: PLC0415
    from ..exporting.selection import Choice  # noqa: PLC0415

    choice = Choice(labels, tuple(channels), tuple(only))
    return export_hf(Path(tree), Path(dest), choice, group, workers)


def export_colors(tree: AnyPath, dest: AnyPath) -> Exported:
    """Write colour tables for ITK-SNAP, 3D Slicer and FSLeyes from the label tables of a tree.

    Raises:
        UsageError: The tree has no label table that can be used, or ``dest`` is in use.
    """
    from ..exporting.colors import export_colors  # noqa: PLC0415

    return export_colors(Path(tree), Path(dest))


def import_predictions(
    tree: AnyPath,
    predictions: AnyPath,
    out: AnyPath,
    *,
    export: AnyPath | None = None,
    model: str = "nnUNet",
    workers: int = 1,
) -> Imported:
    """Make a BIDS derivative of predictions of nnU-Net, with the label values of the tree.

    Args:
        tree: The tree of the export.
        predictions: A folder of ``CASE.nii.gz``.
        out: The derivative to write: a new or empty folder.
        export: ``bidsify_export.json`` of the export; by default beside the predictions.
        model: Name of the model; what is left of it without signs becomes the label of ``desc-``.
        workers: Number of processes; 1 works in this one.

    Raises:
        UsageError: There is no map, no prediction, no name of a model, or ``out`` is in use.
    """
    from ..exporting.predictions import import_predictions  # noqa: PLC0415

    beside = None if export is None else Path(export)
    return import_predictions(Path(tree), Path(predictions), Path(out), beside, model, workers)
