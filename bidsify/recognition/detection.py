"""Which dataset is this? Decided by file names, and by signs where names fit several editions."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from .. import datasets
from ..dataset import Dataset
from ..errors import UsageError
from ..planning.claims import claimed, junk
from ..source import Source
from .editions import Settled, settle

#: Another dataset that fits this part of as many files as the best one makes the choice unsafe:
#: of the same files, and of others.
_AMBIGUOUS, _BESIDE = 0.5, 0.05
_SHOWN = 3
_ENOUGH = 1000  # files that tell which datasets are worth a full count


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dataset, and the files that fit its layout."""

    dataset: Dataset
    files: frozenset[str]

    @property
    def fitting(self) -> int:
        """Return how many files fit."""
        return len(self.files)


def candidates(paths: Sequence[str]) -> tuple[Candidate, ...]:
    """List the datasets whose layout fits any file, the best first.

    All datasets are held against some of the files, and the better ones against all.
    """
    known = [datasets.load(name) for name in datasets.names()]
    part = max(1, len(paths) // _ENOUGH)  # by a hash: a stride can keep step with the files
    some = [path for path in paths if zlib.crc32(path.encode("utf-8", "replace")) % part == 0]
    rough = {one.name: len(claimed(one, some)) for one in known}
    least = max(rough.values()) * _BESIDE / 2
    fitting = (Candidate(d, frozenset(claimed(d, paths))) for d in known if rough[d.name] >= least)
    found = (one for one in fitting if one.files)
    return tuple(sorted(found, key=lambda one: (-one.fitting, one.dataset.name)))


def choose(source: Source, found: Sequence[Candidate]) -> Settled:
    """Return the dataset that a source is, with the sign that told it from others if one did.

    Raises:
        UsageError: It is none that we know, or could be several.
    """
    paths = list(source.sizes)
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
    alike, beside = [best], list[Candidate]()
    for one in others:
        if best.files.isdisjoint(one.files):
            beside += [one] if one.fitting >= _BESIDE * best.fitting else []
        elif one.fitting >= _AMBIGUOUS * best.fitting:
            alike.append(one)
    if beside:
        msg = f"the source holds several datasets, {_named([best, *beside], ' and ')}; "
        msg += "convert each with --dataset"
        raise UsageError(msg)
    if len(alike) == 1:
        return Settled(best.dataset, "")
    settled = settle(source, [one.dataset for one in alike])
    if settled is None:
        msg = f"the source could be {_named(alike, ' or ')}, and what is in it does not tell which "
        msg += "(or that it is both); say it with --dataset"
        raise UsageError(msg)
    return settled


def _named(candidates: Sequence[Candidate], conjunction: str) -> str:
    return conjunction.join(f"{c.dataset.name} ({c.fitting} files)" for c in candidates)


def require_fit(paths: Sequence[str], dataset: Dataset) -> None:
    """Refuse a source that has no file of the dataset that the user named.

    Raises:
        UsageError: No file fits.
    """
    if not claimed(dataset, paths):
        wanted = ", ".join(product.source[0] for product in dataset.products[:_SHOWN])
        msg = (
            f"none of {len(paths)} files fits the layout of {dataset.name!r} (such as {wanted}); "
            f"see 'bidsify datasets {dataset.name}'"
        )
        raise UsageError(msg)
