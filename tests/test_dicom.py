"""DICOM series: each pixel lands where its own tags say, whatever the files are called."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from builders import dicom, ramp, rotation, series
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.uid import RLELossless

from bidsify.errors import SourceError
from bidsify.readers import dicom as reader
from bidsify.volume import Volume

PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"
CT5N = PYDICOM / "dicomdirtests" / "98892001" / "CT5N"

needs_pydicom_files = pytest.mark.skipif(
    not PYDICOM.is_dir(), reason="this pydicom ships no test files"
)

Files = Sequence[tuple[str, bytes]]
STACK = ramp((4, 5, 3))  # slices, rows, columns


def volume(files: Files) -> Volume:
    return reader.volume(reader.read_slices(files, pixels=True))


@given(
    angles=st.tuples(*[st.floats(-3.1, 3.1)] * 3),
    spacing=st.tuples(*[st.sampled_from([0.3, 0.78125, 1.0, 2.5])] * 2),
    distance=st.sampled_from([0.5, 1.0, 3.3]),
    tilt=st.sampled_from([0.0, 0.4, -0.9]),
    sign=st.sampled_from([1, -1]),
    order=st.permutations(range(4)),
)
def test_each_pixel_lies_where_its_tags_say(  # noqa: PLR0917
    angles: tuple[float, float, float],
    spacing: tuple[float, float],
    distance: float,
    tilt: float,
    sign: int,
    order: list[int],
) -> None:
    turn = rotation(*angles)
    step = sign * distance * (turn[:, 2] + tilt * turn[:, 1])
    files = series(STACK, (12.5, -30.25, 7.0), (*turn[:, 0], *turn[:, 1]), spacing, step)
    found = volume([files[n] for n in order])
    assert found.in_mm
    for path, content in files:
        check_slice(found, path, content)
    assert found.data.shape == (3, 5, 4)
    assert sorted(found.data.ravel()) == sorted(STACK.ravel())
    edges = np.linalg.norm(found.affine[:3, :3], axis=0)
    assert edges == pytest.approx([spacing[1], spacing[0], distance * np.hypot(1, tilt)], abs=1e-3)


def test_the_order_of_the_files_does_not_matter() -> None:
    files = series(STACK, (1.0, 2.0, 3.0), spacing=(2.0, 0.5))
    wanted = volume(files)
    for order in itertools.permutations(files):
        found = volume(order)
        np.testing.assert_array_equal(found.data, wanted.data)
        np.testing.assert_array_equal(found.affine, wanted.affine)


def test_slices_go_along_their_normal_not_along_their_names() -> None:
    falling = series(STACK, (0.0, 0.0, 10.0), step=(0.0, 0.0, -2.5))
    found = volume(falling)
    np.testing.assert_array_equal(found.data, STACK[::-1].transpose(2, 1, 0))
    np.testing.assert_allclose(
        found.affine, [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 2.5, 2.5], [0, 0, 0, 1]]
    )
    assert "-0" not in {f"{v:g}" for v in found.affine.ravel()}


def test_the_grid_says_which_file_is_which_slice() -> None:
    files = series(STACK, step=(0.0, 0.0, -1.0))
    where = reader.grid(reader.read_slices(files, pixels=False))
    assert where.order == (3, 2, 1, 0)
    assert where.shape == (3, 5, 4)
    np.testing.assert_array_equal(where.affine, volume(files).affine)


def test_slice_thickness_says_nothing_about_a_series() -> None:
    files = series(STACK, step=(0, 0, 2.5), SliceThickness=5, SpacingBetweenSlices=-7)
    assert volume(files).affine[2, 2] == 2.5


@pytest.mark.parametrize(
    ("tags", "edge"),
    [
        ({"SliceThickness": 5}, 5),
        ({"SliceThickness": 5, "SpacingBetweenSlices": 6.5}, 6.5),
        ({"SpacingBetweenSlices": 6.5}, 6.5),
    ],
)
def test_a_single_slice_is_as_thick_as_it_states(tags: dict[str, float], edge: float) -> None:
    assert volume([("x", dicom(STACK[0], **tags))]).affine[2, 2] == edge


def test_a_single_slice_without_thickness_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^a/x: a single slice that states no thickness"):
        volume([("a/x", dicom(STACK[0]))])


@pytest.mark.parametrize("tag", ["SliceThickness", "SpacingBetweenSlices"])
def test_a_thickness_that_is_no_number_is_refused(tag: str) -> None:
    content = dicom(STACK[0], **{tag: "7.25"}).replace(b"7.25", b"7.x5")
    with pytest.raises(SourceError, match=r"^a/x: "):
        volume([("a/x", content)])


@pytest.mark.parametrize("gone", [3, 5])
def test_a_missing_slice_is_refused(gone: int) -> None:
    files = series(ramp((8, 2, 2)))
    del files[gone - 1]
    random.Random(1).shuffle(files)
    with pytest.raises(
        SourceError,
        match=rf"^IMG-{gone + 1}\.dcm: 5 mm from IMG-{gone - 1}\.dcm, but slices are 2\.5 mm "
        "apart: one is missing or they are uneven; complete the series$",
    ):
        volume(files)


def test_a_doubled_slice_is_refused() -> None:
    files = [*series(STACK), ("copy.dcm", series(STACK)[1][1])]
    with pytest.raises(
        SourceError, match=r"^(copy|IMG-2)\.dcm: at the same position as (copy|IMG-2)\.dcm; remove"
    ):
        volume(files)


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.4), (0.6, 0.0, 0.0), (0.0, -0.5, 0.0)])
def test_uneven_slices_are_refused(shift: tuple[float, ...]) -> None:
    files = series(STACK)
    moved = dicom(STACK[2], np.add((0.0, 0.0, 5.0), shift))
    files[2] = ("IMG-3.dcm", moved)
    with pytest.raises(SourceError, match=r"^IMG-[34]\.dcm: .* mm from IMG-[23]\.dcm, .*uneven"):
        volume(files)


def test_positions_rounded_by_the_scanner_are_even() -> None:
    files = [(f"{n}", dicom(plane, (0, 0, round(n * 10 / 3, 3)))) for n, plane in enumerate(STACK)]
    assert volume(files).affine[2, 2] == pytest.approx(10 / 3, abs=1e-3)


def test_rounding_of_positions_does_not_add_up() -> None:
    """The last of many slices lies where its own tags say."""
    heights = [round(n * 1.004, 2) for n in range(60)]
    files = [(f"{n}", dicom(STACK[0], (0, 0, height))) for n, height in enumerate(heights)]
    assert (volume(files).affine @ [0, 0, 59, 1])[2] == pytest.approx(heights[-1], abs=1e-9)


def test_slices_of_two_sizes_are_refused() -> None:
    files = [*series(STACK), ("big.dcm", dicom(ramp((6, 3)), (0, 0, 10)))]
    with pytest.raises(
        SourceError, match=r"^big\.dcm: \(6, 3\) pixels, but \(5, 3\) in IMG-1\.dcm: two series"
    ):
        volume(files)


@pytest.mark.parametrize(
    "changed",
    [{"orientation": (1, 0, 0, 0, 0, -1)}, {"spacing": (1.0, 1.1)}, {"spacing": (2.0, 1.0)}],
)
def test_slices_of_two_orientations_or_spacings_are_refused(changed: dict[str, Any]) -> None:
    files = [*series(STACK), ("odd.dcm", dicom(STACK[0], (0, 0, 10), **changed))]
    with pytest.raises(SourceError, match=r"^odd\.dcm: another orientation or spacing than IMG-1"):
        volume(files)


@pytest.mark.parametrize(
    "orientation",
    [
        (0, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (1, 0, 0, 1, 0, 0),
        (1, 0, 0, 0.7071, 0.7071, 0),
        (2, 0, 0, 0, 2, 0),
    ],
)
def test_an_orientation_that_cannot_be_is_refused(orientation: tuple[float, ...]) -> None:
    with pytest.raises(SourceError, match=r"^IMG-1\.dcm: impossible .*orientation"):
        volume(series(STACK, orientation=orientation))


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (1.0,), (1.0, 1.0, 1.0)])
def test_a_spacing_that_cannot_be_is_refused(spacing: tuple[float, ...]) -> None:
    with pytest.raises(SourceError, match=r"^IMG-1\.dcm: "):
        volume(series(STACK, spacing=spacing))


@pytest.mark.parametrize(
    "tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows"]
)
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_slice_without_its_place_is_refused(tag: str, *, is_empty: bool) -> None:
    content = dicom(STACK[0], **{tag: None}) if is_empty else dicom(STACK[0], without=(tag,))
    with pytest.raises(SourceError, match=f"^a/x: has no {tag}, so nobody knows where the slice"):
        reader.read_slices([("a/x", content)], pixels=False)


@pytest.mark.parametrize(
    "tags",
    [
        {"NumberOfFrames": 2},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "PALETTE COLOR"},
    ],
)
def test_frames_and_colours_are_refused(tags: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match=r"^x: a multi-frame or colour DICOM object"):
        volume([("x", dicom(STACK[0], SliceThickness=1, **tags))])


@pytest.mark.parametrize("size", [(0, 3), (5, 0), (65535, 65535)])
def test_sizes_that_cannot_be_are_refused(size: tuple[int, int]) -> None:
    content = dicom(STACK[0], Rows=size[0], Columns=size[1])
    with pytest.raises(SourceError, match=rf"^x: claims {size[0]} x {size[1]} pixels"):
        reader.read_slices([("x", content)], pixels=False)


def test_fewer_pixels_than_claimed_are_refused() -> None:
    with pytest.raises(SourceError, match=r"^x: no readable pixels: "):
        volume([("x", dicom(STACK[0], Rows=50, SliceThickness=1))])


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept", "wanted"),
    [
        ("u1", 1, 0, "int16"),
        ("u2", 1, 0, "int16"),
        ("i2", 1, 0, "int16"),
        ("u2", 1, -1024, "int16"),
        ("u2", 600, 0, "int32"),
        ("u4", 10**8, 0, "float64"),
        ("u2", 0.5, 0, "float32"),
        ("i2", 1.25, -3.5, "float32"),
        ("i2", 1, -0.5, "float32"),
        ("i2", -1, 0, "int16"),
    ],
)
def test_values_are_those_that_slope_and_intercept_give(
    dtype: str, slope: float, intercept: float, wanted: str
) -> None:
    stack = (ramp((3, 4, 5)) - (30 if dtype.startswith("i") else 0)).astype(dtype)
    found = volume(series(stack, RescaleSlope=slope, RescaleIntercept=intercept))
    assert found.data.dtype == wanted
    np.testing.assert_array_equal(found.data, (stack * float(slope) + intercept).transpose(2, 1, 0))


@pytest.mark.parametrize("value", [65535, 32768, 32767])
def test_large_unsigned_values_are_not_wrapped(value: int) -> None:
    stack = np.full((2, 2, 2), value, "u2")
    found = volume(series(stack))
    assert (found.data == value).all()
    assert found.data.dtype == ("int16" if value < 32768 else "int32")


def test_each_slice_has_its_own_slope() -> None:
    planes = [
        (f"{n}", dicom(STACK[n], (0, 0, n), RescaleSlope=n + 1, RescaleIntercept=-n))
        for n in range(3)
    ]
    wanted = np.stack([STACK[n] * (n + 1) - n for n in range(3)])
    np.testing.assert_array_equal(volume(planes).data, wanted.transpose(2, 1, 0))


@pytest.mark.parametrize("tag", ["RescaleSlope", "RescaleIntercept"])
@pytest.mark.parametrize("text", [b"7.x5", b" nan", b" inf"])
def test_a_scaling_that_is_no_number_is_refused(tag: str, text: bytes) -> None:
    files = [
        (path, content.replace(b"7.25", text)) for path, content in series(STACK, **{tag: 7.25})
    ]
    with pytest.raises(SourceError, match=r"^IMG-1\.dcm: "):
        volume(files)


def test_real_numbers_stored_as_such_stay_real_or_are_refused() -> None:
    pixels = np.array([[0.5, 1.75], [2.25, -3.5]], "f4")
    content = dicom(
        np.zeros((2, 2), "u4"),
        without=("PixelData",),
        SliceThickness=1,
        FloatPixelData=pixels.tobytes(),
    )
    try:
        found = volume([("x", content)])
    except SourceError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        np.testing.assert_array_equal(found.data[:, :, 0], pixels.T)


def test_run_lengths_are_decoded() -> None:
    files = []
    for path, content in series(STACK):
        dataset = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))
        dataset.compress(RLELossless)
        stream = pydicom.filebase.DicomBytesIO()
        dataset.save_as(stream)
        files.append((path, stream.getvalue()))
    np.testing.assert_array_equal(volume(files).data, volume(series(STACK)).data)


@pytest.mark.parametrize("content", [b"x", b"\0" * 2000, b"\0" * 128 + b"DICM" + b"\xff" * 300])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a/x: "):
        volume([("a/x", content)])


def test_a_file_that_is_cut_anywhere_is_refused() -> None:
    content = dicom(STACK[0], SliceThickness=1)
    for length in range(1, len(content)):
        with pytest.raises(SourceError, match=r"^a/x: "):
            volume([("a/x", content[:length])])


@example(344, 1)  # a tag that pydicom parses late
@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_damaged_file_is_read_or_refused(place: int, flip: int) -> None:
    content = bytearray(dicom(STACK[0], SliceThickness=1, RescaleSlope=1))
    content[place % len(content)] ^= flip
    try:
        found = volume([("x", bytes(content))])
    except SourceError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        assert found.data.size > 0
        assert np.isfinite(found.affine).all()


# --- files that pydicom ships -------------------------------------------------------------------


@needs_pydicom_files
def test_a_real_series() -> None:
    paths = sorted(CT5N.glob("*"))
    assert len(paths) == 5
    files = [(path.name, path.read_bytes()) for path in paths]
    found = volume(files)
    assert found.data.shape[2] == 5
    assert np.linalg.norm(found.affine[:3, 2]) == pytest.approx(2.5, abs=1e-4)
    for path, content in files:
        check_slice(found, path, content)


@needs_pydicom_files
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm"])
def test_real_single_slices(name: str) -> None:
    content = (PYDICOM / name).read_bytes()
    check_slice(volume([(name, content)]), name, content)


@needs_pydicom_files
def test_all_encodings_of_a_slice_give_one_volume() -> None:
    names = [
        *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm"),
        *("MR_small_implicit.dcm", "MR_small_expb.dcm"),
    ]
    first, *others = (volume([(n, (PYDICOM / n).read_bytes())]) for n in names)
    for other in others:
        np.testing.assert_array_equal(first.data, other.data)
        np.testing.assert_array_equal(first.affine, other.affine)


@needs_pydicom_files
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MR_truncated.dcm", "no readable pixels"),
        ("image_dfl.dcm", "a deflated DICOM file, of unbounded size; convert it with dcmconv"),
        ("SC_rgb_rle.dcm", "(has no ImagePositionPatient|a multi-frame or colour)"),
        ("rtplan.dcm", "has no ImagePositionPatient"),
        ("reportsi.dcm", "has no ImagePositionPatient"),
        ("rtdose.dcm", "a multi-frame or colour DICOM object"),
        ("waveform_ecg.dcm", "has no ImagePositionPatient"),
        ("zipMR.gz", "not a readable DICOM file"),
        ("README.txt", "not a readable DICOM file"),
    ],
)
def test_real_files_that_are_no_slices(name: str, reason: str) -> None:
    with pytest.raises(SourceError, match=f"^{re.escape(name)}: {reason}"):
        volume([(name, (PYDICOM / name).read_bytes())])


@needs_pydicom_files
def test_any_file_that_pydicom_ships_is_read_or_refused_by_name() -> None:
    read = 0
    for path in sorted(PYDICOM.glob("*.dcm")):
        try:
            found = volume([(path.name, path.read_bytes())])
        except SourceError as error:  # noqa: PERF203
            assert str(error).startswith(f"{path.name}: ")  # noqa: PT017
        else:
            assert np.isfinite(found.affine).all()
            read += 1
    assert read >= 5


def check_slice(found: Volume, path: str, content: bytes) -> None:
    """Check each pixel of a file against the equation of DICOM PS3.3, C.7.6.2.1.1."""
    tags = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))
    position = np.array(tags.ImagePositionPatient, float)
    row, column = np.array(tags.ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = map(float, tags.PixelSpacing)
    pixels = tags.pixel_array * float(tags.get("RescaleSlope", 1)) + float(
        tags.get("RescaleIntercept", 0)
    )
    r, c = np.meshgrid(np.arange(tags.Rows), np.arange(tags.Columns), indexing="ij")
    points = (
        position + row * (between_columns * c)[..., None] + column * (between_rows * r)[..., None]
    )
    to_voxel = np.linalg.inv(found.affine)
    voxels = (points * [-1, -1, 1]) @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    nearest = np.rint(voxels).astype(int)
    assert np.abs(voxels - nearest).max() < 0.02, path
    shown = found.data[nearest[..., 0], nearest[..., 1], nearest[..., 2]]
    np.testing.assert_allclose(shown, pixels, rtol=1e-6, err_msg=path)
