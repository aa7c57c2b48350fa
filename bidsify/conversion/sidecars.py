"""Sidecars of images and segmentations: what is declared, and what the source itself states."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .. import bids_schema
from ..engine.jobs import Made
from ..errors import SourceError
from ..planning.jobs import SidecarJob
from ..readers import markups
from ..readers.nifti import inverse, peek
from ..readers.places import same_grid
from ..source.reading import Reading
from ..text_files import is_deep, to_json

GRID_DIFFERS = "GridDiffersFromSources"
_MAX_DEPTH = 128

#: DICOM keyword -> (BIDS name, factor to the unit of BIDS): times are ms there and s here.
_DICOM: Mapping[str, tuple[str, float | None]] = {
    "EchoTime": ("EchoTime", 1e-3),
    "RepetitionTime": ("RepetitionTime", 1e-3),
    "InversionTime": ("InversionTime", 1e-3),
    "FlipAngle": ("FlipAngle", 1.0),
    "MagneticFieldStrength": ("MagneticFieldStrength", 1.0),
    "Manufacturer": ("Manufacturer", None),
    "ManufacturerModelName": ("ManufacturersModelName", None),
    "SequenceName": ("SequenceName", None),
    "ScanningSequence": ("ScanningSequence", None),
    "SequenceVariant": ("SequenceVariant", None),
    "MRAcquisitionType": ("MRAcquisitionType", None),
}

#: Keys of dcm2niix that tell who was scanned, where and when.
_IDENTIFYING = re.compile(
    r"Patient(?!Position).*|.*UID|.*Date(Time)?|(Acquisition|Series|Study|Content)Time|"
    r"StudyID|Accession.*|.*(Physician|Operator).*|DeviceSerialNumber|StationName|"
    r"Institution(Address|alDepartmentName)|ProcedureStepDescription|ImageComments"
)
_OURS = {"Sources", "RawSources", "SpatialReference"}
_RENAMED = {"BodyPartExamined": "BodyPart"}


def make(job: SidecarJob, reading: Reading, root: Path, present: frozenset[str]) -> Made:
    """Return the sidecar of a data file that was written below ``root``.

    ``present`` are the data files of the unit that exist.
    """
    notes: list[str] = []
    document: dict[str, Any] = {}
    if job.native_json:
        document |= _native(job.native_json, reading, notes)
    if job.dicom:
        document |= _from_dicom(job.dicom, reading, notes)
    document |= json.loads(job.metadata)
    drawn_on = [target for target in job.drawn_on if target in present]
    if drawn_on:
        document["Sources"] = [f"bids::{target}" for target in drawn_on]
        if not same_grid(peek(root / job.of), peek(root / drawn_on[0])):
            document[GRID_DIFFERS] = True
            notes.append(f"{job.of}: the grid differs from that of {drawn_on[0]}; kept as stored")
    if job.structure_set:
        document |= _structures(job, reading)
    if job.landmarks:
        document["AnatomicalLandmarkCoordinates"] = _landmarks(job, reading, root)
    content = to_json(document).encode()
    return Made(content, "", tuple(notes))


def _structures(job: SidecarJob, reading: Reading) -> dict[str, Any]:
    """Return the native names of structures: of each channel, or of each label."""
    from ..readers import structures as reader  # noqa: PLC0415
    from . import structures  # noqa: PLC0415

    path = str(job.structure_set)
    names = [roi.name for roi in reader.read(reading.content(path), path).rois]
    if not job.structures:
        return {"LabelMap": names}
    rows = structures.indices(names, dict(job.structures))
    found = sorted({row for row in rows if row is not None})
    return {
        "SourceStructures": {
            str(row): [name for name, index in zip(names, rows, strict=True) if index == row]
            for row in found
        }
    }


def _native(path: str, reading: Reading, notes: list[str]) -> dict[str, Any]:
    """Take over a sidecar of the source, without what identifies and what BIDS would refuse."""
    try:
        document = json.loads(reading.content(path))
    except (ValueError, RecursionError) as error:
        msg = f"{path}: not readable JSON ({error}); download it again"
        raise SourceError(msg) from error
    if not isinstance(document, dict) or is_deep(document, _MAX_DEPTH):
        why = "nested too deep" if isinstance(document, dict) else "not a JSON object"
        msg = f"{path}: {why}; is it the sidecar of an image?"
        raise SourceError(msg)
    dropped = sorted(_OURS & document.keys())
    notes.extend(f"{path}: {name} left out: it speaks of another tree" for name in dropped)
    kept: dict[str, Any] = {
        str(_RENAMED.get(k, k)): v
        for k, v in document.items()
        if not _IDENTIFYING.fullmatch(k) and k not in _OURS
    }
    return _valid(kept, path, notes)


def _from_dicom(path: str, reading: Reading, notes: list[str]) -> dict[str, Any]:
    from ..readers import dicom, dicom_file  # noqa: PLC0415

    (first,) = dicom.read_slices([(path, reading.content(path))], pixels=False)
    with dicom_file.guarded(f"{path}: not a readable DICOM file"):
        return _valid(dict(_dicom_facts(first.dataset)), path, notes)


def _valid(found: dict[str, Any], path: str, notes: list[str]) -> dict[str, Any]:
    """Leave out what the schema of BIDS refuses, and say so."""
    wrong = {name for name, value in found.items() if not _is_valid(name, value)}
    notes.extend(f"{path}: {name} left out: BIDS refuses its value" for name in sorted(wrong))
    return {name: value for name, value in found.items() if name not in wrong}


def _dicom_facts(dataset: Any) -> Iterator[tuple[str, Any]]:
    for keyword, (name, factor) in _DICOM.items():
        value = dataset.get(keyword)
        if value in (None, ""):
            continue
        if factor is not None:
            yield name, _scaled(value, factor)
        elif isinstance(value, str):
            yield name, str(value)
        else:
            yield name, [str(part) for part in value]


def _scaled(value: Any, factor: float) -> float:
    """Change the unit: 4.6 ms is 0.0046 s, not 0.00459999999; NaN where it is no number."""
    try:
        return float(f"{float(value) * factor:.12g}")
    except (TypeError, ValueError):
        return math.nan


def _landmarks(job: SidecarJob, reading: Reading, root: Path) -> Mapping[str, list[float]]:
    """Return name -> fractional voxel index of the image, from 0."""
    to_voxel = inverse(peek(root / job.of), job.of)
    found: dict[str, list[float]] = {}
    for name, path in job.landmarks:
        points = markups.read(reading.content(path), path)
        for place, point in enumerate(points):
            voxel = (to_voxel @ [*point, 1.0])[:3]
            label = name if len(points) == 1 else f"{name}_{place + 1}"
            found[label] = [round(float(v), 6) + 0.0 for v in voxel]
    return found


def _is_valid(name: str, value: object) -> bool:
    return _is_finite(value) and not any(_validator(name).iter_errors(value))


def _is_finite(value: object) -> bool:
    """Say whether JSON can hold it: it has no NaN and no infinity."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(bids_schema.schema()["objects"]["metadata"].get(name, {}))
