"""What only the whole dataset shows: codes that the official validator has outside of the schema.

Sidecars that describe no file, stimuli that nothing names, the citation file; and what our own
checks conclude from all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .checks import Evidence, check_dataset
from .citation import check_citation
from .dataset import Dataset
from .files.tree import Folder
from .findings import finding
from .issue import Located


def check_whole(
    dataset: Dataset, orphans: Iterable[str], evidence: Iterable[Evidence]
) -> Iterator[Located]:
    """Yield it; ``orphans`` are the JSON files that nothing beside or below them has used."""
    if not dataset.options.opens_files:
        return
    for path in orphans:
        if path not in dataset.seen:
            yield path, finding("SIDECAR_WITHOUT_DATAFILE")
    if unused := list(_unused_stimuli(dataset)):
        yield "", finding("UNUSED_STIMULUS", f"no events name {', '.join(unused)}")
    yield from check_citation(dataset)
    yield from check_dataset(evidence, dataset)


def _unused_stimuli(dataset: Dataset) -> Iterator[str]:
    """Yield the stimuli that no events name, where ``.bidsignore`` takes stimuli back in."""
    if "stimuli" in dataset.root.folders and dataset.ignore.has_lines:
        yield from _unused(dataset, dataset.root.child("stimuli"))


def _unused(dataset: Dataset, folder: Folder) -> Iterator[str]:
    if dataset.ignore.matches(folder.path):
        return
    for file in folder.files.values():
        is_used = file.is_viewed or file.path in dataset.seen
        if not is_used and not dataset.ignore.matches(file.path):
            yield file.path
    for name in folder.folders:
        yield from _unused(dataset, folder.child(name))
