"""Sidecars: what is declared wins, what the source states is kept unless it identifies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import OBLIQUE, dicom, gzipped, markup, nifti, ramp, reading

from bidsify.conversion import sidecars
from bidsify.conversion.sidecars import GRID_DIFFERS
from bidsify.engine.jobs import Made
from bidsify.errors import SourceError
from bidsify.planning.jobs import SidecarJob
from bidsify.readers.nifti import Place
from bidsify.readers.places import same_grid

IMAGE = "sub-1/anat/sub-1_T1w.nii.gz"
MASK = "sub-1/anat/sub-1_dseg.nii.gz"


def make(
    root: Path, files: dict[str, bytes] | None = None, present: tuple[str, ...] = (), **more: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    metadata = json.dumps(more.pop("metadata", {}))
    job = SidecarJob(target="x.json", **{"of": IMAGE, "metadata": metadata, **more})
    made: Made = sidecars.make(job, reading(files or {}), root, frozenset(present))
    return strict_json(made.content), made.notes


def strict_json(content: bytes) -> dict[str, Any]:
    """Parse JSON as RFC 8259 has it: without NaN and infinities."""

    def refuse(text: str) -> None:
        raise AssertionError(text)

    document: dict[str, Any] = json.loads(content, parse_constant=refuse)
    return document


# --- from DICOM ---------------------------------------------------------------------------------


def test_tags_get_their_names_and_units_of_bids(tmp_path: Path) -> None:
    content = dicom(
        ramp((2, 2)),
        EchoTime="4.6",
        RepetitionTime="8.3",
        InversionTime="100",
        FlipAngle="10",
        MagneticFieldStrength="1.5",
        Manufacturer="Acme",
        ManufacturerModelName="M1",
        ScanningSequence=["SE", "IR"],
        SequenceVariant="SK",
        MRAcquisitionType="2D",
        SequenceName="*tse",
        PatientName="Nobody^Knows",
        PatientID="7",
        StudyDate="20200101",
        InstitutionName="Hospital",
        StationName="S",
    )
    document, notes = make(tmp_path, {"a": content}, dicom="a")
    assert document == {
        "EchoTime": 0.0046,
        "RepetitionTime": 0.0083,
        "InversionTime": 0.1,
        "FlipAngle": 10.0,
        "MagneticFieldStrength": 1.5,
        "Manufacturer": "Acme",
        "ManufacturersModelName": "M1",
        "ScanningSequence": ["SE", "IR"],
        "SequenceVariant": "SK",
        "MRAcquisitionType": "2D",
        "SequenceName": "*tse",
    }
    assert notes == ()


def test_absent_and_empty_tags_are_not_invented(tmp_path: Path) -> None:
    content = dicom(ramp((2, 2)), EchoTime=None, Manufacturer="")
    assert make(tmp_path, {"a": content}, dicom="a") == ({}, ())


def test_values_that_bids_refuses_are_left_out_with_a_note(tmp_path: Path) -> None:
    content = dicom(ramp((2, 2)), EchoTime="0", FlipAngle="400", RepetitionTime="8")
    document, notes = make(tmp_path, {"a": content}, dicom="a")
    assert document == {"RepetitionTime": 0.008}
    assert notes == (
        "a: EchoTime left out: BIDS refuses its value",
        "a: FlipAngle left out: BIDS refuses its value",
    )


@pytest.mark.parametrize("text", [b"4.x1", b"4\\81", b" nan"])
def test_a_tag_that_is_no_number_is_left_out_or_named(text: bytes, tmp_path: Path) -> None:
    content = dicom(ramp((2, 2)), EchoTime="4.81", FlipAngle="10").replace(b"4.81", text)
    try:
        document, notes = make(tmp_path, {"a/x": content}, dicom="a/x")
    except SourceError as error:
        assert str(error).startswith("a/x: ")  # noqa: PT017
    else:
        assert document == {"FlipAngle": 10.0}
        assert notes[0].startswith("a/x: EchoTime left out")


# --- from sidecars of the source ----------------------------------------------------------------

IDENTIFYING = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientWeight"),
    *("SeriesInstanceUID", "StudyInstanceUID", "AcquisitionTime", "AcquisitionDateTime"),
    *("AcquisitionDate", "StudyDate", "SeriesTime", "ContentTime", "StudyTime", "AccessionNumber"),
    *("ReferringPhysicianName", "OperatorsName", "DeviceSerialNumber", "StationName", "StudyID"),
    *("InstitutionAddress", "InstitutionalDepartmentName", "ImageComments"),
    *("ProcedureStepDescription", "PerformingPhysicianName"),
)


@pytest.mark.parametrize("name", IDENTIFYING)
def test_what_identifies_is_left_out(name: str, tmp_path: Path) -> None:
    native = json.dumps({name: "x", "EchoTime": 0.1}).encode()
    assert make(tmp_path, {"n": native}, native_json="n") == ({"EchoTime": 0.1}, ())


def test_what_does_not_identify_is_kept(tmp_path: Path) -> None:
    stated = {
        "PatientPosition": "HFS",
        "RepetitionTime": 2,
        "ImageOrientationPatientDICOM": [1, 0, 0, 0, 1, 0],
        "ConversionSoftware": "dcm2niix",
        "InterpretedBy": {"nested": [1, None, True]},
        "ProtocolName": "T1 \u00fc",
    }
    document, notes = make(tmp_path, {"n": json.dumps(stated).encode()}, native_json="n")
    assert (document, notes) == (stated, ())


def test_a_name_of_dcm2niix_becomes_that_of_bids(tmp_path: Path) -> None:
    native = b'{"BodyPartExamined": "SPINE"}'
    assert make(tmp_path, {"n": native}, native_json="n")[0] == {"BodyPart": "SPINE"}


def test_what_is_declared_wins_over_what_is_stated(tmp_path: Path) -> None:
    native = b'{"EchoTime": 0.1, "FlipAngle": 5, "Manufacturer": 7}'
    document, notes = make(tmp_path, {"n": native}, native_json="n", metadata={"EchoTime": 0.2})
    assert document == {"EchoTime": 0.2, "FlipAngle": 5}
    assert notes == ("n: Manufacturer left out: BIDS refuses its value",)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "[1, NaN]"])
@pytest.mark.parametrize("name", ["EchoTime", "Unheard"])
def test_numbers_that_json_does_not_have_are_left_out(
    name: str, value: str, tmp_path: Path
) -> None:
    native = f'{{"{name}": {value}, "FlipAngle": 5}}'.encode()
    try:
        document, notes = make(tmp_path, {"n": native}, native_json="n")
    except SourceError as error:
        assert str(error).startswith("n: ")  # noqa: PT017
    else:
        assert document == {"FlipAngle": 5}
        assert notes[0].startswith(f"n: {name} left out")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", r"not readable JSON \(.*\); download it again"),
        (b"\xff\xfe\xfa", r"not readable JSON \(.*\); download it again"),
        (b"[" * 200_000, r"not readable JSON \(.*\); download it again"),
        (b"[]", "not a JSON object; is it the sidecar of an image"),
        (b"7", "not a JSON object; is it the sidecar of an image"),
        (b"", "the file is empty; download it again"),
    ],
)
def test_broken_sidecars_are_named(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"^a/n: {reason}"):
        make(tmp_path, {"a/n": content}, native_json="a/n")


@pytest.mark.parametrize("depth", [100, 300, 600, 900])
def test_deep_sidecars_are_kept_or_named(depth: int, tmp_path: Path) -> None:
    native = b'{"Deep": ' + b"[" * depth + b"]" * depth + b"}"
    try:
        document, _ = make(tmp_path, {"n": native}, native_json="n")
    except SourceError as error:
        assert str(error).startswith("n: ")  # noqa: PT017
        assert depth > 100
    else:
        assert document == json.loads(native)


# --- drawn on -----------------------------------------------------------------------------------


@pytest.mark.parametrize("present", [(), (IMAGE,), (IMAGE, "other")])
def test_sources_are_the_images_that_exist(present: tuple[str, ...], tmp_path: Path) -> None:
    save(tmp_path, IMAGE)
    save(tmp_path, MASK)
    document, notes = make(tmp_path, None, present, of=MASK, drawn_on=(IMAGE, "gone.nii.gz"))
    assert document.get("Sources", []) == ([f"bids::{IMAGE}"] if present else [])
    assert GRID_DIFFERS not in document
    assert notes == ()


def test_a_mask_on_another_grid_says_so(tmp_path: Path) -> None:
    moved = OBLIQUE.copy()
    moved[0, 3] += 5
    save(tmp_path, IMAGE)
    save(tmp_path, MASK, affine=moved)
    document, notes = make(tmp_path, None, (IMAGE,), of=MASK, drawn_on=(IMAGE,))
    assert document[GRID_DIFFERS] is True
    assert notes == (f"{MASK}: the grid differs from that of {IMAGE}; kept as stored",)


@pytest.mark.parametrize(
    ("shift", "shape", "is_same"),
    [
        (0.0, (10, 20, 30), True),
        (0.05, (10, 20, 30), True),
        (0.2, (10, 20, 30), False),
        (0.0, (10, 20, 31), False),
        (0.0, (10, 20, 30, 4), True),
    ],
)
def test_grids_are_one_within_a_tenth_of_a_voxel(
    shift: float, shape: tuple[int, ...], *, is_same: bool
) -> None:
    moved = OBLIQUE.copy()
    moved[:3, 3] += shift * np.linalg.norm(OBLIQUE[:3, 0])
    one, other = Place((10, 20, 30), OBLIQUE), Place(shape, moved)
    assert same_grid(one, other) == same_grid(other, one) == is_same


def test_an_angle_shows_at_the_far_corner() -> None:
    turned = OBLIQUE.copy()
    turned[1, 0] += 0.001
    assert same_grid(Place((10, 10, 10), OBLIQUE), Place((10, 10, 10), turned))
    assert not same_grid(Place((900, 10, 10), OBLIQUE), Place((900, 10, 10), turned))


# --- landmarks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_landmarks_are_voxels_of_the_image(system: str, tmp_path: Path) -> None:
    save(tmp_path, IMAGE)
    voxels = {"tip": [(1.5, 2.0, 0.25)], "curve": [(0.0, 0.0, 0.0), (2.0, 3.0, 4.0)]}
    files = {}
    for name, points in voxels.items():
        space = [OBLIQUE[:3, :3] @ v + OBLIQUE[:3, 3] for v in points]
        sign = (-1, -1, 1) if system == "LPS" else (1, 1, 1)
        files[name] = markup([list(p * sign) for p in space], coordinateSystem=system)
    document, _ = make(tmp_path, files, landmarks=(("L", "tip"), ("C", "curve")))
    found = document["AnatomicalLandmarkCoordinates"]
    assert list(found) == sorted(["L", "C_1", "C_2"])
    np.testing.assert_allclose(found["L"], voxels["tip"][0], atol=1e-4)
    np.testing.assert_allclose(found["C_2"], voxels["curve"][1], atol=1e-4)


def test_the_text_is_the_same_each_time_and_ends_with_a_line(tmp_path: Path) -> None:
    job = SidecarJob(target="x.json", of=IMAGE, metadata='{"b": "\\u00fc", "a": 1}')
    made = sidecars.make(job, reading({}), tmp_path, frozenset())
    assert made.content == '{\n  "a": 1,\n  "b": "ü"\n}\n'.encode()


def save(root: Path, target: str, affine: Any = OBLIQUE) -> None:
    path = root / target
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzipped(nifti(ramp((3, 4, 5)), affine)))
