"""NIfTI and gzip headers, held against nibabel and the standard library."""

from __future__ import annotations

import gzip
import io
import struct
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import strategies
from builders import gzipped, nifti
from hypothesis import assume, given
from hypothesis import strategies as st

from bidsify.validation.files.headers import HEAD, read_gzip, read_nifti
from bidsify.validation.files.orientation import axis_codes

KINDS = {"1": nib.Nifti1Image, "2": nib.Nifti2Image}
kinds = st.sampled_from(sorted(KINDS))
endians = st.sampled_from(strategies.ENDIANS)
seeds = st.integers(0, 2**32 - 1)


def affine_of(seed: int) -> Any:
    """A rotation with unequal edges and an offset, mirrored or not."""
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = rotation * random.uniform(0.5, 4, 3)
    affine[:3, 3] = random.uniform(-100, 100, 3)
    return affine


def read(content: bytes) -> Any:
    found = read_nifti(content[:HEAD])
    assert found is not None
    return found


@given(seeds, kinds, endians, st.booleans(), st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_it_reads_what_nibabel_wrote(
    seed: int,
    kind: str,
    endian: str,
    is_packed: bool,  # noqa: FBT001
    shape: list[int],
) -> None:
    affine = affine_of(seed)
    content = nifti(np.zeros(shape, "i2"), affine, kind=KINDS[kind], endian=endian)
    header = KINDS[kind].header_class.from_fileobj(io.BytesIO(content))
    found = read(gzipped(content) if is_packed else content)
    assert found.dims == tuple(header["dim"])
    assert found.datatype == header["datatype"]
    assert found.context["shape"] == list(header.get_data_shape())
    np.testing.assert_allclose(found.context["voxel_sizes"], header.get_zooms(), rtol=1e-6)
    np.testing.assert_allclose(found.context["pixdim"], header["pixdim"], atol=5.01e-4)
    np.testing.assert_allclose(found.affine, header.get_best_affine()[:3], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.qform, header.get_qform()[:3], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.sform, header.get_sform()[:3], rtol=1e-5, atol=1e-4)
    assert found.context["xyzt_units"] == {"xyz": "mm", "t": "sec"}


@given(seeds)
def test_axes_are_those_of_nibabel_where_they_are_plain(seed: int) -> None:
    affine = affine_of(seed)
    cosines = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    largest = np.sort(cosines, axis=0)
    assume(len({int(i) for i in cosines.argmax(axis=0)}) == 3)
    assume((largest[2] - largest[1]).min() > 0.05)  # else it is a matter of taste
    assert axis_codes(affine.tolist()) == list(nib.aff2axcodes(affine))


@given(st.permutations("RAS"), st.tuples(*[st.booleans()] * 3))
def test_axes_along_the_world(axes: list[str], flips: tuple[bool, bool, bool]) -> None:
    opposite = {"R": "L", "A": "P", "S": "I"}
    wanted = [opposite[a] if flip else a for a, flip in zip(axes, flips, strict=True)]
    affine = nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(wanted), (1, 1, 1))
    assert axis_codes(np.linalg.inv(affine).tolist()) == wanted


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_an_affine_without_numbers_has_no_axes(value: float) -> None:
    assert axis_codes([[1, 0, 0, 0], [0, value, 0, 0], [0, 0, 1, 0]]) is None


@pytest.mark.parametrize(
    ("qform_code", "sform_code", "expected"),
    [
        (1, 0, "qform"),
        (0, 1, "sform"),
        (1, 2, "sform"),
        (2, 1, "qform"),
        (0, 0, "pixdim"),
        (1, 1, "sform"),
    ],
)
def test_which_affine_is_in_force(qform_code: int, sform_code: int, expected: str) -> None:
    content = nifti(np.zeros((2, 2, 2), "i2"), np.diag([2.0, 3.0, 4.0, 1.0]))
    raw = bytearray(content)
    struct.pack_into("<2h", raw, 252, qform_code, sform_code)
    struct.pack_into("<3f", raw, 268, 7, 7, 7)  # offsets of the qform
    struct.pack_into("<4f", raw, 280, 9, 0, 0, 9)  # a row of the sform
    offset = {"qform": 7, "sform": 9, "pixdim": 0}
    assert read(bytes(raw)).affine[0][3] == offset[expected]


