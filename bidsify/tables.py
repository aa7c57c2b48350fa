"""Tables that are made from the source: points, scans, and who is in the tree."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from .dataset import Column, Json
from .errors import SourceError
from .jobs import PeopleJob, PeopleSidecarJob, PointsJob, ScansJob
from .readers import markups
from .readers.nifti import inverse, peek
from .reading import Fact, Reading
from .shared import column_definitions, to_json
from .volume import Array
from .volumes import Made

MISSING = "n/a"
_MAX_AGE = 89  # ages above identify a person (BIDS: participants file)
_FLOAT32 = 4  # bytes
_UNITS = {"years": "year", "months": "month", "weeks": "week", "days": "day"}


def points(job: PointsJob, reading: Reading, root: Path, present: frozenset[str]) -> Made:
    """Return a table of points; i, j, k only where the image that they lie on was written."""
    if job.reader == "tensors":
        rows = _plane_rows(job, reading)
    else:
        grid = root / job.grid if job.grid in present and job.grid else None
        rows = _space_rows(job, reading, inverse(peek(grid), str(job.grid)) if grid else None)
    return Made(_to_tsv(job.columns, rows), "")


def _space_rows(job: PointsJob, reading: Reading, to_voxel: Array | None) -> Iterator[list[str]]:
    for path, stated in zip(job.sources, job.stated, strict=True):
        for place, point in enumerate(markups.read(reading.content(path), path)):
            voxel = [MISSING] * 3
            if to_voxel is not None:
                voxel = [_number(v) for v in (to_voxel @ [*point, 1.0])[:3]]
            yield [*stated, str(place), *map(_number, point), *voxel, path]


def _plane_rows(job: PointsJob, reading: Reading) -> Iterator[list[str]]:
    (path,) = job.sources
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
        for structure, part in zip(structures, parts, strict=True):
            for place, (x, y) in enumerate(part.tolist()):
                yield [structure, key, str(place), f"{x:.{digits}g}", f"{y:.{digits}g}"]


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
    return Made(_to_tsv(("filename", "source_file", "source_sha256"), rows), "")


def people(job: PeopleJob, reading: Reading, folders: frozenset[str]) -> Made:
    """Return participants or sessions: a row for each folder that exists in the tree."""
    columns, rows, notes = list(job.columns), dict(job.rows), []
    values = {folder: list(row) for folder, row in rows.items() if folder in folders}
    if job.native:
        names, table = native_table(reading.content(job.native), job.native)
        added = [name for name in names if name not in job.columns]
        columns += added
        for row in values.values():
            native = table.get(row[0], {})
            row.extend(_capped(name, native.get(name) or MISSING) for name in added)
        if alone := sorted(set(table) - {row[0] for row in values.values()}):
            notes.append(f"{job.native}: {len(alone)} subjects have no files: {', '.join(alone)}")
    return Made(_to_tsv(columns, values.values()), "", tuple(notes))


def people_sidecar(job: PeopleSidecarJob, reading: Reading) -> Made:
    """Return the definitions of all columns of the participants table."""
    document: dict[str, Json] = json.loads(job.metadata)
    if job.native:
        names, _ = native_table(reading.content(job.native), job.native)
        stated = _definitions(job, reading)
        for name in names[1:]:
            if name not in document:
                column = Column(description=f"As in {job.native} of the source dataset.")
                document[name] = {
                    **column_definitions({name: column})[name],
                    **stated.get(name, {}),
                }
    return Made(to_json(document).encode(), "")


def _definitions(job: PeopleSidecarJob, reading: Reading) -> Mapping[str, dict[str, Json]]:
    if job.native_json is None:
        return {}
    try:
        document = json.loads(reading.content(job.native_json))
    except (ValueError, RecursionError) as error:
        msg = f"{job.native_json}: not readable JSON ({error})"
        raise SourceError(msg) from error
    entries = document if isinstance(document, dict) else {}
    known = {name: dict(entry) for name, entry in entries.items() if isinstance(entry, dict)}
    for entry in known.values():
        if entry.get("Units") in _UNITS:
            entry["Units"] = _UNITS[entry["Units"]]
    return known


def native_table(content: bytes, path: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Parse a participants table of the source: its columns, and participant -> values."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        msg = f"{path}: not a readable table ({error})"
        raise SourceError(msg) from error
    names, *rows = [[_cell(cell) for cell in line.split("\t")] for line in lines if line] or [[]]
    if not names or names[0] != "participant_id" or any(len(row) > len(names) for row in rows):
        msg = f"{path}: not a participants table: its first column is no participant_id, or its "
        msg += "rows have more cells than its head"
        raise SourceError(msg)
    table = {row[0]: dict(zip(names, row, strict=False)) for row in rows}
    if len(table) < len(rows):
        msg = f"{path}: a participant occurs twice; remove one of the rows"
        raise SourceError(msg)
    return names, table


def _cell(text: str) -> str:
    return " ".join(text.split())


def _capped(name: str, value: str) -> str:
    if name.lower() != "age":
        return value
    try:
        age = float(value)
    except ValueError:
        return MISSING
    if not math.isfinite(age):
        return MISSING
    return value if age <= _MAX_AGE else str(_MAX_AGE)


def _number(value: float) -> str:
    return repr(float(value) + 0.0)


def _to_tsv(columns: Sequence[str], rows: Iterable[list[str]]) -> bytes:
    lines = ["\t".join(columns)]
    lines.extend("\t".join(row) for row in rows)
    return ("\n".join(lines) + "\n").encode()
