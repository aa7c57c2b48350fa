"""Which picture belongs to which DICOM slice: decided by names, as the publisher means them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ..dataset import Segmentation
from .jobs import Failure
from .view import Found, View, folder_of

#: Pictures, their slices, and how they were paired: see ``VolumeJob.ranked``.
Pairs = tuple[tuple[str, ...], tuple[str, ...], str]


def pair(found: Found, product: Segmentation, view: View) -> Pairs | Failure:
    """Find for each picture the DICOM file of its slice, by stem or by place in natural order."""
    image = view.image(product.of[0])
    folder = folder_of(found.files)
    if image is None:
        why = f"{folder}: masks without the DICOM series that gives their geometry; add it"
        return Failure(found.files, why, found.target)
    if len(found.files) != len(image.files):
        why = (
            f"{folder}: {len(found.files)} masks for the {len(image.files)} slices in "
            f"{folder_of(image.files)}; complete the download"
        )
        return Failure(found.files, why, found.target)
    if product.pairing == "rank":
        gap = _gap(found.files, image.files)
        if gap:
            return Failure(found.files, gap, found.target)
        same = _first(found.files) == _first(image.files)
        return found.files, image.files, "equal" if same else "offset"
    slices = {PurePosixPath(path).stem: path for path in image.files}
    for path in found.files:
        if PurePosixPath(path).stem not in slices:
            why = f"{path}: no slice of the same name in {folder_of(image.files)}"
            return Failure(found.files, why, found.target)
    return found.files, tuple(slices[PurePosixPath(path).stem] for path in found.files), ""


def doubled(found: Found) -> Failure | None:
    """Refuse a stack that has two pictures of one number."""
    numbers: dict[int, str] = {}
    for path, fields in zip(found.files, found.fields, strict=True):
        first = numbers.setdefault(int(fields["slice"] or 0), path)
        if first != path:
            why = f"{path}: the same number as {first}; remove one of the two copies"
            return Failure(found.files, why, found.target)
    return None


def _gap(pictures: tuple[str, ...], slices: tuple[str, ...]) -> str:
    """Say why a picture cannot be given to the slice of the same place; empty where it can.

    Numbers must run without gaps, or one missing file shifts all that follow. Pictures count
    from 0 or as the slices do.
    """
    for files in (pictures, slices):
        numbers = _numbers(files)
        for before, after, path in zip(numbers, numbers[1:], files[1:], strict=False):
            if after != before + 1:
                return f"{path}: the number before it is missing; complete the download"
    first, other = _first(pictures), _first(slices)
    if first not in {0, other}:
        counts = f"pictures count from {first}, slices from {other}"
        return f"{pictures[0]}: {counts}; is one missing?"
    return ""


def _first(files: tuple[str, ...]) -> int:
    return next(iter(_numbers(files)), 0)


def _numbers(files: tuple[str, ...]) -> list[int]:
    """Return the number in each name that counts: the one that is not the same in all."""
    parts = [[int(n) for n in re.findall(r"[0-9]+", PurePosixPath(f).name)] for f in files]
    if len(files) == 1 or len({len(p) for p in parts}) != 1:
        return []
    varying = [n for n, column in enumerate(zip(*parts, strict=True)) if len(set(column)) > 1]
    return [p[varying[0]] for p in parts] if len(varying) == 1 else []
