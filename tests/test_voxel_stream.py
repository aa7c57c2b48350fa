"""Voxels in one pass: those of the file, however it is packed, and in little memory."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from builders import gzipped, nifti
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bidsify.validation.checks.stream import UnreadableError, read_voxels
from bidsify.validation.checks.summary import Summary, summarize
from bidsify.validation.files.headers import HEAD, Nifti, read_nifti

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])
TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8")


def header_of(content: bytes) -> Nifti:
    header = read_nifti(content[:HEAD])
    assert header is not None
    return header


def voxels(path: Path, content: bytes, plain: bytes = b"") -> Any:
    path.write_bytes(content)
    pieces = list(read_voxels(str(path), header_of(plain or content)))
    return np.concatenate(pieces) if pieces else np.empty(0)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("endian", "<>")
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_values_are_those_of_the_file(tmp_path: Path, dtype: str, endian: str, kind: Any) -> None:
    data = np.random.default_rng(1).integers(0, 100, (7, 5, 3)).astype(dtype)
    content = nifti(data, AFFINE, kind=kind, endian=endian, extensions=[b"x" * 1000])
    for file in (content, gzipped(content), gzipped(content[:700]) + gzipped(content[700:])):
        assert np.array_equal(voxels(tmp_path / "x", file, content), data.ravel(order="F"))


def test_what_lies_behind_the_voxels_is_left_alone(tmp_path: Path) -> None:
    data = np.arange(8, dtype="i2").reshape(2, 2, 2)
    content = nifti(data, AFFINE)
    for file in (content + b"more", gzipped(content) + bytes(9), gzipped(content + b"more")):
        assert np.array_equal(voxels(tmp_path / "x", file, content), data.ravel(order="F"))


LONG = nifti(np.random.default_rng(1).integers(0, 9999, (60, 60, 20)).astype("i2"), AFFINE)
PACKED = gzip.compress(LONG)
BROKEN = {
    "cut off": (PACKED[: len(PACKED) // 2], "cut off"),
    "damaged": (PACKED[:30000] + bytes(100) + PACKED[30100:], "damaged gzip"),
    "checksum": (PACKED[:-8] + bytes(8), "damaged gzip"),
    "too short": (LONG[:-2], "2 of 144000 bytes of voxels are missing"),
    "packed too short": (gzip.compress(LONG[:-2]), "2 of 144000 bytes of voxels are missing"),
    "a header alone": (LONG[:352], "144000 of 144000"),
    "an offset within the header": (nifti(np.zeros((2, 2, 2)), AFFINE, vox_offset=8), "vox_offset"),
    "no offset": (nifti(np.zeros((2, 2, 2)), AFFINE, vox_offset=np.nan), "vox_offset"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_says_how(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        voxels(tmp_path / "x", content)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="No such file"):
        list(read_voxels(str(tmp_path / "x"), header_of(LONG)))


def test_memory_does_not_grow_with_the_image(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzipped(nifti(np.zeros((400, 400, 200), "u1"), AFFINE)))
    header = header_of((tmp_path / "x").read_bytes())
    tracemalloc.start()
    summary = summarize(read_voxels(str(tmp_path / "x"), header), (1, 0), is_of_labels=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert summary.voxels == 32_000_000
    assert peak < 12 << 20


# --- What is made of the values -----------------------------------------------------------------


def labels(data: Any, scaling: tuple[float, float] = (1, 0)) -> Summary:
    flat = np.ascontiguousarray(data.ravel())
    half = flat.size // 2
    return summarize([flat[:half], flat[half:]], scaling, is_of_labels=True)


@given(
    data=hnp.arrays(
        dtype=st.sampled_from(["u1", "i1", "i2", "u2", "i4", "u8", "f4", "f8"]),
        shape=st.integers(0, 60),
        elements=st.sampled_from([0, 1, 2, 3, 99]),
    )
)
def test_labels_are_counted(data: Any) -> None:
    values, numbers = np.unique(data[data != 0], return_counts=True)
    summary = labels(data)
    assert dict(summary.counts) == dict(zip(values.tolist(), numbers.tolist(), strict=True))
    assert (summary.voxels, summary.is_empty) == (data.size, not values.size)


@pytest.mark.parametrize(
    ("data", "scaling", "counts"),
    [
        (np.array([-1, 0, 70000, 70000]), (1, 0), {-1: 1, 70000: 2}),
        (np.array([0.5, 1, 1], "f4"), (1, 0), {0.5: 1, 1: 2}),
        (np.array([0, 255, 255], "u1"), (0.00392157, 0), {1: 2}),
        (np.array([0, 1, 1], "u1"), (1, 5), {5: 1, 6: 2}),
        (np.array([0, 5, 5], "i2"), (1, -5), {-5: 1}),
        (np.array([np.nan, np.inf, 2], "f4"), (1, 0), {2: 1}),
    ],
)
def test_labels_are_the_real_values(data: Any, scaling: Any, counts: dict[float, int]) -> None:
    assert dict(labels(data, scaling).counts) == counts


def test_an_image_that_holds_no_labels_is_not_counted_for_ever() -> None:
    summary = labels(np.random.default_rng(1).random(300_000))
    assert (summary.is_complete, summary.is_empty, dict(summary.counts)) == (False, False, {})


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
def test_values_that_are_not_finite_are_counted(dtype: str) -> None:
    data = np.array([1, np.nan, -np.inf, 3e38, 3e38, np.inf], dtype)
    assert summarize([data], (1, 0), is_of_labels=False).not_finite == 3
    assert summarize([data[3:5]], (1, 0), is_of_labels=False).not_finite == 0


def test_the_ends_of_the_range_are_scaled() -> None:
    data = np.array([0, 10, 200], "u1")
    summary = summarize([data], (-0.5, 1), is_of_labels=False)
    assert (summary.least, summary.most, summary.is_empty) == (-99, 1, False)
    assert summarize([data[:1]], (2, 0), is_of_labels=False).is_empty


@pytest.mark.parametrize("kind", ["c8", "c16"])
def test_complex_numbers_are_no_labels(kind: str) -> None:
    with pytest.raises(UnreadableError, match="complex numbers, which are no labels"):
        summarize([np.ones(3, kind)], (1, 0), is_of_labels=True)
    assert summarize([np.ones(3, kind)], (1, 0), is_of_labels=False).voxels == 3