def test_descriptions_are_read() -> None:
    content = nifti(np.zeros((2, 2, 2), "i2"), descrip=b"made by x", intent_name=b"y", aux_file=b"")
    assert read(content).texts == {"descrip": "made by x", "intent_name": "y", "aux_file": ""}


@pytest.mark.parametrize(
    ("info", "expected"),
    [(0, (0, 0, 0)), (0b111001, (1, 2, 3)), (3, (3, 0, 0)), (255, (3, 3, 3))],
)
def test_dimensions_of_acquisition(info: int, expected: tuple[int, int, int]) -> None:
    found = read(nifti(np.zeros((2, 2, 2), "i2"), dim_info=info)).context["dim_info"]
    assert (found["freq"], found["phase"], found["slice"]) == expected


PLAIN = nifti(np.zeros((2, 2, 2), "i2"))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x1f", b"\x1f\x8b", PLAIN[:347], gzipped(PLAIN[:300]), b"\0" * 1000,
        PLAIN[:344] + b"ni1\0" + PLAIN[348:], gzipped(PLAIN)[:40], b"\x1f\x8b" + b"\xff" * 500,
        struct.pack("<i", 349) + PLAIN[4:], struct.pack("<i4s", 540, b"n+2") + b"\0" * 400,
    ],
)  # fmt: skip
def test_no_header_is_nothing(content: bytes) -> None:
    assert read_nifti(content) is None


@given(seeds, kinds, st.binary(min_size=1, max_size=40), st.integers(4, 500))
def test_any_damage_is_read_or_refused(seed: int, kind: str, damage: bytes, at: int) -> None:
    raw = bytearray(nifti(np.zeros((2, 2, 2), "i2"), affine_of(seed), kind=KINDS[kind]))
    raw[at : at + len(damage)] = damage
    found = read_nifti(bytes(raw[:HEAD]))  # must not raise
    assert found is None or isinstance(found.context["axis_codes"], list | None)


def test_sizes_beyond_all_bounds_are_read() -> None:
    raw = bytearray(nifti(np.zeros((2, 2, 2), "i2"), kind=nib.Nifti2Image))
    struct.pack_into("<8d", raw, 104, *[1e308] * 8)
    assert read(bytes(raw)).context["pixdim"] == [1e308] * 8


@given(st.text(strategies.LETTERS, max_size=8), st.integers(0, 2**32 - 1))
def test_gzip_headers(name: str, time: int) -> None:
    found = read_gzip(gzipped(b"x", name=name, time=time))
    assert found is not None
    stored = name.removesuffix(".gz")
    assert found == {"timestamp": time, "filename": stored, "comment": ""}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", None),
        (b"PK\3\4" + b"\0" * 20, None),
        (b"\x1f\x8b\x08", None),
        (b"\x1f\x8b\x08\x18\0\0\0\0\0\3a\0b\0", ("a", "b")),
        (b"\x1f\x8b\x08\x10\0\0\0\0\0\3note\0", ("", "note")),
        (b"\x1f\x8b\x08\x0c\0\0\0\0\0\3\2\0zza\0", ("a", "")),
        (b"\x1f\x8b\x08\x08\0\0\0\0\0\3unended", ("unended", "")),
        (b"\x1f\x8b\x08\x04" + b"\xff" * 30, ("", "")),
    ],
)
def test_texts_of_gzip_headers(content: bytes, expected: tuple[str, str] | None) -> None:
    found = read_gzip(content)
    assert (found and (found["filename"], found["comment"])) == expected


def test_gzip_of_the_standard_library() -> None:
    found = read_gzip(gzip.compress(b"x", mtime=7))
    assert found == {"timestamp": 7, "filename": "", "comment": ""}
