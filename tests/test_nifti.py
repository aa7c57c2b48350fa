"""NIfTI files: honest ones of each kind are read as nibabel reads them, the others refused."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from builders import OBLIQUE, gzipped, labels, loaded, nifti, ramp
from hypothesis import given
from hypothesis import strategies as st

from bidsify.errors import SourceError
from bidsify.readers import nifti as reader

NIBABEL = Path(nib.__file__).parent / "tests" / "data"
KINDS = {"1": nib.Nifti1Image, "2": nib.Nifti2Image}
DTYPES = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16")
PATH = "a/x.nii.gz"

REAL = [
    name
    for name in (
        *("anatomical.nii", "functional.nii", "example4d.nii.gz", "example_nifti2.nii.gz"),
        *("standard.nii.gz", "resampled_anat_moved.nii", "reoriented_anat_moved.nii"),
    )
    if (NIBABEL / name).is_file()
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_packed", [False, True])
def test_each_type_both_endians_both_versions(
    kind: str, endian: str, dtype: str, *, is_packed: bool
) -> None:
    data = ramp((3, 4, 5), dtype)
    raw = nifti(data, kind=KINDS[kind], endian=endian)
    image = reader.read(gzipped(raw) if is_packed else raw, PATH)
    assert image.raw == raw
    assert (image.packed is not None) == is_packed
    assert (image.shape, image.scaling) == ((3, 4, 5), (1.0, 0.0))
    values = reader.values(image)
    assert values.dtype == np.dtype(endian + dtype)
    np.testing.assert_array_equal(values, data)
    np.testing.assert_array_equal(values, np.asanyarray(loaded(raw).dataobj))


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    image = reader.read((NIBABEL / name).read_bytes(), name)
    official = nib.load(NIBABEL / name)
    assert image.shape == official.shape
    np.testing.assert_array_equal(reader.values(image), official.dataobj.get_unscaled())
    slope, intercept = official.dataobj.slope, official.dataobj.inter
    assert image.scaling == pytest.approx((slope, intercept))


def test_real_files_are_there() -> None:
    if not NIBABEL.is_dir():
        pytest.skip("this nibabel ships no test data")
    assert len(REAL) >= 5


@pytest.mark.parametrize("name", ["nifti1.hdr", "nifti2.hdr", "analyze.hdr"])
def test_headers_without_voxels_are_refused(name: str) -> None:
    if not (NIBABEL / name).is_file():
        pytest.skip("this nibabel ships no test data")
    with pytest.raises(SourceError, match=rf"^{name}: "):
        reader.read((NIBABEL / name).read_bytes(), name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_of_header_and_image_is_refused(kind: str) -> None:
    raw = bytearray(nifti(ramp((2, 2, 2)), kind=KINDS[kind]))
    at = raw.index(b"n+")
    raw[at : at + 2] = b"ni"
    with pytest.raises(SourceError, match=r"^x: not a single-file NIfTI .*\.hdr/\.img pairs"):
        reader.read(bytes(raw), "x")


@pytest.mark.parametrize(
    "content", [b"x", b"\0" * 348, b"\0" * 600, b"PK\3\4" * 200, b"<html>" * 100]
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_other_files_are_refused(content: bytes, *, is_packed: bool) -> None:
    with pytest.raises(
        SourceError, match=r"^x: not a NIfTI file; is it complete and the right one"
    ):
        reader.read(gzipped(content) if is_packed else content, "x")


def test_an_empty_file_is_named() -> None:
    with pytest.raises(SourceError, match=r"^x: the file is empty; download it again$"):
        reader.read(b"", "x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_file_that_is_cut_anywhere_is_refused(kind: str, endian: str) -> None:
    raw = nifti(ramp((2, 3, 2), "u1"), kind=KINDS[kind], endian=endian)
    for length in range(1, len(raw)):
        with pytest.raises(SourceError, match=r"^x: (cut off|not a NIfTI file).*"):
            reader.read(raw[:length], "x")


def test_a_packed_file_that_is_cut_anywhere_is_refused() -> None:
    packed = gzipped(nifti(ramp((4, 4, 2))), name="x.nii")
    for length in range(1, len(packed)):
        with pytest.raises(SourceError, match=r"^x: "):
            reader.read(packed[:length], "x")


def test_a_packed_file_whose_content_was_cut_is_refused() -> None:
    raw = nifti(ramp((4, 4, 2)))
    with pytest.raises(SourceError, match=rf"^x: cut off.* {len(raw)} bytes; download it again$"):
        reader.read(gzipped(raw[:-1]), "x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dim",
    [
        (3, -4, 4, 2, 1, 1, 1, 1),
        (3, 0, 4, 2, 1, 1, 1, 1),
        (3, 4, 4, 0, 1, 1, 1, 1),
        (3, 32767, 32767, 32767, 1, 1, 1, 1),
        (7, 32767, 32767, 32767, 32767, 32767, 32767, 32767),
        (0, 4, 4, 2, 1, 1, 1, 1),
        (-3, 4, 4, 2, 1, 1, 1, 1),
        (8, 4, 4, 2, 1, 1, 1, 1),
        (32767, 4, 4, 2, 1, 1, 1, 1),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_grids_that_cannot_be_are_refused(
    dim: tuple[int, ...], kind: str, *, is_packed: bool
) -> None:
    raw = nifti(ramp((4, 4, 2)), kind=KINDS[kind], dim=dim)
    tracemalloc.start()
    try:
        with pytest.raises(
            SourceError, match=r"^x: (broken NIfTI header|cut off, or a broken head)"
        ):
            reader.read(gzipped(raw) if is_packed else raw, "x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, -(2**63)])
def test_64_bit_grids_that_cannot_be_are_refused(size: int) -> None:
    raw = nifti(ramp((4, 4, 2)), kind=nib.Nifti2Image, dim=(3, size, size, size, 1, 1, 1, 1))
    with pytest.raises(SourceError, match=r"^x: (broken NIfTI header|cut off, or a broken header)"):
        reader.read(raw, "x")


@pytest.mark.parametrize(
    "fields",
    [
        {"vox_offset": np.nan},
        {"vox_offset": np.inf},
        {"vox_offset": -1},
        {"vox_offset": 0},
        {"vox_offset": 100},
        {"vox_offset": 1e30},
        {"datatype": 0},
        {"datatype": 1},
        {"datatype": 9999},
        {"datatype": -1},
        {"scl_slope": 2, "scl_inter": np.nan},
        {"scl_slope": 2, "scl_inter": -np.inf},
    ],
)
def test_other_broken_headers_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match=r"^x: (broken NIfTI header|cut off, or a broken header)"):
        reader.read(nifti(ramp((4, 4, 2)), **fields), "x")


@given(st.binary(min_size=348, max_size=348), st.data())
def test_a_random_header_is_an_image_or_a_refusal(noise: bytes, data: Any) -> None:
    raw = bytearray(nifti(ramp((4, 4, 2))))
    start = data.draw(st.integers(4, 340))
    stop = data.draw(st.integers(start, 344))
    raw[start:stop] = noise[start:stop]
    try:
        image = reader.read(bytes(raw), "x")
    except SourceError as error:
        assert str(error).startswith("x: ")  # noqa: PT017
    else:
        assert reader.values(image).shape == image.shape
        assert all(n > 0 for n in image.shape)


@pytest.mark.parametrize(
    ("slope", "intercept", "scaling"),
    [
        (np.nan, np.nan, (1, 0)),
        (np.nan, 5, (1, 0)),
        (np.inf, 1, (1, 0)),
        (0, 0, (1, 0)),
        (0, 7, (1, 0)),
        (1, 0, (1, 0)),
        (2, 0, (2, 0)),
        (1, -1024, (1, -1024)),
        (0.5, 3, (0.5, 3)),
    ],
)
def test_scaling(slope: float, intercept: float, scaling: tuple[float, float]) -> None:
    image = reader.read(nifti(ramp((2, 2, 2)), scl_slope=slope, scl_inter=intercept), "x")
    assert image.scaling == scaling
    assert reader.is_scaled(image) == (scaling != (1, 0))
    np.testing.assert_array_equal(reader.values(image), ramp((2, 2, 2)))


SHAPES = [
    ((4, 5), (4, 5, 1)),
    ((4,), (4, 1, 1)),
    ((4, 5, 6), (4, 5, 6)),
    ((4, 5, 1), (4, 5, 1)),
    ((4, 5, 6, 1), (4, 5, 6)),
    ((4, 5, 6, 1, 1, 1), (4, 5, 6)),
    ((4, 5, 1, 1), (4, 5, 1)),
    ((4, 5, 6, 2), (4, 5, 6, 2)),
    ((4, 5, 6, 1, 3), (4, 5, 6, 1, 3)),
    ((4, 5, 6, 2, 1), (4, 5, 6, 2)),
]


@pytest.mark.parametrize(("shape", "wanted"), SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("endian", ["<", ">"])
def test_axes_of_one_are_dropped_behind_the_third(
    shape: tuple[int, ...], wanted: tuple[int, ...], kind: str, endian: str
) -> None:
    data = ramp(shape)
    image = reader.read(nifti(data, kind=KINDS[kind], endian=endian), "x")
    assert reader.image_shape(shape) == wanted
    made = reader.with_shape(image)
    after, before = loaded(made), loaded(image.raw)
    assert after.shape == wanted
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), data.reshape(wanted, order="F"))
    same_place(before, after)
    assert after.header.get_zooms()[: len(shape)] == before.header.get_zooms()[: len(wanted)]
    if shape == wanted:
        assert made is image.raw


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 1)])
def test_negative_edges_do_not_hinder(shape: tuple[int, ...]) -> None:
    pixdim = (1, -2, 3, -4, -1, 1, 1, 1)
    image = reader.read(nifti(ramp(shape), pixdim=pixdim), "x")
    after = loaded(reader.with_shape(image))
    assert after.shape == reader.image_shape(shape)
    same_place(loaded(image.raw), after)


@pytest.mark.parametrize("source", ["f8", "u1", "i4", ">f4"])
@pytest.mark.parametrize("dtype", ["uint8", "int32"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4), (3, 4, 5, 1)])
def test_other_values_on_the_same_grid(
    shape: tuple[int, ...], kind: str, dtype: str, source: str
) -> None:
    endian = ">" if source.startswith(">") else "<"
    comments = (b"made by a scanner", b"second" * 40)
    image = reader.read(
        nifti(
            ramp(shape, source.lstrip(">")),
            kind=KINDS[kind],
            endian=endian,
            extensions=comments,
            scl_slope=2,
            scl_inter=-3,
            cal_max=7,
            cal_min=3,
            descrip=b"of the publisher",
        ),
        "x",
    )
    wanted = reader.image_shape(shape)
    values = labels(wanted, dtype)
    made = reader.with_labels(image, values)
    after, before = loaded(made), loaded(image.raw)
    assert after.header.endianness == endian
    assert after.get_data_dtype() == np.dtype(dtype).newbyteorder(endian)
    assert (after.dataobj.slope, after.dataobj.inter) == (1, 0)
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), values)
    same_place(before, after)
    assert [e.get_content() for e in after.header.extensions] == [
        e.get_content() for e in before.header.extensions
    ]
    assert len(after.header.extensions) == len(comments)
    assert (after.header["cal_max"], after.header["cal_min"]) == (0, 0)
    assert after.header["descrip"] == before.header["descrip"]
    again = reader.read(made, "x")
    np.testing.assert_array_equal(reader.values(again), values)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_peek_reads_the_place_without_the_voxels(
    kind: str, tmp_path: Path, *, is_packed: bool
) -> None:
    raw = nifti(ramp((30, 40, 5)), kind=KINDS[kind])
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzipped(raw) if is_packed else raw)
    place = reader.peek(path)
    assert place.shape == (30, 40, 5)
    np.testing.assert_allclose(place.affine, OBLIQUE, atol=1e-6)
    np.testing.assert_array_equal(place.affine, loaded(raw).affine)


def test_what_lies_behind_the_voxels_is_no_voxel() -> None:
    raw = nifti(ramp((3, 3, 3))) + b"padding"
    for content in (raw, gzip.compress(raw)):
        np.testing.assert_array_equal(reader.values(reader.read(content, "x")), ramp((3, 3, 3)))


def test_a_size_that_looks_swapped_is_not_guessed() -> None:
    raw = bytearray(nifti(ramp((2, 2, 2))))
    raw[:4] = struct.pack(">i", 348)
    with pytest.raises(SourceError, match=r"^x: "):
        reader.read(bytes(raw), "x")


def same_place(before: Any, after: Any) -> None:
    """Check that two images lie at one place by the same codes and units."""
    np.testing.assert_array_equal(before.affine, after.affine)
    for code in ("sform_code", "qform_code", "xyzt_units"):
        assert before.header[code] == after.header[code]
    np.testing.assert_array_equal(before.get_qform(), after.get_qform())
    np.testing.assert_array_equal(before.get_sform(), after.get_sform())
