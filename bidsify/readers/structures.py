"""DICOM RT Structure Sets: closed contours, and the voxels whose centres they enclose.

Contours of a structure in one slice are combined by exclusive or (DICOM PS3.3, C.8.8.6.3), so
holes and separate parts come out right. That section counts points on the contour as inside;
here a centre on it belongs to one side only, so that structures that touch never share a voxel.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import RTStructureSetStorage

from ..errors import SourceError
from ..volume import Array
from .dicom import LPS_TO_RAS, Grid
from .dicom_file import guarded, parse
from .polygons import REACH, UNIT, inside

_CORNERS = 3  # the fewest that enclose an area
_CONTOUR_DATA, _UNDEFINED = 0x30060050, 0xFFFFFFFF
_MAX_POINTS, _MAX_VOXELS = 1 << 22, 1 << 32
_FARTHEST = 1e5  # mm
_UID = re.compile(r"[0-9.]{1,64}")

#: How far a point may be from its slice, in slice distances. Tags are rounded to micrometres and
#: positions of slices may be uneven by a hundredth, both far less; contours between slices are
#: off by up to a half, and which slice they mean nobody knows.
_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Roi:
    """A structure. Each contour is an (n, 3) array of points, LPS, in millimetres."""

    number: int
    name: str
    contours: tuple[Array, ...]

    @property
    def label(self) -> str:
        """Return how messages call it; names need not be unique, nor be there at all."""
        return f"ROI {self.number} {self.name!r}"


@dataclass(frozen=True, slots=True)
class StructureSet:
    """The structures of a file, in its order.

    ``series`` and ``frame`` are the UIDs of the series and frame of reference they were drawn
    on; empty where the file names none or several. ``skipped`` says what encloses no area.
    """

    series: str
    frame: str
    rois: tuple[Roi, ...]
    skipped: tuple[str, ...] = ()


def read(content: bytes, path: str) -> StructureSet:
    """Return the structures of a file.

    Raises:
        SourceError: Not a whole RT Structure Set, or numbers that are no points.
    """
    dataset = parse(content, path)
    with guarded(f"{path}: not a readable DICOM structure set"):
        _check(dataset, path)
        return _structures(dataset, path)


def masks(structures: Sequence[Roi], where: Grid, path: str) -> Array:
    """Return which voxels belong to which structure: bool, axes column, row, slice, structure.

    A voxel belongs to a structure where its centre lies inside. Parts of a contour beside the
    image are cut off.

    Raises:
        SourceError: A contour that lies in no slice, or that is there twice.
    """
    columns, rows, slices = where.shape
    if math.prod(where.shape) * len(structures) > _MAX_VOXELS:
        msg = f"{path}: {len(structures)} structures on {where.shape} voxels are too many"
        raise SourceError(msg)
    found = np.zeros((*where.shape, len(structures)), bool, order="F")
    to_voxel = np.linalg.inv(where.affine) @ LPS_TO_RAS
    for n, roi in enumerate(structures):
        polygons: dict[int, list[Array]] = {}
        seen: set[tuple[int, bytes]] = set()
        for contour in roi.contours:
            k, polygon = _placed(contour, to_voxel, slices, f"{path}: {roi.label}")
            if (k, polygon.tobytes()) in seen:
                msg = f"{path}: {roi.label}: slice {k} has a contour twice, so which one is a hole?"
                raise SourceError(msg)
            seen.add((k, polygon.tobytes()))
            polygons.setdefault(k, []).append(polygon)
        for k, parts in polygons.items():
            found[:, :, k, n] = inside(parts, columns, rows).T
    return found


def beyond(structures: Sequence[Roi], where: Grid, path: str) -> list[str]:
    """Say which structures reach beyond the image in its plane: they are cut off there."""
    to_voxel = np.linalg.inv(where.affine) @ LPS_TO_RAS
    found = []
    for roi in structures:
        points = np.concatenate(roi.contours or (np.zeros((0, 3)),))
        voxels = points @ to_voxel[:2, :3].T + to_voxel[:2, 3]
        if (voxels < -1).any() or (voxels > np.array(where.shape[:2])).any():
            found.append(f"{path}: {roi.label} reaches beyond the image, and is cut off there")
    return found


def _check(dataset: pydicom.Dataset, path: str) -> None:
    """Refuse other objects, and files that were cut: pydicom keeps silent about those."""
    kind, modality = dataset.get("SOPClassUID"), dataset.get("Modality")
    stated = (kind or RTStructureSetStorage, modality or "RTSTRUCT")
    if stated != (RTStructureSetStorage, "RTSTRUCT") or not (kind or modality):
        msg = f"{path}: not an RT Structure Set but {modality!r} of the class {kind!r}"
        raise SourceError(msg)
    for tag in dataset.keys():  # noqa: SIM118  iterating a dataset would parse it
        raw: Any = dataset.get_item(tag)
        if raw.is_raw and raw.length != _UNDEFINED and len(raw.value or b"") < raw.length:
            msg = f"{path}: ends within the tag {tag}; download it again"
            raise SourceError(msg)
    for name in ("StructureSetROISequence", "ROIContourSequence"):
        if not dataset.get(name):
            msg = f"{path}: has no {name}, so it holds no contours; was it cut off?"
            raise SourceError(msg)


def _structures(dataset: pydicom.Dataset, path: str) -> StructureSet:
    listed = dataset.StructureSetROISequence
    names = {int(item.ROINumber): _name(item.get("ROIName")) for item in listed}
    if len(names) < len(listed):
        msg = f"{path}: two structures have the same number, so whose are the contours?"
        raise SourceError(msg)
    drawn: dict[int, list[Array]] = {number: [] for number in names}
    left = Counter[str]()
    limit = _MAX_POINTS
    for group in dataset.ROIContourSequence:
        number = int(group.ReferencedROINumber)
        where = f"{path}: ROI {number} {names.get(number, '')!r}"
        for item in group.get("ContourSequence") or ():
            points = _points(item, limit, where) if _is_area(item) else np.empty((0, 3))
            limit -= len(points)
            if number not in names:
                left[f"{where}: is not in the list of structures"] += 1
            elif not _is_area(item):
                left[f"{where}: {str(item.ContourGeometricType)!r} encloses no area"] += 1
            elif len(points) < _CORNERS:
                left[f"{where}: fewer than {_CORNERS} points"] += 1
            else:
                drawn[number].append(points)
    rois = tuple(Roi(number, name, tuple(drawn[number])) for number, name in names.items())
    empty = (f"{path}: {roi.label}: has no contour of an area" for roi in rois if not roi.contours)
    skipped = (*(f"{reason}; contours left out: {count}" for reason, count in left.items()), *empty)
    frames = dataset.get("ReferencedFrameOfReferenceSequence") or ()
    of_rois = [uid for item in listed if (uid := item.get("ReferencedFrameOfReferenceUID"))]
    of_frames = [frame.get("FrameOfReferenceUID") for frame in frames]
    return StructureSet(_series(frames), _only(of_rois or of_frames), rois, skipped)


def _series(frames: Iterable[pydicom.Dataset]) -> str:
    studies = (s for frame in frames for s in frame.get("RTReferencedStudySequence") or ())
    series = (one for study in studies for one in study.get("RTReferencedSeriesSequence") or ())
    return _only(one.get("SeriesInstanceUID") for one in series)


def _is_area(item: pydicom.Dataset) -> bool:
    return str(item.ContourGeometricType) in {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


def _points(item: pydicom.Dataset, limit: int, where: str) -> Array:
    """Return the (n, 3) points; from the text, as pydicom makes an object of each number."""
    raw: Any = item.get_item(_CONTOUR_DATA)
    text = ((raw and raw.value) or b"").strip(b" \0")
    count = text.count(b"\\") + 1 if text else 0
    if count > 3 * limit:
        msg = f"{where}: claims more than {_MAX_POINTS} points"
        raise SourceError(msg)
    stated = item.get("NumberOfContourPoints")
    if count % 3 or (stated not in {None, ""} and int(stated) * 3 != count):
        msg = f"{where}: a contour of {count} numbers, but {stated} points in three dimensions"
        raise SourceError(msg)
    values = np.fromiter(map(float, text.split(b"\\") if text else ()), np.float64, count)
    if b"_" in text or not (np.abs(values) < _FARTHEST).all():
        msg = f"{where}: a contour with points that are no numbers, or not in a patient"
        raise SourceError(msg)
    return values.reshape(-1, 3)


def _placed(contour: Array, to_voxel: Array, slices: int, where: str) -> tuple[int, Array]:
    """Return the slice of a contour, and its points (column, row) there in units of a voxel."""
    # products one by one: the same point gets the same voxel, whatever contour it is part of
    turned = (contour[:, axis, None] * to_voxel[:3, axis] for axis in range(3))
    voxels = sum(turned, start=to_voxel[:3, 3])
    k = int(np.rint(voxels[:, 2].mean()))
    off = float(np.abs(voxels[:, 2] - k).max())
    if off > _TOLERANCE:
        distance = off / float(np.linalg.norm(to_voxel[2, :3]))
        msg = (
            f"{where}: a contour reaches {distance:g} mm from the nearest slice, {k}; was it drawn "
            "on another series?"
        )
        raise SourceError(msg)
    if not 0 <= k < slices or np.abs(voxels[:, :2]).max() >= REACH:
        msg = f"{where}: a contour lies at slice {k} of {slices}, or far beside it: another series?"
        raise SourceError(msg)
    return k, np.rint(voxels[:, :2] * UNIT).astype(np.int64)


def _name(stated: object) -> str:
    parts = [stated] if isinstance(stated, str) else stated if isinstance(stated, Sequence) else []
    text = "\\".join(str(part) for part in parts)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _only(uids: Iterable[object]) -> str:
    """Return the one UID that is stated, if it is one."""
    found = {str(uid) for uid in uids if uid}
    uid = found.pop() if len(found) == 1 else ""
    return uid if _UID.fullmatch(uid) else ""
