"""Prove that a written file holds what its sources hold, without the code that wrote it.

Files are read by nibabel, pydicom and json anew; slices are found through their own tags and
the inverse of the written affine, never by the order in which they were stacked. The one thing
shared with the writer is the reader of torch files, which the tests compare with torch. Where a
gzip stream was kept, to be the stream of the source is the proof, and only its start and its
size are looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ..jobs import CopyJob, Job, PointsJob, ScansJob, SidecarJob, TextJob, VolumeJob

Read = Callable[[str], bytes]


def faults(job: Job, read: Read, root: Path, inflated: Collection[str] = ()) -> Iterator[str]:
    """Say in a sentence each what the file of ``job`` below ``root`` lost or changed.

    ``read`` returns the content of a source file. ``inflated`` are the sources that are gzip
    files of one member and were inflated to their end, with the right sum and size: where such
    a stream was kept, it is not inflated again.
    """
    from . import texts, voxels  # noqa: PLC0415  nibabel takes 0.2 s

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
        case TextJob():
            if (root / job.target).read_bytes() != job.content.encode():
                yield "not the text of the plan"
        case _:
            pass
