"""Compare written tables and sidecars with the source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ..planning.jobs import PointsJob, ScansJob, SidecarJob
from ..source.reading import Reading
from ..volume import Array
from . import contours
from .reading import Read, arrays

_NEAR = 1e-6
_LANDMARK = 1e-3  # mm; voxel indices are written with six digits
_SCANS = ("filename", "source_file", "source_sha256")
_SPACE = ("x_mm", "y_mm", "z_mm")
_ARRAY_TEXTS = ("structure", "group", "point")


def points_faults(job: PointsJob, read: Read, root: Path) -> Iterator[str]:
    """Compare each row with the point of the source file that it names."""
    first, *rows = _text_lines(root / job.target)
    head = first.split("\t")
    if head != list(job.columns) or any(row.count("\t") != len(head) - 1 for row in rows):
        yield f"columns are {head}, not {list(job.columns)}, or a row has others"
        return
    cells = "\t".join(rows).split("\t")
    found = {name: cells[n :: len(head)] for n, name in enumerate(head) if rows}
    from_arrays = job.reader == "tensors"
    wanted = _array_points(job, read) if from_arrays else _markup_points(job, read)
    numbers: Sequence[str] = "xy" if from_arrays else _SPACE
    points = wanted.points
    if len(points) != len(rows):
        yield f"{len(rows)} rows for {len(points)} points of the source"
        return
    for name, texts in wanted.texts.items():
        yield from _first_wrong(name, found.get(name, ()), texts)
    stated = [found.get(name, ()) for name in numbers]
    shown = _numbers(stated).astype(points.dtype).T
    if shown.size and not np.array_equal(shown, points):
        line = int(np.argmax((points != shown).any(axis=1)))
        found_there = [column[line] for column in stated]
        yield f"line {line + 2}: {found_there} instead of {points[line].tolist()}"
    elif job.lies_on and shown.size and (root / job.lies_on).is_file():
        affine = nib.Nifti1Image.from_filename(root / job.lies_on).affine
        voxels = _numbers([found[name] for name in "ijk"])
        yield from _voxel_faults(voxels, points.T, affine)


@dataclass(frozen=True)
class _Points:
    """Points of the source: what is written beside each, and their coordinates (n, 2 or 3)."""

    texts: dict[str, list[str]]
    points: Array


def _markup_points(job: PointsJob, read: Read) -> _Points:
    texts: dict[str, list[str]] = {n: [] for n in job.columns if n not in {*_SPACE, *"ijk"}}
    points: list[list[float]] = []
    for path, stated in zip(job.sources, job.stated, strict=True):
        (markup,) = json.loads(read(path))["markups"]
        sign = _sign(markup)
        for place, entry in enumerate(markup["controlPoints"]):
            x, y, z = entry["position"]
            points.append([sign * x, sign * y, z])
            for name, text in zip((*texts,), (*stated, str(place), path), strict=True):
                texts[name].append(text)
    return _Points(texts, np.array(points, dtype=np.float64).reshape(-1, 3))


def _array_points(job: PointsJob, read: Read) -> _Points:
    document: Any = arrays(read(job.sources[0]), job.sources[0])
    texts: dict[str, list[str]] = {name: [] for name in _ARRAY_TEXTS}
    parts = []
    for key, structures in job.groups:
        array = np.asarray(document[key])
        count = array.size // 2 // len(structures)
        parts.append(array.reshape(-1, 2))
        texts["group"] += [key] * (count * len(structures))
        texts["structure"] += [name for name in structures for _ in range(count)]
        texts["point"] += [str(n) for _ in structures for n in range(count)]
    return _Points(texts, np.concatenate(parts))


def _first_wrong(name: str, found: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    if list(found) != list(wanted):
        pairs = enumerate(zip(found, wanted, strict=False), start=2)
        line, (one, other) = next((p for p in pairs if p[1][0] != p[1][1]), (0, ("", "")))
        yield f"line {line}: {name} is {one!r} instead of {other!r}"


def _voxel_faults(voxels: Array, space: Array, affine: Array) -> Iterator[str]:
    back = affine[:3, :3] @ voxels + affine[:3, 3:]
    near = np.abs(back - space) <= _NEAR * np.maximum(1.0, np.abs(space).max())
    if not near.all():
        line = int(np.argmin(near.all(axis=0)))
        where = f"voxel {voxels[:, line].tolist()} lies at {back[:, line].tolist()} mm"
        yield f"line {line + 2}: {where}, not at {space[:, line].tolist()}"


def _numbers(columns: Sequence[Sequence[str]]) -> Array:
    """Parse columns of numbers; what is none becomes NaN, which equals nothing."""
    try:
        return np.array([[*map(float, column)] for column in columns])
    except ValueError:
        return np.array([[_float(text) for text in column] for column in columns])


def scans_faults(job: ScansJob, reading: Reading, root: Path) -> Iterator[str]:
    """Check that each row names a file that exists, and the true hash of its source."""
    head, *lines = _lines(root / job.target)
    if head != list(_SCANS) or any(len(line) != len(head) for line in lines):
        yield f"columns are {head}, or a row has others"
        return
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    folder = (root / job.target).parent
    named = {row["filename"] for row in rows}
    if len(named) < len(rows):
        yield "a file is named twice"
    existing = {str((root / t).relative_to(folder)) for t in job.of if (root / t).is_file()}
    if named != existing:
        yield f"names {sorted(named - existing)}, which do not exist, and lacks "
        yield f"{sorted(existing - named)}"
    stated = {(row["source_file"], row["source_sha256"]) for row in rows}
    for path, digest in sorted(stated):
        if digest != "n/a" and reading.fact(path).sha256 != digest:
            yield f"{path} has another SHA-256 than {digest}"


def sidecar_faults(job: SidecarJob, read: Read, root: Path) -> Iterator[str]:
    """Check what is declared, the sources, and that landmarks lie where their points lie."""
    try:
        document = json.loads((root / job.target).read_bytes())
    except ValueError as error:
        yield f"not readable JSON: {error}"
        return
    if not isinstance(document, dict):
        yield "not a JSON object"
        return
    for name, value in json.loads(job.metadata).items():
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
    existing = [f"bids::{target}" for target in job.drawn_on if (root / target).is_file()]
    if document.get("Sources", []) != existing:
        yield f"Sources are {document.get('Sources')}, not {existing}"
    if job.structure_set:
        drawn = contours.names(read(job.structure_set))
        stated = document.get("LabelMap")
        if job.structures:
            known = {n for names in document.get("SourceStructures", {}).values() for n in names}
            if strange := sorted(known - {*drawn}):
                yield f"SourceStructures names {strange}, which {job.structure_set} has not"
        elif stated != drawn:
            yield f"LabelMap is {stated}, the structures are {drawn}"
    yield from _landmark_faults(job, document.get("AnatomicalLandmarkCoordinates", {}), read, root)


def _landmark_faults(
    job: SidecarJob, stated: dict[str, Any], read: Read, root: Path
) -> Iterator[str]:
    """Check that each landmark lies where the point of its file lies."""
    if not stated and not job.landmarks:
        return
    affine = nib.Nifti1Image.from_filename(root / job.of).affine
    for name, path in job.landmarks:
        (markup,) = json.loads(read(path))["markups"]
        entries = markup["controlPoints"]
        for place, entry in enumerate(entries, start=1):
            voxel = stated.get(name if len(entries) == 1 else f"{name}_{place}")
            point = np.array(entry["position"]) * [_sign(markup), _sign(markup), 1]
            shown = affine[:3, :3] @ voxel + affine[:3, 3] if voxel else np.full(3, np.nan)
            if not np.abs(shown - point).max() <= _LANDMARK:
                yield f"{name} lies at {shown.tolist()} mm, the point of {path} at {point.tolist()}"


def _sign(markup: dict[str, Any]) -> float:
    """Return the sign that turns x and y of a markup into RAS+."""
    return 1.0 if str(markup.get("coordinateSystem")) in {"RAS", "0"} else -1.0


def _lines(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in _text_lines(path)]


def _text_lines(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines() or [""]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
