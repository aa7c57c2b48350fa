"""Tables: points and scans; no cell is made up."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import OBLIQUE, gzipped, markup, nifti, ramp, reading
from hypothesis import given
from hypothesis import strategies as st

from bidsify.conversion import tables
from bidsify.errors import SourceError
from bidsify.planning.jobs import PointsJob, ScansJob
from bidsify.planning.products import PLANE_COLUMNS, SPACE_COLUMNS
from bidsify.source.reading import Fact

IMAGE = "sub-1/anat/sub-1_T1w.nii.gz"


def rows_of(content: bytes) -> list[dict[str, str]]:
    """Read a table of BIDS: tabs separate, and nothing is quoted."""
    text = content.decode()
    assert text.endswith("\n")
    lines = [line.split("\t") for line in text[:-1].split("\n")]
    assert len({len(line) for line in lines}) == 1, "ragged"
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


# --- points in space ----------------------------------------------------------------------------


def space_job(*sources: str, **more: Any) -> PointsJob:
    return PointsJob(
        target="t.tsv",
        sources=sources,
        reader="markups",
        columns=("side", *SPACE_COLUMNS),
        stated=tuple((f"s{n}",) for n in range(len(sources))),
        **more,
    )


@pytest.mark.parametrize("is_there", [False, True])
def test_points_are_in_mm_and_in_voxels_of_the_image(tmp_path: Path, *, is_there: bool) -> None:
    path = tmp_path / IMAGE
    path.parent.mkdir(parents=True)
    path.write_bytes(gzipped(nifti(ramp((3, 4, 5)))))
    files = {
        "a": markup([(1, 2, 3), (4.5, -5, 6)]),
        "b": markup([(0, 0, 0)], coordinateSystem="RAS"),
    }
    made = tables.points(
        space_job("a", "b", lies_on=IMAGE),
        reading(files),
        tmp_path,
        frozenset([IMAGE]) if is_there else frozenset(),
    )
    rows = rows_of(made.content)
    assert [(r["side"], r["point"], r["source_file"]) for r in rows] == [
        ("s0", "0", "a"),
        ("s0", "1", "a"),
        ("s1", "0", "b"),
    ]
    points = np.array([[float(row[name]) for name in ("x_mm", "y_mm", "z_mm")] for row in rows])
    np.testing.assert_array_equal(points, [(-1, -2, 3), (-4.5, 5, 6), (0, 0, 0)])
    if is_there:
        voxels = np.array([[float(row[name]) for name in "ijk"] for row in rows])
        back = voxels @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
        np.testing.assert_allclose(back, points, atol=1e-4)
    else:
        assert {row[name] for row in rows for name in "ijk"} == {"n/a"}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
def test_numbers_are_written_so_that_they_read_back(point: list[float]) -> None:
    made = tables.points(
        space_job("a"), reading({"a": markup([point], coordinateSystem="RAS")}), Path(), frozenset()
    )
    (row,) = rows_of(made.content)
    assert [float(row[name]) for name in ("x_mm", "y_mm", "z_mm")] == point
    assert "-0.0" not in row.values()


def test_a_file_of_points_that_is_broken_is_named() -> None:
    with pytest.raises(SourceError, match=r"^b: not readable JSON"):
        tables.points(
            space_job("a", "b"), reading({"a": markup([]), "b": b"{"}), Path(), frozenset()
        )


# --- points in a plane --------------------------------------------------------------------------


def plane_job(**groups: tuple[str, ...]) -> PointsJob:
    return PointsJob(
        target="t.tsv",
        sources=("p",),
        reader="tensors",
        columns=PLANE_COLUMNS,
        groups=tuple(groups.items()),
    )


def plane_points(job: PointsJob, **entries: Any) -> list[dict[str, str]]:
    files = {"p": pickle.dumps(entries, protocol=2)}
    return rows_of(tables.points(job, reading(files), Path(), frozenset()).content)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "f2"])
def test_points_of_arrays(dtype: str) -> None:
    curve = np.random.default_rng(0).uniform(-100, 512, (2, 3, 2)).astype(dtype)
    rows = plane_points(plane_job(contour=("L1", "L2"), tip=("T",)), contour=curve, tip=curve[0])
    assert [(r["structure"], r["group"], r["point"]) for r in rows] == [
        *((name, "contour", str(n)) for name in ("L1", "L2") for n in range(3)),
        *(("T", "tip", str(n)) for n in range(3)),
    ]
    found = np.array([[float(r["x"]), float(r["y"])] for r in rows]).astype(dtype)
    np.testing.assert_array_equal(found, np.concatenate([curve[0], curve[1], curve[0]]))


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "f4", "f8"])
@given(data=st.data())
def test_any_coordinate_reads_back_exactly(dtype: str, data: Any) -> None:
    if dtype[0] == "f":
        strategy = st.floats(
            width=8 * int(dtype[1]), allow_nan=False, allow_infinity=False, allow_subnormal=False
        )
    else:
        info = np.iinfo(dtype)
        strategy = st.integers(max(info.min, -(2**53)), min(info.max, 2**53))
    point = np.array([[data.draw(strategy), data.draw(strategy)]], dtype)
    (row,) = plane_points(plane_job(tip=("T",)), tip=point)
    assert [np.dtype(dtype).type(float(row[name])) for name in "xy"] == point[0].tolist()


@pytest.mark.parametrize("shape", [(3, 3, 2), (2, 3, 3), (2, 2, 3, 2), (6,), (2,)])
def test_other_shapes_of_points_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SourceError, match=r"^p: 'c' has the shape .*; expected lists of \(x, y\)$"):
        plane_points(plane_job(c=("a", "b")), c=np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_coordinates_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(SourceError, match=r"^p: 'c' holds a coordinate that is no number$"):
        plane_points(plane_job(c=("a",)), c=np.array([[0, value]]))


# --- scans --------------------------------------------------------------------------------------


def test_scans_name_the_sources_of_what_exists() -> None:
    job = ScansJob(
        target="sub-1/sub-1_scans.tsv",
        of=("sub-1/anat/a.nii.gz", "sub-1/anat/b.nii.gz", "sub-1/anat/gone.nii.gz"),
    )
    origins = {"sub-1/anat/a.nii.gz": ("x/a.nii",), "sub-1/anat/b.nii.gz": ("s/1.dcm", "s/2.dcm")}
    facts = {path: Fact(1, path * 2) for path in ("x/a.nii", "s/1.dcm", "s/2.dcm")}
    assert rows_of(tables.scans(job, origins, facts).content) == [
        {"filename": "anat/a.nii.gz", "source_file": "x/a.nii", "source_sha256": "x/a.niix/a.nii"},
        {"filename": "anat/b.nii.gz", "source_file": "s", "source_sha256": "n/a"},
    ]
