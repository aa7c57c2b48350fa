"""A dataset for nnU-Net v2 that uses the tree in place; labels are written where they change."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..cases.case import Case
from ..entities import label_of
from ..errors import UsageError
from .beginning import Begun, begin, title
from .folder import link, new_folder, way
from .folding import Folding
from .labelling import Labelling, number
from .nnunet_files import Item, Written, write_documents
from .people import TEST
from .relabel import Relabelled, write
from .result import Exported
from .safe_names import safe_names
from .selection import Choice

Partial = Literal["ignore", "leave-out"]
_LARGEST = 999
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IGNORED = "their background is written as 'ignore'"


@dataclass(frozen=True, slots=True)
class Wish:
    """How the dataset is to be: ``number`` and ``name`` make ``Dataset501_Name``.

    ``variable`` names an environment variable that holds the tree; without one, paths are
    relative. ``partial`` says what becomes of cases in which not all labels were drawn: their
    background is ignored, or they are left out. ``require`` are labels that each case must have.
    """

    number: int = 501
    name: str | None = None
    by_regions: bool = False
    variable: str | None = None
    partial: Partial = "ignore"
    require: tuple[str, ...] = ()


def export_nnunet(  # noqa: PLR0917  what is asked, in parts
    root: Path, dest: Path, wish: Wish, choice: Choice, folding: Folding, workers: int = 1
) -> Exported:
    """Write ``Dataset501_Name`` into ``dest``, which is ``nnUNet_raw``.

    Cases that the tree keeps for tests become links in ``imagesTs``.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or the number is taken.
    """
    _check(root, wish)
    folder = dest / _name(root, dest, wish)
    partly = _IGNORED if wish.partial == "ignore" else ""
    begun = _without_partial(begin(root, choice, workers, partly, wish.require), wish)
    is_partial = bool(begun.chosen.missing)
    regions = begun.regions if wish.by_regions else None
    labelling = number(begun.names, regions, is_partial=is_partial)
    items, left_out = _items(begun, labelling, folding)
    base = way(root, folder)
    with new_folder(folder, root) as staging:
        tasks = [
            Relabelled(item.case.segmentation or "", item.target, item.mapping)
            for item in items
            if item.target
        ]
        hashes, failures = write(root, staging, tasks, workers)
        items = [item for item in items if not item.target or item.target in hashes]
        _link_tests(staging, base, items, begun.chosen.channels)
        shown = f"${{{wish.variable}}}" if wish.variable else base
        written = Written(begun, labelling, tuple(items), hashes, left_out)
        has_folds, notes = write_documents(staging, written, folding, folder.name, shown)
    tests = [item for item in items if item.is_test]
    return Exported(
        folder,
        {"training": len(items) - len(tests), "test": len(tests), "relabelled": len(hashes)},
        left_out,
        (*begun.notes, *labelling.notes, *notes),
        (*begun.failures, *failures),
        tuple(_commands(folder, root, wish, has_folds=has_folds)),
    )


def _check(root: Path, wish: Wish) -> None:
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    if wish.variable is not None and not _VARIABLE.fullmatch(wish.variable):
        msg = f"{wish.variable!r} is no name of a variable: letters, digits and _, no digit first"
        raise UsageError(msg)
    if not 1 <= wish.number <= _LARGEST:
        msg = f"{wish.number} is no number of a dataset of nnU-Net: 1 to {_LARGEST}"
        raise UsageError(msg)


def _name(root: Path, dest: Path, wish: Wish) -> str:
    name = label_of(wish.name or title(root).removesuffix(" in BIDS")) or "BIDS"
    folder = f"Dataset{wish.number:03}_{name}"
    taken = sorted(dest.glob(f"Dataset{wish.number:03}_*")) if dest.is_dir() else []
    if taken and (taken[0].name != folder or any(taken[0].iterdir())):
        msg = f"{taken[0]}: there is a dataset {wish.number} already; give another --id"
        raise UsageError(msg)
    return folder


def _without_partial(begun: Begun, wish: Wish) -> Begun:
    """Leave out cases in which not all labels were drawn, where that is asked."""
    chosen = begun.chosen
    if wish.partial == "ignore" or not chosen.missing:
        return begun
    why = {
        name: f"its label table lacks {begun.names[values[0]]}, so nobody drew it"
        for name, values in chosen.missing.items()
    }
    kept = tuple(case for case in chosen.labelled if case.name not in why)
    left_out = {**chosen.left_out, **why}
    return replace(begun, chosen=replace(chosen, labelled=kept, missing={}, left_out=left_out))


def _items(
    begun: Begun, labelling: Labelling, folding: Folding
) -> tuple[list[Item], Mapping[str, str]]:
    chosen = begun.chosen
    cases = sorted((*chosen.labelled, *chosen.unlabelled), key=lambda case: case.name)
    names, ending = safe_names(cases), _ending(chosen.labelled)
    items, left_out = list[Item](), dict(chosen.left_out)
    for case in cases:
        is_test = folding.split(begun.split(case), case) == TEST
        images = [case.images[channel] for channel in chosen.channels]
        if any("$" in path for path in (*images, case.segmentation or "")):
            left_out[case.name] = "nnU-Net takes the $ in its path for a variable; rename it"
        elif is_test and not all(path.endswith(ending) for path in images):
            left_out[case.name] = f"it is for tests, whose images must end in {ending}"
        else:
            item = Item(case, names[case.name], ending, is_test=is_test)
            items.append(_mapped(item, begun, labelling))
    return items, left_out


def _mapped(item: Item, begun: Begun, labelling: Labelling) -> Item:
    """Say where labels are written anew, if any value in them changes."""
    name, path = item.case.name, item.case.segmentation
    if path is None:
        return item
    mapping = dict(labelling.forward)
    if name in begun.chosen.missing:
        mapping[0] = labelling.ignore
    seen = begun.looks[name]
    same = all(mapping[value] == value for value in seen.values)
    if same and seen.is_plain and path.endswith(item.ending):
        return item
    folder = "labelsTs" if item.is_test else "labelsTr"
    return replace(item, target=f"{folder}/{item.name}{item.ending}", mapping=mapping)


def _ending(cases: Iterable[Case]) -> str:
    packed = any((case.segmentation or "").endswith(".gz") for case in cases)
    return ".nii.gz" if packed else ".nii"


def _link_tests(staging: Path, base: str, items: Iterable[Item], channels: Iterable[str]) -> None:
    for item in items:
        if not item.is_test:
            continue
        for place, channel in enumerate(channels):
            name = f"{item.name}_{place:04}{item.ending}"
            link(staging / "imagesTs" / name, f"../{base}/{item.case.images[channel]}")
        if item.case.segmentation and not item.target:
            target = f"../{base}/{item.case.segmentation}"
            link(staging / "labelsTs" / f"{item.name}{item.ending}", target)


def _commands(folder: Path, root: Path, wish: Wish, *, has_folds: bool) -> Iterable[str]:
    if wish.variable:
        yield f"export {wish.variable}={shlex.quote(os.path.realpath(root))}"
    yield (
        f"nnUNet_raw={shlex.quote(str(folder.parent))} nnUNetv2_plan_and_preprocess "
        f"-d {wish.number} --verify_dataset_integrity"
    )
    if has_folds:
        source = shlex.quote(str(folder / "splits_final.json"))
        yield f'cp {source} "$nnUNet_preprocessed/{folder.name}/"  # if planning has not done it'
