"""Tables that are made from the source: points and scans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from ..engine.jobs import Made
from ..errors import SourceError
from ..planning.jobs import PointsJob, ScansJob
from ..readers import markups
from ..readers.nifti import inverse, peek
from ..source.reading import Fact, Reading
from ..text_files import MISSING, to_tsv
from ..volume import Array

_FLOAT32 = 4  # bytes


def points(job: PointsJob, reading: Reading, root: Path, present: frozenset[str]) -> Made:
    """Return a table of points; i, j, k only where the image that they lie on was written."""
    if job.reader == "tensors":
        return Made(_plane_table(job, reading), "")
    image = job.lies_on if job.lies_on in present else None
    rows = _space_rows(job, reading, inverse(peek(root / image), image) if image else None)
    return Made(to_tsv(job.columns, rows), "")


def _space_rows(job: PointsJob, reading: Reading, to_voxel: Array | None) -> Iterator[list[str]]:
    for path, stated in zip(job.sources, job.stated, strict=True):
        for place, point in enumerate(markups.read(reading.content(path), path)):
            voxel = [MISSING] * 3
            if to_voxel is not None:
                voxel = [_number(v) for v in (to_voxel @ [*point, 1.0])[:3]]
            yield [*stated, str(place), *map(_number, point), *voxel, path]


def _plane_table(job: PointsJob, reading: Reading) -> bytes:
    """Format all points at once: the texts beside them are the same for file after file."""
    (path,) = job.sources
    lists, numbers = [], []
    for key, structures in job.groups:
        stored = reading.array(path, key)
        parts = stored[np.newaxis] if stored.ndim == 2 else stored  # noqa: PLR2004
        if parts.ndim != 3 or parts.shape[0] != len(structures) or parts.shape[2] != 2:  # noqa: PLR2004
            msg = f"{path}: {key!r} has the shape {stored.shape}; expected lists of (x, y)"
            raise SourceError(msg)
        if not np.isfinite(parts).all():
            msg = f"{path}: {key!r} holds a coordinate that is no number"
            raise SourceError(msg)
        short = parts.dtype.kind == "f" and parts.dtype.itemsize <= _FLOAT32
        digits = 9 if short else 17  # what float32 and float64 need to be read back the same
        lists.append((key, structures, parts.shape[1], digits))
        numbers += parts.ravel().tolist()
    return (_template(job.columns, tuple(lists)) % tuple(numbers)).encode()


@lru_cache(maxsize=8)
def _template(
    columns: Sequence[str], lists: tuple[tuple[str, Sequence[str], int, int], ...]
) -> str:
    """Return the table with a place for each number."""
    rows = (
        (structure.replace("%", "%%"), key.replace("%", "%%"), str(place), *[f"%.{digits}g"] * 2)
        for key, structures, count, digits in lists
        for structure in structures
        for place in range(count)
    )
    names = [name.replace("%", "%%") for name in columns]
    return to_tsv(names, rows).decode()


def scans(job: ScansJob, origins: Mapping[str, tuple[str, ...]], facts: Mapping[str, Fact]) -> Made:
    """Return the scans table. ``origins`` maps each data file that exists to its sources."""
    folder = str(PurePosixPath(job.target).parent)
    rows = []
    for target in job.of:
        if target in origins:
            sources = origins[target]
            name, digest = sources[0], facts[sources[0]].sha256
            if len(sources) > 1:
                name, digest = str(PurePosixPath(name).parent), MISSING
            rows.append([target.removeprefix(folder + "/"), name, digest])
    return Made(to_tsv(("filename", "source_file", "source_sha256"), rows), "")


def _number(value: float) -> str:
    return repr(float(value) + 0.0)
