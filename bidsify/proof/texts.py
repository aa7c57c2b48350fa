"""Compare written tables and sidecars with the source."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ..jobs import PointsJob, ScansJob, SidecarJob
from ..readers import tensors
from ..volume import Array
from . import Read

_NEAR = 1e-6
_Row = tuple[dict[str, str], Array]


def points_faults(job: PointsJob, read: Read, root: Path) -> Iterator[str]:
    """Compare each row with the point of the source file that it names."""
    columns, rows = _table(root / job.target)
    if columns != list(job.columns):
        yield f"columns are {columns}, not {list(job.columns)}"
        return
    expected = _arrays_points(job, read) if job.reader == "tensors" else _markup_points(job, read)
    wanted = list(expected)
    if len(wanted) != len(rows):
        yield f"{len(rows)} rows for {len(wanted)} points of the source"
        return
    numbers = ("x", "y") if job.reader == "tensors" else ("x_mm", "y_mm", "z_mm")
    for line, (row, (texts, point)) in enumerate(zip(rows, wanted, strict=True), start=2):
        stated = {name: row[name] for name in texts}
        if stated != texts:
            yield f"line {line}: {stated} instead of {texts}"
            return
        shown = np.array([_float(row[name]) for name in numbers], dtype=point.dtype)
        if not np.array_equal(shown, point):
            yield f"line {line}: {shown.tolist()} instead of {point.tolist()}"
            return
    if job.grid and (root / job.grid).is_file():
        yield from _voxel_faults(rows, nib.Nifti1Image.from_filename(root / job.grid).affine)


def _markup_points(job: PointsJob, read: Read) -> Iterator[_Row]:
    for path, stated in zip(job.sources, job.stated, strict=True):
        (markup,) = json.loads(read(path))["markups"]
        sign = 1.0 if markup.get("coordinateSystem") in ("RAS", "0", 0) else -1.0
        for place, entry in enumerate(markup["controlPoints"]):
            x, y, z = entry["position"]
            names = dict(zip(job.columns, stated, strict=False))
            names |= {"point": str(place), "source_file": path}
            yield names, np.array([sign * x, sign * y, z], dtype=np.float64)


def _arrays_points(job: PointsJob, read: Read) -> Iterator[_Row]:
    document: Any = tensors.load(read(job.sources[0]), job.sources[0])
    for key, structures in job.groups:
        flat = np.asarray(document[key]).reshape(len(structures), -1, 2)
        for structure, part in zip(structures, flat, strict=True):
            for place, point in enumerate(part):
                yield {"group": key, "structure": structure, "point": str(place)}, point


def _voxel_faults(rows: list[dict[str, str]], affine: Array) -> Iterator[str]:
    for line, row in enumerate(rows, start=2):
        voxel = [_float(row[name]) for name in "ijk"]
        space = [_float(row[name]) for name in ("x_mm", "y_mm", "z_mm")]
        back = affine[:3, :3] @ voxel + affine[:3, 3]
        if not np.allclose(back, space, rtol=0, atol=_NEAR * max(1.0, float(np.abs(space).max()))):
            yield f"line {line}: voxel {voxel} lies at {back.tolist()} mm, not at {space}"
            return


def scans_faults(job: ScansJob, read: Read, root: Path) -> Iterator[str]:
    """Check that each row names a file that exists, and the true hash of its source."""
    _, rows = _table(root / job.target)
    folder = (root / job.target).parent
    named = {row["filename"] for row in rows}
    existing = {str((root / t).relative_to(folder)) for t in job.of if (root / t).is_file()}
    if named != existing:
        yield f"names {sorted(named - existing)}, which do not exist, and lacks "
        yield f"{sorted(existing - named)}"
    for row in rows:
        digest = row["source_sha256"]
        if digest != "n/a" and hashlib.sha256(read(row["source_file"])).hexdigest() != digest:
            yield f"{row['source_file']} has another SHA-256 than {digest}"


def sidecar_faults(job: SidecarJob, read: Read, root: Path) -> Iterator[str]:
    """Check what is declared, the sources, and that landmarks lie where their points lie."""
    try:
        document = json.loads((root / job.target).read_bytes())
    except ValueError as error:
        yield f"not readable JSON: {error}"
        return
    for name, value in json.loads(job.metadata).items():
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
    for uri in document.get("Sources", ()):
        if not (root / str(uri).removeprefix("bids::")).is_file():
            yield f"Sources names {uri}, which does not exist"
    stated = document.get("AnatomicalLandmarkCoordinates", {})
    if stated or job.landmarks:
        affine = nib.Nifti1Image.from_filename(root / job.of).affine
        placed = np.array([affine[:3, :3] @ v + affine[:3, 3] for v in stated.values()])
        for _, path in job.landmarks:
            for entry in json.loads(read(path))["markups"][0]["controlPoints"]:
                sign = json.loads(read(path))["markups"][0].get("coordinateSystem") != "RAS"
                point = np.array(entry["position"]) * ([-1, -1, 1] if sign else [1, 1, 1])
                if not len(placed) or np.abs(placed - point).max(axis=1).min() > 1e-3:  # noqa: PLR2004
                    yield f"no landmark lies at the point {point.tolist()} mm of {path}"


def _table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""), delimiter="\t")
    rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
