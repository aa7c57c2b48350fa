"""Grids: of a segmentation against its image, and of an image against itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from ..context import Context
from ..files.headers import HEAD, Nifti, read_nifti
from .geometry import TOLERANCE, distance, placement_of, rounding, shape_of
from .links import path_in_tree
from .registry import IMAGES, Fault, header_check, is_image, is_segmentation
from .sizes import impossible

# Entities that say of which grid an image is: where they differ, grids may differ.
_OF_THE_GRID = ("sub", "ses", "tpl", "cohort", "sample", "run", "chunk", "space", "res", "den")
_OF_SEGMENTATIONS = frozenset({"seg", "label", "atlas", "scale", "desc"})
_SUFFIXES = (
    "T1w", "T2w", "FLAIR", "PDw", "T2starw", "inplaneT1", "inplaneT2", "UNIT1", "angio", "ct",
    "bold", "boldref", "sbref", "dwi", "dwiref", "asl", "pet",
)  # fmt: skip
_KINDS = tuple((suffix, extension) for suffix in _SUFFIXES for extension in sorted(IMAGES))
_OF_TEMPLATES = 3  # codes from here on name a template: Talairach, MNI, another
_EXCEPTION = "GridDiffersFromSources"  # a sidecar may state that the authors made it so


@header_check("GRID_MISMATCH", on=is_segmentation)
def segmentations_lie_on_their_image(context: Context) -> Iterator[Fault]:
    """A segmentation has the grid of an image in its Sources, else of its neighbour by name.

    One image suffices: a segmentation made from a T1w and a T2w has the grid of one of them. In
    one named space, an image with as many voxels must lie at the same place as well.
    """
    header = context.header
    if header is None or impossible(header) or context.sidecar.get(_EXCEPTION) is True:
        return
    is_stated = bool(context.sidecar.get("Sources"))
    images = _headers(context, _sources(context) if is_stated else _neighbours(context))
    faults = {path: fault for path in images if (fault := _difference(header, images[path]))}
    if len(faults) < len(images):
        space, shape = context.entities.get("space"), shape_of(header)
        faults = {p: f for p, f in faults.items() if space and shape_of(images[p]) == shape}
    if faults:
        path, fault = next(iter(faults.items()))
        more = f"; so for {len(faults) - 1} more images" if len(faults) > 1 else ""
        yield Fault(f"{fault} {path}{more}", severity=None if is_stated else "warning")


@header_check("AFFINES_DISAGREE", on=is_image)
def both_affines_agree(context: Context) -> Iterator[Fault]:
    """Sform and qform place the image alike, unless only one of them is that of a template."""
    header = context.header
    if header is None or header.sform is None or header.qform is None:
        return
    codes = header.context["sform_code"], header.context["qform_code"]
    if codes[0] != codes[1] and max(codes) >= _OF_TEMPLATES:
        return
    shape = shape_of(header)
    away = distance(shape, header.sform, header.qform)
    if away > TOLERANCE and away > TOLERANCE + rounding(shape, header.qform):
        yield Fault(f"they differ by up to {away:.3g} voxels")


def remember(context: Context) -> None:
    """Keep the header of an image, in case a segmentation names it."""
    context.folder.contents[f"nifti/{context.relative}"] = context.header


def _sources(context: Context) -> Iterator[str]:
    """Yield the images of this tree that Sources names and whose grid should be the same."""
    stated = context.sidecar.get("Sources")
    for target in stated if isinstance(stated, list) else ():
        path = path_in_tree(target) if isinstance(target, str) else None
        if path and path != context.relative and _has_same_grid(path, context.entities):
            yield path


def _has_same_grid(path: str, entities: Mapping[str, str]) -> bool:
    stem, _, extension = path.rpartition("/")[2].partition(".")
    if f".{extension}" not in IMAGES:
        return False
    parts = dict(part.split("-", 1) for part in stem.split("_") if "-" in part)
    return all(parts.get(key) == entities.get(key) for key in _OF_THE_GRID)


def _neighbours(context: Context) -> Iterator[str]:
    """Yield the images in the same folder whose names differ in nothing but ``desc``."""
    folder = context.folder
    wanted = {k: v for k, v in context.entities.items() if k not in _OF_SEGMENTATIONS}
    for suffix, extension in _KINDS:
        if folder.of_kind(suffix, extension):
            for file in folder.applicable(wanted, suffix, extension, ("desc",)):
                found = file.parts.entities
                if len(found) - ("desc" in found) == len(wanted):
                    yield file.path


def _headers(context: Context, paths: Iterable[str]) -> Mapping[str, Nifti]:
    """Return the headers of images anywhere in the tree; read once while the folder is open."""
    contents = context.folder.contents
    found: dict[str, Nifti] = {}
    for path in paths:
        key = f"nifti/{path}"
        context.look(path)
        if key not in contents:
            contents[key] = _read(context.dataset.root.location + path)
        header = contents[key]
        if isinstance(header, Nifti) and not impossible(header):
            found[path] = header
    return found


def _read(location: str) -> Nifti | None:
    try:
        if not os.path.isfile(location):  # noqa: PTH113  a pipe would wait for ever
            return None
        with open(location, "rb", buffering=0) as file:  # noqa: PTH123
            return read_nifti(file.read(HEAD))
    except (OSError, ValueError):
        return None


def _difference(one: Nifti, other: Nifti) -> str:
    """Say how two grids differ, or nothing where they do not."""
    shape, wanted = shape_of(one), shape_of(other)
    if shape != wanted:
        sizes = (" x ".join(map(str, each)) for each in (shape, wanted))
        return "{} voxels, not {} as".format(*sizes)
    away = distance(shape, placement_of(one), placement_of(other))
    return f"up to {away:.3g} voxels away from" if away > TOLERANCE else ""
