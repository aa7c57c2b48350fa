"""Write the layout of the lumbosacral spine dataset: images, 3D Slicer markers, models, tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import native, phantom, spinal_canal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .phantom import Array

_CORD_SLICES, _DURA_SLICES = 6, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """One volunteer: who, how he or she lies in the world, and the protocol of the CISS."""

    label: str
    person: str
    turns: tuple[float, float, float]
    origin: tuple[float, float, float]
    slices: int
    thickness: float
    dura_prefix: str

    def body(self) -> Array:
        """Give the affine from the frame of the body to the world (RAS+)."""
        return phantom.grid((1, 1, 1), (1, 1, 1), self.origin, self.turns)


_SUBJECTS = (
    _Subject(
        label="01",
        person="22\tM",
        turns=(0.05, -0.02, 0.04),
        origin=(4.2, -48.6, -351.6),
        slices=16,
        thickness=2.0,
        dura_prefix="sub-01",
    ),
    _Subject(
        label="14",
        person="24\tF",
        turns=(1.6, -0.7, 0.9),
        origin=(-2.4, -44.1, -338.2),
        slices=17,
        thickness=1.8,
        dura_prefix="sub_14",  # here the real dura files break the naming of all others
    ),
)
# Grey values of muscle, fat, bone, disc, fluid, nerve.
_GREYS = {
    "CISS": (160.0, 330.0, 270.0, 440.0, 900.0, 420.0),
    "DESS": (230.0, 340.0, 140.0, 290.0, 700.0, 360.0),
    "T2TSE": (110.0, 520.0, 290.0, 430.0, 800.0, 300.0),
}
_TIMING = {
    "CISS": {"RepetitionTime": 0.01155, "EchoTime": 0.00578, "FlipAngle": 50, "SliceThickness": 2},
    "DESS": {"RepetitionTime": 0.01095, "EchoTime": 0.00386, "SliceThickness": 1.27},
    "T2TSE": {"RepetitionTime": 3.5, "EchoTime": 0.104, "SliceThickness": 3.3},
}


def make(folder: Path) -> None:
    """Write two subjects of the lumbosacral spine dataset below ``folder``."""
    for subject in _SUBJECTS:
        _write_images(subject, folder)
        for name, text in _markers(subject):
            native.save(folder / "markers" / f"sub-{subject.label}" / f"{name}.json", text)
        for part, triangles in _models().items():
            name = f"sub-{subject.label}_{part}"
            content = native.stl(_lps(subject, triangles), f"Synthetic phantom {name}")
            native.save(folder / "model" / f"sub-{subject.label}" / f"{name}.stl", content)
    rows = "".join(f"sub-{subject.label}\t{subject.person}\n" for subject in _SUBJECTS)
    native.save(folder / "rawdata" / "participants.tsv", "participant_id\tage\tsex\n" + rows)
    columns = {
        "age": {"Description": "age", "Units": "years"},
        "sex": {"Description": "sex", "Levels": {"M": "male", "F": "female"}},
    }
    native.save(folder / "rawdata" / "participants.json", json.dumps(columns, indent=4))


def _write_images(subject: _Subject, folder: Path) -> None:
    place = f"sub-{subject.label}/anat/sub-{subject.label}"
    to_body = np.linalg.inv(subject.body())
    for name, (shape, matrix) in _grids(subject).items():
        points = phantom.moved(phantom.positions(shape, matrix), to_body)
        image = np.round(spinal_canal.image(points, _GREYS[name]))
        packed = native.gzipped(native.nifti(image.astype(np.int16), matrix))
        native.save(folder / "rawdata" / f"{place}_{name}.nii.gz", packed)
        sidecar = json.dumps(_sidecar(name), indent="\t")
        native.save(folder / "rawdata" / f"{place}_{name}.json", sidecar)
        if name != "DESS":
            for measure, text in _quality(image).items():
                native.save(folder / "anatqc" / f"{place}_{name}_{measure}.csv", text)


def _grids(subject: _Subject) -> dict[str, tuple[tuple[int, int, int], Array]]:
    body = subject.body()
    ciss, dess, tse = (44, 40, subject.slices), (30, 24, 46), (32, 58, 11)
    spacing = (0.9, 0.9, subject.thickness)
    axial = phantom.grid(ciss, spacing, (0, 0, -(subject.slices - 1) * subject.thickness / 2))
    oblique = phantom.grid(dess, (1.2656, 1.27, 1.2656), (0.5, 1, -27), (2.8, 0, 0))
    sagittal = np.eye(4)
    sagittal[:3, :3] = [[0, 0, 3.3], [-1.25, 0, 0], [0, 1.25, 0]]  # stored as P, S, R
    centre = phantom.moved(np.array([0.3, 0.5, -32.0]), body)
    sagittal[:3, 3] = centre - sagittal[:3, :3] @ ((np.array(tse) - 1) / 2)
    return {"CISS": (ciss, body @ axial), "DESS": (dess, body @ oblique), "T2TSE": (tse, sagittal)}


def _sidecar(name: str) -> dict[str, object]:
    sidecar: dict[str, object] = {
        "Modality": "MR",
        "MagneticFieldStrength": 3,
        "BodyPartExamined": "LSPINE",
        "PatientPosition": "HFS",
        "ProtocolName": name,
        "MRAcquisitionType": "2D" if name == "T2TSE" else "3D",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
        "ConversionSoftware": "dcm2niix",
        **_TIMING[name],
    }
    if name == "T2TSE":  # composed of several stations
        sidecar["ImageType"] = ["DERIVED", "PRIMARY", "M", "COMP", "SP", "COMPOSED"]
        sidecar["SpacingBetweenSlices"] = 3.3
    return sidecar


def _quality(image: Array) -> dict[str, str]:
    signal, contrast = ["slice,SNR\n"], ["slice,CNR\n"]
    for number in range(image.shape[2]):
        plane = image[:, :, number]
        noise, middle, bright = plane[:4, :4].std() + 1.0, np.median(plane), plane.max()
        signal.append(f"{number + 1},{plane.mean() / noise:.3f}\n")
        contrast.append(f"{number + 1},{(bright - middle) / noise:.3f}\n")
    return {"SNR": "".join(signal), "CNR": "".join(contrast)}


def _markers(subject: _Subject) -> Iterator[tuple[str, str]]:
    """Yield name and text of each marker file.

    The number in a name is a place in a list, not a slice; labels inside are one level off.
    """
    slices = (1, 0, *range(2, _CORD_SLICES))  # counted from the top
    for number, plane in enumerate(slices, start=1):
        points = spinal_canal.contour("Cord", -plane * subject.thickness, 8 + number % 4, 0.3)
        text = native.markups("ClosedCurve", _lps(subject, points), f"CC_{57 + number}")
        yield f"sub-{subject.label}_cord_{number}", text
    for number in range(1, _DURA_SLICES + 1):
        height = -(number - 1) * subject.thickness
        points = spinal_canal.contour("Dura", height, 11 + number % 5, 0.2 * number)
        label = f"CC_{number - 1}" if number > 1 else "CC"
        text = native.markups("ClosedCurve", _lps(subject, points), label)
        yield f"{subject.dura_prefix}_dura_{number}", text
    above = dict(zip(spinal_canal.SEGMENTS, ("L1", *spinal_canal.SEGMENTS), strict=False))
    for name, place in spinal_canal.ganglia().items():
        segment, side = name.split("_")
        label = "F_13" if name == "S2_R" else f"{above[segment]}_{side}"
        text = native.markups("Fiducial", _lps(subject, place[np.newaxis]), label)
        yield f"sub-{subject.label}_ganglions_{name}", text
    for name, track in spinal_canal.roots().items():
        segment, side = name.split("_")
        label = "F_15" if name == "S1_R" else f"{side}_{segment}"
        points = track if segment.startswith("S") else track[::-1]
        text = native.markups("Fiducial", _lps(subject, points), label)
        yield f"sub-{subject.label}_nerveroots_{name}", text


def _models() -> dict[str, Array]:
    heights = {"Cord": np.linspace(-10.0, 0.0, 6), "Dura": np.linspace(-18.0, 0.0, 7)}
    models = {
        part: phantom.tube(np.stack([spinal_canal.contour(part, z, 14) for z in levels.tolist()]))
        for part, levels in heights.items()
    }
    flat = np.concatenate([phantom.outline((0.5, 0.5), 6), np.zeros((6, 1))], axis=1)
    tracks = spinal_canal.roots().values()
    nerves = [phantom.tube(track[::-1, np.newaxis] + flat) for track in tracks]
    return {**models, "Nerveroots": np.concatenate(nerves)}


def _lps(subject: _Subject, points: Array) -> Array:
    return phantom.moved(points, np.diag([-1.0, -1.0, 1.0, 1.0]) @ subject.body())
