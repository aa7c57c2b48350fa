"""Prove the file of a job, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..engine.jobs import Job
from ..planning.jobs import CopyJob, PointsJob, ScansJob, SidecarJob, VolumeJob
from ..source.reading import Reading
from . import texts, voxels


def faults(job: Job, reading: Reading, root: Path) -> Iterator[str]:
    """Say in a sentence each what the file of ``job`` below ``root`` lost or changed.

    Where ``reading`` has inflated a gzip file of one member to its end, with the right sum and
    size, and its stream was kept, it is not inflated again.
    """
    read = reading.content
    match job:
        case VolumeJob():
            yield from voxels.faults(job, read, root / job.target, reading.inflated)
        case PointsJob():
            yield from texts.points_faults(job, read, root)
        case CopyJob():
            if (root / job.target).read_bytes() != read(job.sources[0]):
                yield f"not the bytes of {job.sources[0]}"
        case SidecarJob():
            yield from texts.sidecar_faults(job, read, root)
        case ScansJob():
            yield from texts.scans_faults(job, reading, root)
        case _:
            msg = f"nothing proves a file of the kind {job.kind!r}"
            raise AssertionError(msg)
