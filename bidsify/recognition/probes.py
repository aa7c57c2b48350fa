"""Look into a few files of a source, where names do not tell what it is. Bounded in number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import SourceError
from ..source import Source

#: Files that are looked into. Of a set of which one in three files shows a sign, sixteen miss it
#: once in six hundred; the order of names says nothing of what is in them, so they are spread.
SAMPLE = 16


def spread(paths: Sequence[str]) -> list[str]:
    """Choose up to :data:`SAMPLE` paths, evenly over the list."""
    count = min(SAMPLE, len(paths))
    return [paths[n * len(paths) // count] for n in range(count)]


def label_values(source: Source, paths: Sequence[str]) -> set[int]:
    """Return the whole numbers that occur in some of these segmentations."""
    import numpy as np  # noqa: PLC0415  a plan from names need not pay for it

    from ..label_values import NUMBERS, firsts  # noqa: PLC0415
    from ..readers import nifti  # noqa: PLC0415

    found = set[int]()
    for path in spread(paths):
        try:
            image = nifti.read(source.read(path), path)
        except SourceError:  # told where it is converted
            continue
        stored = nifti.values(image)
        if stored.dtype.kind not in NUMBERS:
            continue
        slope, intercept = image.scaling
        whole = np.rint(np.unique(firsts(stored)) * slope + intercept)
        found |= {int(value) for value in whole if np.isfinite(value)}
    return found


def shapes(source: Source, paths: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Yield the grids of some of these images."""
    from ..readers import nifti  # noqa: PLC0415

    for path in spread(paths):
        try:
            yield nifti.read(source.read(path), path).shape
        except SourceError:  # noqa: PERF203  told where it is converted
            continue


def marked(source: Source, path: str) -> str:
    """Say why a mask cannot stand for "nothing was found"; empty where it is all zero."""
    from ..label_values import NUMBERS  # noqa: PLC0415
    from ..readers import nifti  # noqa: PLC0415

    try:
        image = nifti.read(source.read(path), path)
    except SourceError as error:
        return str(error)
    stored = nifti.values(image)
    if stored.dtype.kind not in NUMBERS:
        return f"{path}: a mask of the type {stored.dtype}, not numbers"
    slope, intercept = image.scaling
    count = int((stored * slope + intercept != 0).sum())
    why = f"{path}: {count} voxels are marked in a mask that should be empty; which is right?"
    return why if count else ""
