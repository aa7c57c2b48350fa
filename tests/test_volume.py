"""Volumes as NIfTI-1 bytes: nibabel reads back the same values at the same place."""

from __future__ import annotations

import itertools
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from builders import OBLIQUE, loaded, ramp, rotation
from hypothesis import given
from hypothesis import strategies as st

from bidsify.errors import SourceError
from bidsify.readers import nifti as reader
from bidsify.volume import ALIGNED, SCANNER, Volume, affine_of, to_nifti

ORIENTATIONS = [
    "".join(axes)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for axes in itertools.product(*order)
]
TURNED = np.eye(4)
TURNED[:3, :3] = rotation(0.4, -0.3, 1.0) * (0.5, 1.0, 4.0)  # voxels of unequal edges
SHEARED = OBLIQUE @ np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
RIGID = np.diag([-2.0, 3.0, 4.0, 1.0])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 1), (3, 4, 5, 2)])
def test_nibabel_reads_back_the_values(shape: tuple[int, ...], endian: str, dtype: str) -> None:
    data = ramp(shape, endian + dtype)
    image = loaded(to_nifti(Volume(data, OBLIQUE, in_mm=True)))
    assert image.shape == shape
    assert image.get_data_dtype() == np.dtype("<" + dtype)
    assert (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), data)
    assert image.header.endianness == "<"


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_does_not_matter(order: Any) -> None:
    data = np.asarray(ramp((3, 4, 5)), order=order)[::-1]
    image = loaded(to_nifti(Volume(data, OBLIQUE, in_mm=True)))
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), data)


@pytest.mark.parametrize(
    "affine", [RIGID, TURNED, OBLIQUE, SHEARED], ids=["rigid", "turned", "oblique", "sheared"]
)
@pytest.mark.parametrize("code", [SCANNER, ALIGNED])
def test_the_place_is_kept(affine: Any, code: int) -> None:
    image = loaded(to_nifti(Volume(ramp((3, 4, 5)), affine, in_mm=True, code=code)))
    np.testing.assert_allclose(image.affine, affine, atol=1e-5)
    assert image.header["sform_code"] == code
    if affine is RIGID or affine is TURNED:
        assert image.header["qform_code"] == code
    if image.header["qform_code"]:
        np.testing.assert_allclose(image.get_qform(), affine, atol=1e-3)
    else:
        assert affine is OBLIQUE or affine is SHEARED


@given(st.tuples(*[st.floats(0.2, 5)] * 3), st.tuples(*[st.floats(-500, 500)] * 3))
def test_a_qform_says_the_same_as_the_sform(edges: Any, origin: Any) -> None:
    affine = np.diag([*edges, 1.0])
    affine[:3, 3] = origin
    image = loaded(to_nifti(Volume(ramp((2, 2, 2)), affine, in_mm=True)))
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    np.testing.assert_allclose(image.header.get_zooms(), edges, rtol=1e-6)


@pytest.mark.parametrize(("in_mm", "unit"), [(True, "mm"), (False, "unknown")])
def test_an_unknown_size_stays_unknown(unit: str, *, in_mm: bool) -> None:
    image = loaded(to_nifti(Volume(ramp((3, 4, 1)), affine_of("RAS"), in_mm=in_mm)))
    assert image.header.get_xyzt_units()[0] == unit
    assert image.header.get_zooms() == (1, 1, 1)


@pytest.mark.parametrize(
    ("shape", "in_mm", "unit"),
    [((3, 4, 5, 2), True, "sec"), ((3, 4, 5, 2), False, "unknown"), ((3, 4, 5), True, "unknown")],
)
def test_channels_have_a_unit_only_where_voxels_have_one(
    shape: tuple[int, ...], unit: str, *, in_mm: bool
) -> None:
    image = loaded(to_nifti(Volume(ramp(shape), affine_of("RAS"), in_mm=in_mm)))
    assert image.header.get_xyzt_units()[1] == unit


def test_a_plane_gets_its_third_axis() -> None:
    image = loaded(to_nifti(Volume(ramp((3, 4)), OBLIQUE, in_mm=True)))
    assert image.shape == (3, 4, 1)


def test_our_own_reader_accepts_it() -> None:
    raw = to_nifti(Volume(ramp((3, 4, 5)), OBLIQUE, in_mm=True))
    image = reader.read(raw, "x")
    np.testing.assert_array_equal(reader.values(image), ramp((3, 4, 5)))
    assert not reader.is_scaled(image)
    assert len(raw) == 352 + 3 * 4 * 5 * 2


def test_a_grid_that_is_too_large_is_refused() -> None:
    assert to_nifti(Volume(np.zeros((32767, 1, 1), "u1"), OBLIQUE, in_mm=True))
    with pytest.raises(
        SourceError, match=r"a grid of \(32768, 1, 1\) voxels does not fit into NIf"
    ):
        to_nifti(Volume(np.zeros((32768, 1, 1), "u1"), OBLIQUE, in_mm=True))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_orientation_is_what_nibabel_calls_it(orientation: str) -> None:
    affine = affine_of(orientation)
    assert "".join(nib.aff2axcodes(affine)) == orientation
    assert sorted(np.abs(affine).ravel()) == [0] * 12 + [1] * 4
    assert affine[3].tolist() == affine[:, 3].tolist() == [0, 0, 0, 1]


def test_all_orientations_are_tested() -> None:
    assert len(set(ORIENTATIONS)) == 48
