"""Encode one series of Vestibular-Schwannoma-SEG and what belongs to it. No file is written here.

A series is T1 or T2 of one person: slices, structure set, plan, dose, contours as JSON, and the
registration to the other series.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import MRImageStorage

from . import native, phantom, radiotherapy, schwannoma_cases
from .radiotherapy import Images, Region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .phantom import Array
    from .schwannoma_cases import Case

OBJECTS = ("RTSTRUCT", "RTPLAN", "RTDOSE")
_DOSE_STEP = 6.0  # mm, in all directions
_DOSE_SHAPE = (5, 4, 3)
_SEQUENCES: Mapping[str, dict[str, object]] = {
    "t1": {
        "SeriesNumber": "2",
        "SeriesDescription": "t1_fl3d_tra_gk_v1",
        "SequenceName": "*fl3d1",
        "ContrastBolusAgent": "Gadolinium",
        "ScanningSequence": "GR",
        "RepetitionTime": "25",
        "EchoTime": "1.77",
        "FlipAngle": "30",
    },
    "t2": {
        "SeriesNumber": "3",
        "SeriesDescription": "t2_ci3d_tra_1.5mm_v2_448",
        "SequenceName": "*ci3d1",
        "ScanningSequence": "GR",
        "RepetitionTime": "9.4",
        "EchoTime": "4.23",
        "FlipAngle": "54",
    },
}


@dataclass(frozen=True, slots=True)
class Series:
    """``t1`` or ``t2`` of one person."""

    case: Case
    weighting: str

    @property
    def name(self) -> str:
        """Give the name of the folder, such as ``vs_gk_1_t1``."""
        return f"vs_gk_{self.case.number}_{self.weighting}"

    @property
    def patient(self) -> str:
        """Give the identifier of the person, such as ``VS-SEG-001``."""
        return f"VS-SEG-{self.case.number:03d}"

    @property
    def registration_name(self) -> str:
        """Give the name of the file with the transform to the other series."""
        here = self.weighting.upper()
        return f"inv_{here}_LPS_to_{'T2' if here == 'T1' else 'T1'}_LPS.tfm"

    def uid(self, kind: str, number: int | None = None) -> str:
        """Identify a series (``MR``, ``RTSTRUCT``, ...) or, by number, one instance in it."""
        return native.uid(self.patient, self.weighting, kind, *([] if number is None else [number]))

    @property
    def study(self) -> str:
        """Identify the study, the same for all series of a person."""
        return native.uid(self.patient, "study")

    def levels(self) -> list[int]:
        """Give the level of each instance, upwards or downwards."""
        levels = list(range(self.case.stack(self.weighting).shape[2]))
        return levels[::-1] if self.case.is_falling else levels

    def slices(self) -> list[bytes]:
        """Encode the slices, in the order of their instance numbers."""
        stack = self.case.stack(self.weighting)
        stored = schwannoma_cases.scan(self.case, self.weighting).astype(np.uint16)
        contents = []
        for number, level in enumerate(self.levels(), start=1):
            tags = self._tags("MR", number) | stack.plane(level) | _SEQUENCES[self.weighting]
            tags |= {
                "SOPClassUID": MRImageStorage,
                "Modality": "MR",
                "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
                "Manufacturer": "SIEMENS",
                "PatientPosition": "HFS",
                "SequenceVariant": "SP",
                "ScanOptions": "",
                "MRAcquisitionType": "3D",
                "SliceThickness": native.decimals([stack.spacing[2]])[0],
                "EchoTrainLength": "1",
                "MagneticFieldStrength": "1.5",
            }
            contents.append(native.dicom(stored[:, :, level].T, tags, is_explicit=True))
        return contents

    def radiotherapy(self) -> dict[str, bytes]:
        """Encode structure set, plan and dose, by modality."""
        instances = [self.uid("MR", number + 1) for number in range(len(self.levels()))]
        images = Images(
            study=self.study,
            series=self.uid("MR"),
            frame=self.uid("frame"),
            instances=tuple(instances),
        )
        by_level = dict(zip(self.levels(), instances, strict=True))
        regions = [
            Region(
                name=structure.name,
                contours=[
                    (by_level[level], points)
                    for level, points in schwannoma_cases.contours(
                        self.case, self.weighting, structure
                    )
                ],
            )
            for structure in self.case.structures
        ]
        place, doses = self._dose()
        return {
            "RTSTRUCT": radiotherapy.structure_set(self._tags("RTSTRUCT"), images, regions),
            "RTPLAN": radiotherapy.plan(self._tags("RTPLAN"), self.uid("RTSTRUCT", 1)),
            "RTDOSE": radiotherapy.dose(self._tags("RTDOSE") | place, self.uid("RTPLAN", 1), doses),
        }

    def contours(self) -> str:
        """Write the contours as the planning system had them: drawn on the slices of T1.

        In the frame of T2 they are the same polygons, moved; so they leave its slices.
        """
        move = np.eye(4) if self.weighting == "t1" else self.case.to_other("t1")
        document = [
            {
                "PatientID": self.patient,
                "MR_SeriesInstanceUID": self.uid("MR"),
                "RTSTRUCT_SOPInstanceUID": self.uid("RTSTRUCT", 1),
                "structure_name": structure.name,
                "original_contour_created_on_image_name": "MR T1 Gd",
                "LPS_contour_points": [
                    np.round(phantom.moved(points, move), 9).tolist()
                    for _, points in schwannoma_cases.contours(self.case, "t1", structure)
                ],
            }
            for structure in self.case.structures
        ]
        return json.dumps(document, indent=1)

    def registration(self) -> str:
        """Write the transform by which ITK resamples this series onto the grid of the other.

        It maps points of the other frame to this one: the inverse of what its name says first.
        """
        matrix = self.case.to_other("t2" if self.weighting == "t1" else "t1")
        numbers = [*matrix[:3, :3].ravel().tolist(), *matrix[:3, 3].tolist()]
        lines = (
            "#Insight Transform File V1.0",
            "#Transform 0",
            "Transform: AffineTransform_double_3_3",
            f"Parameters: {' '.join(map(repr, numbers))} ",
            "FixedParameters: 0 0 0",
            f"#PatientID: {self.patient}",
            f"#MR_SeriesInstanceUID: {self.uid('MR')}",
        )
        return "\n".join((*lines, ""))

    def _tags(self, kind: str, number: int = 1) -> dict[str, object]:
        return {
            "SOPInstanceUID": self.uid(kind, number),
            "PatientName": self.patient,
            "PatientID": self.patient,
            "StudyInstanceUID": self.study,
            "SeriesInstanceUID": self.uid(kind),
            "FrameOfReferenceUID": self.uid("frame"),
            "InstanceNumber": str(number),
        }

    def _dose(self) -> tuple[dict[str, object], NDArray[np.uint16]]:
        """Place a coarse dose about the first structure: upright, whatever the slices' tilt."""
        first = self.case.structures[0].parts[0]
        back = np.linalg.inv(self.case.to_head(self.weighting))
        middle = phantom.moved(np.asarray(first.centre), back)
        matrix = phantom.grid(_DOSE_SHAPE, [_DOSE_STEP] * 3, np.round(middle, 3).tolist())
        where: Array = phantom.positions(_DOSE_SHAPE, matrix)
        distance = np.linalg.norm(where - middle, axis=-1)
        grays = np.round(2500.0 * np.exp(-distance / 9.0)).astype(np.uint16)
        place: dict[str, object] = {
            "ImagePositionPatient": native.decimals(np.round(matrix[:3, 3], 6).tolist()),
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "PixelSpacing": native.decimals([_DOSE_STEP] * 2),
            "SliceThickness": native.decimals([_DOSE_STEP])[0],
            "PositionReferenceIndicator": "",
            "GridFrameOffsetVector": native.decimals(
                [_DOSE_STEP * frame for frame in range(_DOSE_SHAPE[2])]
            ),
        }
        return place, grays.transpose(2, 1, 0)
