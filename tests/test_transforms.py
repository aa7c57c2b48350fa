"""Voxels of an output volume to the scanner and back, in our files and in those of ITK."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bidsify.errors import SourceError
from bidsify.preprocessing.itk import to_field, to_text, with_displacements
from bidsify.preprocessing.transform_record import from_json, to_json
from bidsify.preprocessing.transforms import (
    Record,
    SliceMap,
    from_scanner,
    is_moved,
    solid,
    to_scanner,
)
from bidsify.volume import Array

ROI = 40
LPS = np.array([-1.0, -1.0, 1.0])


def turned(seed: int) -> Array:
    """Return a rotation (3, 3) by any angle."""
    values, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return values * np.sign(np.linalg.det(values))


def smooth(rng: np.random.Generator, size: int = ROI) -> Array:
    """Return a displacement of up to 3 px that does not fold."""
    found = np.stack([ndimage.gaussian_filter(rng.normal(size=(size, size)), 6) for _ in "ij"])
    return found / np.abs(found).max() * 3


def record(
    seed: int = 0, slices: int = 3, *, displaced: bool = True, same_offset: bool = True
) -> Record:
    """Return a tilted stack, of another pixel size, turn and distance than the volume has."""
    rng = np.random.default_rng(seed)
    axes = turned(seed)
    grid = np.eye(4)
    grid[:3, :3], grid[:3, 3] = axes * [1, 1, 9.0], rng.uniform(-200, 200, 3)
    maps = []
    for number in range(slices):
        affine = np.eye(3)
        affine[:2, :2] += rng.uniform(-0.15, 0.15, (2, 2))
        affine[:2, 2] = rng.uniform(-9, 9, 2)
        tilted = axes @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3)))
        plane = np.column_stack([tilted[:, :2] * 0.8929, grid[:3, 3] + 10.0 * number * axes[:, 2]])
        frame = np.diag([1 / 0.8929, 1 / 0.8929, 1.0])
        frame[:2, 2] = rng.uniform(-30, 30, 2)
        i, j = np.array([12, 10]) + (0 if same_offset else rng.integers(-9, 10, 2))
        displacement = smooth(rng) if displaced else None
        maps.append(
            SliceMap(
                f"LGE/{number}.dcm",
                2 + number,
                (int(i), int(j)),
                affine,
                frame,
                plane,
                displacement,
            )
        )
    name = "sub-1_field.nii.gz" if displaced else None
    return Record("LGE", (ROI, ROI), grid, tuple(maps), displacement_file=name)


def voxels(seed: int, one: Record, count: int = 200) -> Array:
    rng = np.random.default_rng(seed)
    flat = rng.uniform(0, ROI - 1, (count, 2))
    return np.column_stack([flat, rng.integers(0, len(one.slices), count)])


# ------------------------------------------------------------------------------- there and back


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_points_go_to_the_scanner_and_back(seed: int, displaced: bool, same: bool) -> None:  # noqa: FBT001
    one = record(seed, displaced=displaced, same_offset=same)
    points = voxels(seed, one)
    assert np.abs(from_scanner(to_scanner(points, one), one) - points).max() < 1e-3


def test_points_between_slices_go_with_the_nearest_and_back() -> None:
    one = record(3, slices=2)
    one = replace(one, slices=(one.slices[0],))
    points = voxels(0, one) + np.array([0, 0, 0.3])
    there = to_scanner(points, one)
    assert np.abs(from_scanner(there, one) - points).max() < 1e-3
    normal = solid(one, 0)[:3, 2]
    assert np.linalg.norm(normal) == pytest.approx(9)
    np.testing.assert_allclose(there - to_scanner(points * [1, 1, 0], one), [0.3 * normal] * 200)


def test_a_voxel_lies_where_its_matrices_and_displacement_say() -> None:
    """The formula of the page, written out for one voxel on a pixel of the displacement."""
    one = record(1)
    i, j, k = 5, 17, 2
    part = one.slices[k]
    assert part.displacement is not None
    x = np.array([i, j]) + part.offset
    y = x + part.displacement[:, i, j]
    expected = part.plane @ (part.frame @ (part.affine @ [*y, 1]))
    np.testing.assert_allclose(to_scanner(np.array([[i, j, k]]), one), [expected], atol=1e-9)


def test_the_inverse_holds_where_the_displacement_compresses_a_lot() -> None:
    """Plain iteration runs away where u grows faster than x, which is no fold."""
    one = record(slices=1)
    i = np.arange(ROI, dtype=float)
    steep = np.zeros((2, ROI, ROI))
    steep[0] = (np.clip(2.0 * (i - 18), -8, 8))[:, None]
    one = replace(one, slices=(replace(one.slices[0], displacement=steep),))
    points = voxels(0, one)
    assert np.abs(from_scanner(to_scanner(points, one), one) - points).max() < 1e-3


def test_what_has_no_voxel_is_not_a_number() -> None:
    one = record(slices=2, displaced=False)
    far = to_scanner(np.array([[3.0, 4.0, 0.0]]), one) - 0.9 * solid(one, 0)[:3, 2]
    assert np.isnan(from_scanner(far, one)).all()


def test_a_hole_torn_by_a_displacement_is_not_a_number() -> None:
    one = record(slices=1)
    torn = np.zeros((2, ROI, ROI))
    torn[0] = np.where(np.arange(ROI) < 18, 40.0, -40.0)[:, None]
    one = replace(one, slices=(replace(one.slices[0], displacement=torn),))
    whole = replace(
        one, slices=(replace(one.slices[0], displacement=None),), displacement_file=None
    )
    back = from_scanner(to_scanner(np.array([[-100.0, 5.0, 0.0]]), whole), one)
    assert np.isfinite(back).all()  # a border that is shifted as a whole
    back = from_scanner(to_scanner(voxels(0, one), whole), one)
    forth = to_scanner(back[np.isfinite(back[:, 0])], one)
    np.testing.assert_allclose(
        forth, to_scanner(voxels(0, one), whole)[np.isfinite(back[:, 0])], atol=1e-2
    )


@pytest.mark.parametrize("k", [-0.6, 2.6, 7])
def test_points_of_no_slice_are_refused(k: float) -> None:
    with pytest.raises(ValueError, match="k from 0 to 2"):
        to_scanner(np.array([[0, 0, k]]), record())


def test_no_points_give_no_points() -> None:
    assert to_scanner(np.empty((0, 3)), record()).shape == (0, 3)
    assert from_scanner(np.empty((0, 3)), record()).shape == (0, 3)


# ----------------------------------------------------------------------------------------- JSON


def test_json_keeps_each_number_exactly() -> None:
    one = record(4, same_offset=False)
    text = to_json(one)
    back = from_json(text, "x.json")
    assert to_json(back) == text
    for name in ("sequence", "shape", "interpolation", "displacement_file"):
        assert getattr(back, name) == getattr(one, name)
    assert back.grid.tolist() == one.grid.tolist()
    for ours, theirs in zip(one.slices, back.slices, strict=True):
        for name in ("source", "source_slice", "offset"):
            assert getattr(ours, name) == getattr(theirs, name)
        for name in ("affine", "frame", "plane"):
            assert getattr(ours, name).tolist() == getattr(theirs, name).tolist()


def test_json_and_field_together_are_the_record() -> None:
    one = record(5, same_offset=False)
    field = to_field(one)
    back = with_displacements(from_json(to_json(one), "x.json"), field, "field.nii")
    points = voxels(1, one)
    np.testing.assert_allclose(to_scanner(points, back), to_scanner(points, one), atol=1e-5)


def test_a_record_without_the_displacements_it_names_maps_nothing() -> None:
    bare = from_json(to_json(record()), "x.json")
    with pytest.raises(ValueError, match="load the displacements of sub-1_field"):
        to_scanner(np.zeros((1, 3)), bare)
    with pytest.raises(ValueError, match="load the displacements"):
        from_scanner(np.zeros((1, 3)), bare)


def _set(*keys: Any) -> Callable[[Any], None]:
    *way, last, value = keys

    def change(document: Any) -> None:
        for key in way:
            document = document[key]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("Slices", []), "no slices"),
        (_set("Slices", 3), "not iterable"),
        (_set("Slices", 0, "Affine", [[1, 0], [0, 1]]), "Affine is not 3x3"),
        (_set("Slices", 0, "Affine", 0, ["1", "0", "0"]), "Affine is not"),
        (_set("Slices", 0, "Affine", 2, [0, 1, 1]), "does not end in 0"),
        (_set("Slices", 0, "Plane", 0, 0, float("nan")), "Plane is not"),
        (_set("Slices", 1, "Plane", [[0, 0, 0]] * 3), "slice 1 have no inverse"),
        (_set("Slices", 0, "Offset", [1.5, 2]), "Offset is not 2 of numbers"),
        (_set("Slices", 0, "Displacement", [1.5, 2]), "Displacement is not 3 of numbers"),
        (_set("Slices", 0, "SourceSlice", "1"), "SourceSlice is not one"),
        (_set("Slices", 0, "Source", 7), "Source is 7"),
        (_set("Grid", 3, [0, 0, 0, 2]), "does not end in 0"),
        (_set("Shape", [128]), "Shape is not 2"),
        (_set("DisplacementFile", 4), "DisplacementFile is 4"),
        (_set("Interpolation", {}), "'Image'"),
    ],
)
def test_a_record_that_cannot_be_is_refused(change: Callable[[Any], None], reason: str) -> None:
    document = json.loads(to_json(record()))
    change(document)
    with pytest.raises(SourceError, match=f"^x.json: not a record.*{reason}"):
        from_json(json.dumps(document), "x.json")


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 100000])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"^x.json: not a record"):
        from_json(text, "x.json")


# ------------------------------------------------------------------------------------ ITK files


def through_itk(one: Record, folder: Path, points: Array) -> Array:
    """Return where SimpleITK sends voxels of the volume by the field, RAS mm."""
    itk = pytest.importorskip("SimpleITK")
    (folder / "field.nii").write_bytes(to_field(one))
    image = itk.ReadImage(str(folder / "field.nii"), itk.sitkVectorFloat64)
    field = itk.DisplacementFieldTransform(image)
    starts = (points @ one.grid[:3, :3].T + one.grid[:3, 3]) * LPS
    return np.array([field.TransformPoint(start) for start in starts.tolist()]) * LPS


@pytest.mark.parametrize("displaced", [True, False])
@pytest.mark.parametrize("slices", [1, 3])
def test_itk_sends_voxels_where_we_do(slices: int, displaced: bool, tmp_path: Path) -> None:  # noqa: FBT001
    one = record(6, slices, displaced=displaced, same_offset=False)
    points = np.rint(voxels(2, one, 60))
    found = through_itk(one, tmp_path, points)
    assert np.abs(found - to_scanner(points, one)).max() < 1e-3


def test_the_text_has_the_affine_map_of_each_slice() -> None:
    one = record(7, displaced=False)
    first, *parts = to_text(one).split("#Transform ")
    assert first.startswith("#Insight Transform File V1.0\n")
    assert len(parts) == len(one.slices)
    for number, part in enumerate(parts):
        entries = dict(line.split(": ", 1) for line in part.splitlines()[1:])
        assert part.startswith(f"{number}\n")
        assert entries["Transform"] == "AffineTransform_double_3_3"
        assert entries["FixedParameters"] == "0 0 0"
        numbers = np.array([float(word) for word in entries["Parameters"].split()])
        points = voxels(3, one, 9) * [1, 1, 0] + [0, 0, number]
        starts = (points @ one.grid[:3, :3].T + one.grid[:3, 3]) * LPS
        found = (starts @ numbers[:9].reshape(3, 3).T + numbers[9:]) * LPS
        np.testing.assert_allclose(found, to_scanner(points, one), atol=1e-6)


def test_simpleitk_reads_the_text(tmp_path: Path) -> None:
    itk = pytest.importorskip("SimpleITK")
    one = record(7, slices=1, displaced=False)
    (tmp_path / "maps.txt").write_text(to_text(one))
    found = itk.ReadTransform(str(tmp_path / "maps.txt"))
    point = np.array([[3.0, 5.0, 0.0]])
    start = (point @ one.grid[:3, :3].T + one.grid[:3, 3])[0] * LPS
    ends = np.array(found.TransformPoint(start.tolist())) * LPS
    np.testing.assert_allclose([ends], to_scanner(point, one), atol=1e-6)


def test_a_field_is_what_itk_takes_for_vectors() -> None:
    image = nib.Nifti1Image.from_bytes(to_field(record()))
    assert image.shape == (ROI, ROI, 3, 1, 3)
    assert image.header["intent_code"] == 1007
    assert image.get_data_dtype() == np.float32
    assert image.header.get_xyzt_units()[0] == "mm"


def test_what_lies_where_its_scanner_put_it_is_not_moved() -> None:
    one = record(displaced=False)
    assert is_moved(one)
    parts = []
    for number, part in enumerate(one.slices):
        plane = one.grid[:3, [0, 1, 3]] + np.outer(one.grid[:3, 2], [0, 0, number])
        at = np.eye(3)
        at[:2, 2] = np.negative(part.offset)
        parts.append(replace(part, affine=np.eye(3), frame=at, plane=plane))
    still = replace(one, slices=tuple(parts))
    assert not is_moved(still)
    assert np.abs(np.asarray(nib.Nifti1Image.from_bytes(to_field(still)).dataobj)).max() < 1e-9
    shifted = replace(parts[2], affine=np.array([[1, 0, 0.01], [0, 1, 0], [0, 0, 1]]))
    assert is_moved(replace(still, slices=(*parts[:2], shifted)))


def test_a_field_of_another_record_is_refused() -> None:
    one = record(8)
    field = to_field(one)
    with pytest.raises(SourceError, match=r"^f.nii: .* is no field .* 2 slices"):
        with_displacements(replace(one, slices=one.slices[:2]), field, "f.nii")
    with pytest.raises(SourceError, match=r"^f.nii: lies elsewhere"):
        with_displacements(replace(one, grid=one.grid + np.eye(4, k=3)), field, "f.nii")
    with pytest.raises(SourceError, match=r"^f.nii: not a NIfTI"):
        with_displacements(one, b"nothing" * 90, "f.nii")
