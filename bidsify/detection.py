"""Which dataset is this? Decided by file names alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import datasets
from .claims import count_claimed, junk
from .dataset import Dataset
from .errors import UsageError

#: Another dataset that fits this part of the files of the best one makes the choice unsafe.
_AMBIGUOUS = 0.5
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dataset, and the number of files that fit its layout."""

    dataset: Dataset
    fitting: int


def candidates(paths: Sequence[str]) -> tuple[Candidate, ...]:
    """List the datasets whose layout fits any file, the best first."""
    counted = (
        Candidate(dataset, count_claimed(dataset, paths))
        for dataset in map(datasets.load, datasets.names())
    )
    fitting = (found for found in counted if found.fitting)
    return tuple(sorted(fitting, key=lambda found: (-found.fitting, found.dataset.name)))


def choose(paths: Sequence[str], found: Sequence[Candidate]) -> Dataset:
    """Return the dataset that a source is.

    Raises:
        UsageError: It is none that we know, or could be several.
    """
    if not any(not junk(path) for path in paths):
        msg = "the source holds no files; is the path right, and the download unpacked?"
        raise UsageError(msg)
    if not found:
        shown = ", ".join(paths[:_SHOWN])
        msg = (
            f"dataset not recognised: {len(paths)} files such as {shown} fit no known layout; "
            "'bidsify datasets' lists the layouts, --dataset ./mine.py takes one of your own"
        )
        raise UsageError(msg)
    best, *others = found
    if others and others[0].fitting >= _AMBIGUOUS * best.fitting:
        names = " or ".join(f"{c.dataset.name} ({c.fitting} files)" for c in found[:_SHOWN])
        msg = f"the source could be {names}; say which with --dataset"
        raise UsageError(msg)
    return best.dataset


def require_fit(paths: Sequence[str], dataset: Dataset) -> None:
    """Refuse a source that has no file of the dataset that the user named.

    Raises:
        UsageError: No file fits.
    """
    if not count_claimed(dataset, paths):
        wanted = ", ".join(product.source[0] for product in dataset.products[:_SHOWN])
        msg = (
            f"none of {len(paths)} files fits the layout of {dataset.name!r} (such as {wanted}); "
            f"see 'bidsify datasets {dataset.name}'"
        )
        raise UsageError(msg)
