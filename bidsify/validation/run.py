"""Validate a tree: the root here, what lies below in shares that processes can take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import bids_schema
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import UsageError
from . import hed
from .dataset import Dataset, open_dataset
from .findings import finding
from .issue import Located, Report
from .options import Options, Request
from .rules.rulebook import Rulebook
from .share import Share
from .walk import Tally, enter, orphans, visit_files
from .whole import check_whole

if TYPE_CHECKING:
    from .memory import Notes
    from .visits import Known

RECORD = ("code", "bidsify", "conversion.json")  # what a conversion leaves
_FEW = 500  # folders at the root that one process visits in half a second
_SHARES = 8  # for each worker: small enough to even out, large enough to cost nothing
# Located with a file that many others share, by each of them.
_SHARED = frozenset(
    {
        "JSON_SCHEMA_VALIDATION_ERROR",
        "TSV_COLUMN_TYPE_REDEFINED",
        "SIDECAR_FIELD_OVERRIDE",
        "MULTIPLE_INHERITABLE_FILES",
    }
)


def validate_tree(request: Request, workers: int = 1, notes: Notes | None = None) -> Report:
    """Validate the dataset at ``request.root``; with 0 workers, as many as make it faster.

    What is in ``notes`` is not read again; what was read is added to what they have met.

    Raises:
        UsageError: there is no such folder.
        SchemaError: the schema cannot be read, or is newer than this version understands.
    """
    start = time.perf_counter()
    if request.profile:
        from .. import datasets  # noqa: PLC0415

        datasets.load(request.profile)  # a wrong name shows before the work
    if not Path(request.root).is_dir():
        msg = f"{request.root}: no such folder"
        raise UsageError(msg)
    _open.cache_clear()  # the tree may have changed since the last run in this process
    dataset = _open(request)
    whole = _visit_tree(request, dataset, workers, notes)
    tally, found = whole.tally, whole.tally.found
    orphaned = [*orphans(dataset, dataset.root), *tally.orphans]
    found += check_whole(dataset, orphaned, tally.evidence)
    found += _profile(dataset, request.profile)
    schema = dataset.rulebook.schema
    return Report(
        root=request.root,
        schema_version=schema["schema_version"],
        bids_version=schema["bids_version"],
        files=tally.files,
        subjects=sum(name.startswith("sub-") for name in dataset.root.folders),
        seconds=time.perf_counter() - start,
        findings=tuple(_once(hed.once(found), request.options)),
    )


def _visit_tree(request: Request, dataset: Dataset, workers: int, notes: Notes | None) -> Share:
    """Visit the root and all below it; what is used of the root is marked there."""
    known, ground, memory = None, None, None
    if notes is not None:
        from .ground import Ground  # noqa: PLC0415  where there is a cache
        from .visits import Known  # noqa: PLC0415  where there is a cache

        ground = Ground(dataset)
        known = Known(notes.known, ground.key, notes.started)
        memory = dataset.memory = notes.at_root()
    names = tuple(dataset.root.folders)
    whole = Share(Tally(found=list(dataset.faults)))
    visit_files(dataset, dataset.root, whole.tally)
    whole.checked = dataset.checked_at_root()
    for share in _visit_all(request, names, workers or _best(len(names)), known):
        whole.add(share)
    dataset.seen |= whole.seen
    for name in whole.viewed & dataset.root.files.keys():
        dataset.root.files[name].is_viewed = True
    if notes and memory and ground:
        notes.renew(names, whole.met, memory, is_sure=ground.is_unchanged)
    return whole


def _best(folders: int) -> int:
    """Return a number of workers: starting processes costs as much as some hundred folders."""
    return 1 if folders < _FEW else os.cpu_count() or 1


def _visit_all(
    request: Request, names: Sequence[str], workers: int, known: Known | None = None
) -> Iterator[Share]:
    """Visit the folders at the root, in processes; yield shares in the order of the names."""
    size = max(1, -(-len(names) // (workers * _SHARES)) if workers > 1 else len(names))
    parts = [tuple(names[i : i + size]) for i in range(0, len(names), size)]
    items = [(part, known.of(part) if known else None) for part in parts]
    done: dict[tuple[str, ...], Share] = {}
    for (part, _), share in run_all(_visit_share, request, items, workers):
        if isinstance(share, WorkerDiedError):
            lost = Share()
            died = finding("FILE_READ", "the process died here")
            lost.tally.found = [(f"{name}/", died) for name in part]
            done[part] = lost
        else:
            done[part] = share
    yield from (done[part] for part in parts)


def _visit_share(request: Request, part: tuple[tuple[str, ...], Known | None]) -> Share:
    names, known = part
    dataset = _open(request)
    share = Share()
    if known:
        from .visits import visit  # noqa: PLC0415  where there is a cache

        for name in names:
            share.add(visit(dataset, name, known))
        return share
    for name in names:
        enter(dataset, dataset.root, name, share.tally)
    share.viewed = {file.name for file in dataset.root.files.values() if file.is_viewed}
    share.checked = dataset.checked_at_root()
    share.seen = set(dataset.seen)
    return share


@cache
def _open(request: Request) -> Dataset:
    return open_dataset(request.root, _rulebook(request.schema), request.options)


@cache
def _rulebook(schema: str | None) -> Rulebook:
    return Rulebook(bids_schema.load(Path(schema)) if schema else bids_schema.schema())


def _profile(dataset: Dataset, profile: str | None) -> Iterator[Located]:
    """Hold the tree against its declaration, if it was made by us or one is named."""
    if profile or Path(dataset.root.location, *RECORD).exists():
        from .profiles import check_profile  # noqa: PLC0415  most trees are not ours

        yield from check_profile(dataset, profile)


def _once(found: Iterable[Located], options: Options) -> Iterator[Located]:
    met: set[Any] = set()
    for pair in found:
        if options.skip_missing and pair[1].code == "CONTENT_MISSING":
            continue
        if pair[1].code in _SHARED:
            if pair in met:
                continue
            met.add(pair)
        yield pair
