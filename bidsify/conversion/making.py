"""What the jobs of a conversion mean: how the file of each is made, and how it is proved."""

from __future__ import annotations

from collections.abc import Iterator

from ..engine.jobs import Job, Made, Omitted
from ..engine.work import Bench
from ..planning.jobs import CopyJob, PointsJob, ScansJob, SidecarJob, VolumeJob
from ..proof import jobs as proof
from . import sidecars, tables, volumes
from .copies import check_twin, checked_copy


def make(job: Job, bench: Bench, *, reproducible: bool) -> Made | Omitted:
    """Return the content of the file of a job, after a look at copies of its sources.

    Raises:
        SourceError: A source is not what it claims to be, or a copy is none.
    """
    made = _make(job, bench, reproducible=reproducible)
    for copy, original in job.twins:
        check_twin(copy, original, bench.reading)
    return made


def prove(job: Job, bench: Bench) -> Iterator[str]:
    """Say in a sentence each what the written file lost or changed."""
    yield from proof.faults(job, bench.reading, bench.root)


def _make(job: Job, bench: Bench, *, reproducible: bool) -> Made | Omitted:
    reading = bench.reading
    match job:
        case VolumeJob():
            return volumes.make(job, reading, reproducible=reproducible)
        case PointsJob():
            return tables.points(job, reading, bench.root, bench.present)
        case CopyJob():
            return Made(checked_copy(job.sources[0], reading), "")
        case SidecarJob():
            return sidecars.make(job, reading, bench.root, bench.present)
        case ScansJob():
            facts = {path: fact for r in bench.done.values() for path, fact in r.sources}
            made = tables.scans(job, bench.origins, facts)
            return Made(made.content, "", tuple(_unknown_entries(bench)))
        case _:
            msg = f"no unit holds a job of kind {job.kind!r}"
            raise AssertionError(msg)


def _unknown_entries(bench: Bench) -> Iterator[str]:
    """Say which arrays of the files that were used no job of the unit asks for."""
    jobs = bench.unit.jobs
    asked = {job.array.key for job in jobs if isinstance(job, VolumeJob) and job.array}
    asked |= {key for job in jobs if isinstance(job, PointsJob) for key, _ in job.groups}
    paths = {
        job.sources[0]
        for job in jobs
        if isinstance(job, VolumeJob) and job.reader == "tensors" and job.target in bench.origins
    }
    for path in sorted(paths):
        if left := sorted(set(map(str, bench.reading.arrays(path))) - asked):
            yield f"{path}: entries that the declaration does not know: {', '.join(left)}"
