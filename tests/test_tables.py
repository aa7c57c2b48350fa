"""Tables: points, scans, and who is in the tree; no cell is made up."""

from __future__ import annotations

import csv
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import OBLIQUE, gzipped, markup, nifti, ramp, reading
from hypothesis import given
from hypothesis import strategies as st

from bidsify import tables
from bidsify.errors import SourceError
from bidsify.jobs import PeopleJob, PeopleSidecarJob, PointsJob, ScansJob
from bidsify.products import PLANE_COLUMNS, SPACE_COLUMNS
from bidsify.reading import Fact

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
        space_job("a", "b", grid=IMAGE),
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


# --- people -------------------------------------------------------------------------------------


def people_job(native: str | None = "p.tsv") -> PeopleJob:
    return PeopleJob(
        target="participants.tsv",
        columns=("participant_id", "source_id", "split"),
        rows=tuple((f"sub-{n}", (f"sub-{n}", f"case{n}", "Train")) for n in "123"),
        native=native,
    )


def people(native: str, folders: tuple[str, ...] = ("sub-1", "sub-2")) -> list[dict[str, str]]:
    made = tables.people(people_job(), reading({"p.tsv": native.encode()}), frozenset(folders))
    return rows_of(made.content)


def test_people_are_those_who_have_a_folder() -> None:
    made = tables.people(people_job(None), reading({}), frozenset(["sub-3", "sub-1", "sub-9"]))
    assert rows_of(made.content) == [
        {"participant_id": f"sub-{n}", "source_id": f"case{n}", "split": "Train"} for n in "13"
    ]
    assert made.notes == ()


def test_columns_of_the_source_are_added() -> None:
    native = "participant_id\tsex\tsplit\nsub-2\tF\tmine\nsub-7\tM\tx\n"
    made = tables.people(
        people_job(), reading({"p.tsv": native.encode()}), frozenset(["sub-1", "sub-2"])
    )
    assert [(r["participant_id"], r["sex"], r["split"]) for r in rows_of(made.content)] == [
        ("sub-1", "n/a", "Train"),
        ("sub-2", "F", "Train"),
    ]
    assert made.notes == ("p.tsv: 1 subjects have no files: sub-7",)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_byte_order_marks_and_blanks_are_no_content(end: str, mark: str) -> None:
    lines = ["participant_id\t sex \tnote", "sub-1 \tF\t a  b ", "", "sub-2\tM\t"]
    rows = people(mark + end.join(lines) + end)
    assert [(r["sex"], r["note"]) for r in rows] == [("F", "a b"), ("M", "n/a")]


def test_a_short_row_has_no_values() -> None:
    assert [r["sex"] for r in people("participant_id\tsex\nsub-1\nsub-2\tM\n")] == ["n/a", "M"]


@pytest.mark.parametrize("head", [" participant_id", "participant_id ", "participant_id\u00a0"])
def test_blanks_around_the_first_column_do_not_hinder(head: str) -> None:
    assert [r["sex"] for r in people(f"{head}\tsex\nsub-1\tF\nsub-2\tM\n")] == ["F", "M"]


def test_quotes_are_text() -> None:
    rows = people('participant_id\tnote\nsub-1\t"a\nsub-2\tb"\n')
    assert [r["note"] for r in rows] == ['"a', 'b"']


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        *(("34", "34"), ("89", "89"), ("90", "89"), ("103.5", "89"), ("89.5", "89")),
        *(("0.5", "0.5"), ("n/a", "n/a"), ("", "n/a"), ("unknown", "n/a")),
        *(("nan", "n/a"), ("NaN", "n/a"), ("inf", "n/a"), ("-inf", "n/a")),
    ],
)
@pytest.mark.parametrize("name", ["age", "Age", "AGE"])
def test_ages_that_identify_are_capped(name: str, age: str, shown: str) -> None:
    assert people(f"participant_id\t{name}\nsub-1\t{age}\nsub-2\t1\n")[0][name] == shown


@pytest.mark.parametrize(
    "content", [b"", b"name\tage\nx\t1\n", b"participant_id\nsub-1\tx\n", b"\xff\xfe\0", b"\0\0"]
)
def test_other_tables_are_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a/p: not a (readable table|participants table: its)"):
        tables.native_table(content, "a/p")


@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=5
            ).map(lambda text: " ".join(text.split())),
            min_size=2,
            max_size=2,
        ),
        max_size=4,
    )
)
def test_cells_are_taken_over_as_they_are(cells: list[list[str]]) -> None:
    lines = [f"sub-{n}\t{a}\t{b}" for n, (a, b) in enumerate(cells)]
    content = "\n".join(["participant_id\tone\ttwo", *lines]).encode() + b"\n"
    names, table = tables.native_table(content, "p")
    assert names == ["participant_id", "one", "two"]
    assert [[row["one"], row["two"]] for row in table.values()] == cells


def test_definitions_of_the_source_are_taken_over() -> None:
    definitions = {
        "sex": {"Description": "Sex.", "Levels": {"F": "female"}},
        "age": {"Description": "Age.", "Units": "years"},
        "other": {"Description": "not a column"},
        "note": "no entry",
    }
    job = PeopleSidecarJob(
        target="participants.json",
        metadata=json.dumps({"source_id": {"Description": "ours"}}),
        native="p.tsv",
        native_json="p.json",
    )
    native = b"participant_id\tsex\tage\tnote\tsource_id\n"
    files = {"p.tsv": native, "p.json": json.dumps(definitions).encode()}
    assert json.loads(tables.people_sidecar(job, reading(files)).content) == {
        "source_id": {"Description": "ours"},
        "sex": {"Description": "Sex.", "Levels": {"F": "female"}},
        "age": {"Description": "Age.", "Units": "year"},
        "note": {"Description": "As in p.tsv of the source dataset."},
    }


def test_broken_definitions_are_named() -> None:
    job = PeopleSidecarJob(target="x", metadata="{}", native="p.tsv", native_json="p.json")
    files = {"p.tsv": b"participant_id\tsex\n", "p.json": b"{"}
    with pytest.raises(SourceError, match=r"^p\.json: not readable JSON"):
        tables.people_sidecar(job, reading(files))


def test_our_tables_are_plain_tables_for_the_csv_module() -> None:
    made = tables.people(people_job(None), reading({}), frozenset(["sub-1"]))
    rows = list(csv.DictReader(io.StringIO(made.content.decode()), delimiter="\t"))
    assert rows == rows_of(made.content)
