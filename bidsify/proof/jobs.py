"""Prove the file of a job, whichever kind it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ..engine.jobs import Job
from ..planning.jobs import CopyJob, PointsJob, ScansJob, SidecarJob, VolumeJob
from . import texts, voxels
from .reading import Read


def faults(job: Job, read: Read, root: Path, inflated: Collection[str] = ()) -> Iterator[str]:
    """Say in a sentence each what the file of ``job`` below ``root`` lost or changed.

    ``read`` returns the content of a source file. ``inflated`` are the sources that are gzip
    files of one member and were inflated to their end, with the right sum and size: where such
    a stream was kept, it is not inflated again.
    """
    match job:
        case VolumeJob():
            yield from voxels.faults(job, read, root / job.target, inflated)
        case PointsJob():
            yield from texts.points_faults(job, read, root)
        case CopyJob():
            if (root / job.target).read_bytes() != read(job.sources[0]):
                yield f"not the bytes of {job.sources[0]}"
        case SidecarJob():
            yield from texts.sidecar_faults(job, read, root)
        case ScansJob():
            yield from texts.scans_faults(job, read, root)
        case _:
            msg = f"nothing proves a file of the kind {job.kind!r}"
            raise AssertionError(msg)
