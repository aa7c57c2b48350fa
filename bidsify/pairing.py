"""Which picture belongs to which DICOM slice: decided by names, as the publisher means them."""

from __future__ import annotations

from pathlib import PurePosixPath

from .dataset import Segmentation
from .jobs import Failure
from .view import Found, View, folder_of

Pairs = tuple[tuple[str, ...], tuple[str, ...]]


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
        return found.files, image.files
    slices = {PurePosixPath(path).stem: path for path in image.files}
    for path in found.files:
        if PurePosixPath(path).stem not in slices:
            why = f"{path}: no slice of the same name in {folder_of(image.files)}"
            return Failure(found.files, why, found.target)
    return found.files, tuple(slices[PurePosixPath(path).stem] for path in found.files)
