"""Encode radiotherapy objects in DICOM: structure sets, plans and doses. No file is written here.

Each object refers to the one before by its identifiers: the structure set to the slices on which it
was drawn, the plan to the structure set, the dose to the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    MRImageStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
)

from . import native

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .phantom import Array

_STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"  # the class that names a study, since retired
# Attributes that DICOM wants in each of these files, even empty.
_UNKNOWN = (
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "Manufacturer"),
    *("PatientBirthDate", "PatientSex", "StudyID", "SeriesNumber", "OperatorsName"),
)
_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The series of slices on which structures are drawn, by identifiers."""

    study: str
    series: str
    frame: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of interest: polygons (points, 3) in LPS mm, each with the identifier of a slice."""

    name: str
    contours: Sequence[tuple[str, Array]]


def structure_set(tags: Mapping[str, object], images: Images, regions: Sequence[Region]) -> bytes:
    """Encode a structure set with one closed planar contour for each polygon."""
    dataset = _dataset(tags, RTStructureSetStorage, "RTSTRUCT")
    dataset.StructureSetLabel = "CONTOURS"
    dataset.StructureSetDate = dataset.StructureSetTime = ""
    dataset.ReferencedFrameOfReferenceSequence = [_frame(images)]
    numbered = list(enumerate(regions, start=1))
    dataset.StructureSetROISequence = [
        _item(
            ROINumber=str(number),
            ReferencedFrameOfReferenceUID=images.frame,
            ROIName=region.name,
            ROIGenerationAlgorithm="MANUAL",
        )
        for number, region in numbered
    ]
    dataset.ROIContourSequence = [_roi(number, region) for number, region in numbered]
    dataset.RTROIObservationsSequence = [
        _item(
            ObservationNumber=str(number),
            ReferencedROINumber=str(number),
            RTROIInterpretedType="",
            ROIInterpreter="",
        )
        for number, _ in numbered
    ]
    return native.dicom_file(dataset, is_explicit=False)


def plan(tags: Mapping[str, object], structure_set_uid: str) -> bytes:
    """Encode a plan of nothing but the structure set that it is for."""
    dataset = _dataset(tags, RTPlanStorage, "RTPLAN")
    dataset.RTPlanLabel = "PLAN"
    dataset.RTPlanDate = dataset.RTPlanTime = ""
    dataset.RTPlanGeometry = "PATIENT"
    reference = _reference(RTStructureSetStorage, structure_set_uid)
    dataset.ReferencedStructureSetSequence = [reference]
    return native.dicom_file(dataset, is_explicit=False)


def dose(tags: Mapping[str, object], plan_uid: str, grays: NDArray[np.uint16]) -> bytes:
    """Encode a dose (frames, rows, columns) in hundredths of a gray; ``tags`` place it."""
    dataset = _dataset(tags, RTDoseStorage, "RTDOSE")
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = grays.shape
    dataset.FrameIncrementPointer = 0x3004000C  # GridFrameOffsetVector
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.DoseUnits = "GY"
    dataset.DoseType = "PHYSICAL"
    dataset.DoseSummationType = "PLAN"
    dataset.DoseGridScaling = "0.01"
    dataset.ReferencedRTPlanSequence = [_reference(RTPlanStorage, plan_uid)]
    dataset.add_new("PixelData", "OW", grays.astype("<u2").tobytes())
    return native.dicom_file(dataset, is_explicit=False)


def _dataset(tags: Mapping[str, object], storage: str, modality: str) -> Dataset:
    named = {"SOPClassUID": storage, "Modality": modality}
    return _item(**dict.fromkeys(_UNKNOWN, ""), **tags, **named)


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _reference(storage: str, instance: str) -> Dataset:
    return _item(ReferencedSOPClassUID=storage, ReferencedSOPInstanceUID=instance)


def _frame(images: Images) -> Dataset:
    series = _item(
        SeriesInstanceUID=images.series,
        ContourImageSequence=[_reference(MRImageStorage, uid) for uid in images.instances],
    )
    study = _reference(_STUDY_COMPONENT, images.study)
    study.RTReferencedSeriesSequence = [series]
    return _item(FrameOfReferenceUID=images.frame, RTReferencedStudySequence=[study])


def _roi(number: int, region: Region) -> Dataset:
    return _item(
        ROIDisplayColor=[str(part) for part in _COLOURS[(number - 1) % len(_COLOURS)]],
        ContourSequence=[_contour(instance, points) for instance, points in region.contours],
        ReferencedROINumber=str(number),
    )


def _contour(instance: str, points: Array) -> Dataset:
    return _item(
        ContourImageSequence=[_reference(MRImageStorage, instance)],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=str(len(points)),
        ContourData=native.decimals(points.ravel().tolist()),
    )
