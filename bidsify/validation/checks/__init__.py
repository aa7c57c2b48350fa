"""Our own checks: what neither the schema nor the official validator looks at.

Three calls: :func:`check_file` for each file, :func:`check_voxels` for each file at the level of
voxels, :func:`check_dataset` once at the end, with the evidence that the others have gathered.

A new check is a generator in one of the modules here, a row in ``../codes.tsv`` and two cases in
``tests/test_checks.py``, one that breaks it and one that is sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..context import Context
from ..dataset import Dataset
from ..findings import finding
from ..issue import Located
from . import description, grids, labels, links, privacy, registry, sizes
from .evidence import Evidence, conclude, observe, observe_voxels
from .registry import Fault

__all__ = ["Evidence", "check_dataset", "check_file", "check_voxels"]

_MODULES = (description, grids, labels, links, privacy, sizes)  # importing them registers checks


def check_file(context: Context, evidence: list[Evidence]) -> Iterator[Located]:
    """Yield what is wrong with a file, by its name, its header and its sidecar."""
    if context.file is None:
        return
    if context.header is not None:
        grids.remember(context)
    name = context.relative if context.folder.parent is None else ""
    for code, run in registry.of_headers(name, context.suffix, context.file.parts.extension):
        for fault in run(context):
            yield _found(context, code, fault)
    if context.suffix in registry.SEGMENTATIONS:
        evidence.extend(observe(context))


def check_voxels(context: Context, evidence: list[Evidence]) -> Iterator[Located]:
    """Yield what is wrong with the voxels of an image; does nothing with other files."""
    from . import voxels  # noqa: PLC0415  numpy takes 0.1 s that other levels need not pay

    summary = voxels.read(context)
    if summary is None:
        return
    if isinstance(summary, Fault):
        yield _found(context, "VOXELS_UNREADABLE", summary)
        return
    for code, fault in voxels.judge(context, summary):
        yield _found(context, code, fault)
    evidence.extend(observe_voxels(context, summary))


def check_dataset(evidence: Iterable[Evidence], dataset: Dataset) -> Iterator[Located]:
    """Yield what only the whole dataset shows."""
    yield from conclude(evidence, dataset)


def _found(context: Context, code: str, fault: Fault) -> Located:
    return context.relative, finding(code, fault.message, fault.where, fault.rule, fault.severity)
