"""RT Structure Sets: each voxel belongs to the structures whose contours enclose its centre."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from builders import ramp, rotation, series
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
)

from bidsify.conversion.structures import Overlap, indices, to_labels
from bidsify.errors import DeclarationError, SourceError
from bidsify.proof import contours as proof
from bidsify.readers import dicom
from bidsify.readers import structures as reader
from bidsify.volume import Array

PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"

Points = Sequence[Sequence[float]]
Drawn = Sequence[tuple[str, Sequence[Points]]]

#: Voxels of 1 mm whose x and y in LPS are their column and row; slices are 2.5 mm apart.
PLAIN = dicom.Grid((0,), (9, 8, 3), np.diag([-1.0, -1.0, 2.5, 1.0]))
SQUARE = [(2, 1), (6, 1), (6, 4), (2, 4)]


# --- files ---------------------------------------------------------------------------------------


def rtstruct(
    drawn: Drawn,
    *,
    kind: str = "CLOSED_PLANAR",
    numbers: Sequence[int] | None = None,
    undefined: bool = False,
    syntax: str = ExplicitVRLittleEndian,
    without: Sequence[str] = (),
    first: dict[str, Any] | None = None,
    **tags: Any,
) -> bytes:
    """A structure set; contours are points in LPS. ``first`` are tags of the first contour."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = "2.25.7"
    dataset.Modality = "RTSTRUCT"
    dataset.ReferencedFrameOfReferenceSequence = [
        items(
            FrameOfReferenceUID="2.25.5",
            RTReferencedStudySequence=[
                items(RTReferencedSeriesSequence=[items(SeriesInstanceUID="2.25.4")])
            ],
        )
    ]
    numbers = numbers or range(1, len(drawn) + 1)
    dataset.StructureSetROISequence = [
        items(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID="2.25.5")
        for number, (name, _) in zip(numbers, drawn, strict=True)
    ]
    dataset.ROIContourSequence = [
        items(ContourSequence=[contour(c, kind) for c in contours], ReferencedROINumber=number)
        for number, (_, contours) in zip(numbers, drawn, strict=True)
    ]
    for name, value in (first or {}).items():
        setattr(dataset.ROIContourSequence[0].ContourSequence[0], name, value)
    for name, value in tags.items():
        setattr(dataset, name, value)
    for name in without:
        delattr(dataset, name)
    if undefined:
        lengthless(dataset)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def items(**tags: Any) -> Dataset:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def contour(points: Points, kind: str) -> Dataset:
    numbers = [f"{value:.10f}"[:16] for point in points for value in point]
    return items(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=numbers)


def lengthless(dataset: Dataset) -> None:
    """Let sequences and their items end with delimiters."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                lengthless(item)


def placed(polygon: Sequence[Sequence[Any]], k: float = 1, where: Any = PLAIN) -> Points:
    """Columns and rows of slice ``k`` to LPS."""
    voxels = np.array([(float(x), float(y), k, 1) for x, y in polygon]).reshape(-1, 4)
    points = (where.affine @ voxels.T).T[:, :3] * [-1, -1, 1]
    return [tuple(point) for point in points]


# --- masks ---------------------------------------------------------------------------------------


def read_masks(content: bytes, where: dicom.Grid = PLAIN) -> Array:
    """Read and fill, and compare with the proof."""
    found = reader.read(content, "a/x")
    masks = reader.masks(found.rois, where, "a/x")
    assert masks.dtype == bool
    assert masks.shape == (*where.shape, len(found.rois))
    again = list(proof.wanted(content, where.affine, where.shape))
    assert [name for name, _ in again] == [roi.name for roi in found.rois]
    for n, (_, mask) in enumerate(again):
        np.testing.assert_array_equal(masks[..., n], mask)
    return masks


def filled(*polygons: Sequence[Sequence[Any]], where: dicom.Grid = PLAIN, **tags: Any) -> Array:
    """Return the plane (row, column) of slice 1 of one structure, after a look at the others."""
    drawn = [("TV", [placed(polygon, where=where) for polygon in polygons])]
    masks = read_masks(rtstruct(drawn, **tags), where)
    assert not masks[:, :, [0, 2]].any()
    return np.asarray(masks[:, :, 1, 0].T)


def oracle(polygons: Sequence[Sequence[Any]], shape: tuple[int, int]) -> Array:
    """Ask each centre, in fractions, from just right of it and a bit less below."""
    plane = np.zeros(shape[::-1], bool)
    for j, i in itertools.product(range(shape[1]), range(shape[0])):
        for polygon in polygons:
            for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
                if (y0 <= j) != (y1 <= j):
                    crossing = Fraction(x0) + Fraction(j - y0) * Fraction(x1 - x0) / (y1 - y0)
                    plane[j, i] ^= crossing <= i
    return plane


def drawing(*lines: str) -> Array:
    return np.array([[c == "#" for c in line.ljust(9, ".")] for line in lines] + 8 * [[False] * 9])[
        :8
    ]


@pytest.mark.parametrize(
    ("polygons", "wanted"),
    [
        pytest.param(
            [SQUARE], [".", "..####", "..####", "..####"], id="corners on centres: half open"
        ),
        pytest.param(
            [[(1.5, 0.5), (5.5, 0.5), (5.5, 2.5), (1.5, 2.5)]],
            [".", "..####", "..####"],
            id="corners between centres",
        ),
        pytest.param(
            [[(0.5, 0.5), (4.5, 0.5), (0.5, 4.5)]],
            [".", ".###", ".##", ".#"],
            id="triangle, its long edge through centres",
        ),
        pytest.param(
            [[(0.5, 0.5), (6.5, 0.5), (6.5, 5.5), (3.5, 2.5), (0.5, 5.5)]],
            [".", ".######", ".######", ".##.###", ".#...##", "......#"],
            id="concave",
        ),
        pytest.param(
            [
                [(0.5, 0.5), (6.5, 0.5), (6.5, 5.5), (0.5, 5.5)],
                [(2.5, 1.5), (4.5, 1.5), (4.5, 3.5), (2.5, 3.5)],
            ],
            [".", ".######", ".##..##", ".##..##", ".######", ".######"],
            id="hole",
        ),
        pytest.param(
            [
                [(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)],
                [(4.5, 3.5), (6.5, 3.5), (6.5, 4.5), (4.5, 4.5)],
            ],
            [".", ".##", ".##", ".", ".....##"],
            id="two parts",
        ),
        pytest.param(
            [
                [
                    *((0.5, 0.5), (6.5, 0.5), (6.5, 5.5), (0.5, 5.5), (0.5, 1.0)),
                    *((2.5, 1.0), (2.5, 3.5), (4.5, 3.5), (4.5, 1.0), (0.5, 1.0)),
                ]
            ],
            [".", ".##..##", ".##..##", ".##..##", ".######", ".######"],
            id="hole through a keyhole",
        ),
        pytest.param(
            [[(-900, -5), (3.5, -5), (3.5, 2.5), (-900, 2.5)]],
            ["####", "####", "####"],
            id="cut at the left and the top",
        ),
        pytest.param(
            [[(6.5, 5.5), (99, 5.5), (99, 99), (6.5, 99)]],
            [".", ".", ".", ".", ".", ".", ".......##", ".......##"],
            id="cut at the right and the bottom",
        ),
        pytest.param([[(20, 1), (30, 1), (30, 5)]], ["."], id="right of the image"),
        pytest.param([[(-9, 1), (-5, 1), (-5, 5)]], ["."], id="left of the image"),
        pytest.param([[(1, -9), (5, -9), (5, -4)]], ["."], id="above the image"),
        pytest.param([[(1, 1), (5, 1), (3, 1)]], ["."], id="no area"),
    ],
)  # fmt: skip
def test_known_polygons(polygons: list[list[tuple[float, float]]], wanted: list[str]) -> None:
    found = filled(*polygons)
    np.testing.assert_array_equal(found, oracle(polygons, (9, 8)))
    np.testing.assert_array_equal(found, drawing(*wanted))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_direction_and_a_repeated_corner_do_not_matter(
    kind: str,
    closed: bool,  # noqa: FBT001
    turned: bool,  # noqa: FBT001
) -> None:
    polygon = [*SQUARE, SQUARE[0]] if closed else SQUARE
    found = filled(polygon[::-1] if turned else polygon, kind=kind)
    np.testing.assert_array_equal(found, drawing(".", "..####", "..####", "..####"))


def test_rounding_of_the_tags_does_not_decide() -> None:
    """Corners on centres, a micrometre off on either side."""
    for signs in itertools.product([1e-6, -1e-6], repeat=4):
        polygon = [(x + s, y - s) for (x, y), s in zip(SQUARE, signs, strict=True)]
        np.testing.assert_array_equal(filled(polygon), filled(SQUARE))


#: Halves, thirds of a binary kind, whole numbers: many ties. Then any number.
COORDINATE = st.one_of(
    st.integers(-3, 11).map(float),
    st.integers(-24, 96).map(lambda n: n / 8),
    st.floats(-3, 12, allow_subnormal=False).map(lambda x: round(x * 16384) / 16384),
)
POLYGON = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=12)


@given(st.lists(POLYGON, min_size=1, max_size=3, unique_by=tuple))
def test_any_polygons_are_filled_as_by_hand(polygons: list[Any]) -> None:
    np.testing.assert_array_equal(filled(*polygons), oracle(polygons, (9, 8)))


@given(
    angles=st.tuples(*[st.floats(-3.1, 3.1)] * 3),
    polygons=st.lists(POLYGON, min_size=1, max_size=2, unique_by=tuple),
    tilt=st.sampled_from([0.0, 0.3]),
    spacing=st.sampled_from([(1.0, 1.0), (0.41, 0.4), (0.78125, 2.0)]),
)
@settings(max_examples=50)
def test_an_oblique_grid_changes_nothing(
    angles: tuple[float, float, float],
    polygons: list[Any],
    tilt: float,
    spacing: tuple[float, float],
) -> None:
    turn = rotation(*angles)
    step = 1.5 * (turn[:, 2] + tilt * turn[:, 1])
    axes = (*turn[:, 0], *turn[:, 1])
    files = series(ramp((3, 8, 9)), (12.5, -30.25, 7.0), axes, spacing, step)
    where = dicom.grid(dicom.read_slices(files, pixels=False))
    again = proof.affine_of(content for _, content in reversed(files))
    np.testing.assert_allclose(again, where.affine, rtol=0, atol=1e-12)
    found = filled(*polygons, where=where)
    np.testing.assert_array_equal(found, oracle(polygons, (9, 8)))


@given(POLYGON.filter(lambda polygon: len(polygon) > 3), st.data())
def test_two_parts_of_a_polygon_share_no_voxel_and_lose_none(
    polygon: list[Any], data: st.DataObject
) -> None:
    """Cut along a chord, corners on centres and all; the parts may wind through each other."""
    end = data.draw(st.integers(2, len(polygon) - 2))
    one, other = polygon[: end + 1], [*polygon[end:], polygon[0]]
    parts = [("one", [placed(one)]), ("other", [placed(other)])]
    masks = read_masks(rtstruct(parts))
    np.testing.assert_array_equal(masks[..., 0] ^ masks[..., 1], filled_volume(polygon))


def filled_volume(polygon: Any) -> Array:
    return np.asarray(read_masks(rtstruct([("all", [placed(polygon)])]))[..., 0])


@given(st.data())
def test_a_tiling_of_convex_parts_covers_each_voxel_once(data: st.DataObject) -> None:
    """A fan of triangles around a centre, all within a frame."""
    frame = [(-1, -1), (4, -1), (9, -1), (9, 4), (9, 8), (4, 8), (-1, 8), (-1, 4)]
    middle = (data.draw(st.integers(0, 16)) / 2, data.draw(st.integers(0, 14)) / 2)
    fan = [(f"part {n}", [placed([middle, frame[n - 1], frame[n]])]) for n in range(len(frame))]
    masks = read_masks(rtstruct(fan))
    assert (masks[:, :, 1].sum(axis=-1) == 1).all()
    assert not masks[:, :, [0, 2]].any()


def test_many_edges_and_rows_are_filled_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    polygon = [(4 + 3.9 * np.cos(t) * (1 + n % 2) / 2, 4 + 3.9 * np.sin(t))
               for n, t in enumerate(np.linspace(0, 6.2, 200))]  # fmt: skip
    whole = filled(polygon)
    monkeypatch.setattr("bidsify.readers.polygons._AT_ONCE", 1)
    monkeypatch.setattr("bidsify.proof.contours._AT_ONCE", 1)
    np.testing.assert_array_equal(filled(polygon), whole)
    assert 5 < whole.sum() < 60


def test_each_structure_has_its_own_slices() -> None:
    drawn = [
        ("low", [placed(SQUARE, 0), placed(SQUARE, 1)]),
        ("none", []),
        ("high", [placed(SQUARE, 2.05)]),
    ]
    masks = read_masks(rtstruct(drawn))
    assert masks.any(axis=(0, 1)).T.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_points_and_links_are_read(syntax: str, undefined: bool) -> None:  # noqa: FBT001
    drawn = [("TV", [placed(SQUARE)]), ("Cochlea", [placed(SQUARE, 0), placed(SQUARE[:3], 2)])]
    content = rtstruct(drawn, numbers=[7, 3], syntax=syntax, undefined=undefined)
    found = reader.read(content, "a/x")
    assert (found.series, found.frame, found.skipped) == ("2.25.4", "2.25.5", ())
    assert [(roi.number, roi.name) for roi in found.rois] == [(7, "TV"), (3, "Cochlea")]
    for roi, (_, contours) in zip(found.rois, drawn, strict=True):
        for points, wanted in zip(roi.contours, contours, strict=True):
            assert points.dtype == np.float64
            np.testing.assert_allclose(points, wanted, rtol=0, atol=1e-9)


def test_no_references_and_several_leave_the_links_empty() -> None:
    bare = rtstruct([("TV", [placed(SQUARE)])], without=["ReferencedFrameOfReferenceSequence"])
    assert reader.read(bare, "x").series == ""
    two = [items(SeriesInstanceUID=uid) for uid in ("2.25.1", "2.25.2")]
    frame = items(RTReferencedStudySequence=[items(RTReferencedSeriesSequence=two)])
    content = rtstruct([("TV", [placed(SQUARE)])], ReferencedFrameOfReferenceSequence=[frame])
    assert reader.read(content, "x").series == ""


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        (" TV ", "TV"),
        ("Vol\t 2y", "Vol 2y"),
        ("*Skull", "*Skull"),
        ("\x1b[31mred", "[31mred"),
        ("", ""),
        ("a\\b", "a\\b"),
        ("Tumör", "Tumör"),
    ],
)
def test_names_are_printable_text(stated: str, wanted: str) -> None:
    content = rtstruct([(stated, [placed(SQUARE)])], SpecificCharacterSet="ISO_IR 192")
    assert reader.read(content, "x").rois[0].name == wanted
    assert [name for name, _ in proof.wanted(content, PLAIN.affine, PLAIN.shape)] == [wanted]


def test_structures_of_one_name_stay_apart() -> None:
    found = reader.read(rtstruct([("TV", [placed(SQUARE)]), ("TV", [placed(SQUARE)])]), "x")
    assert [roi.label for roi in found.rois] == ["ROI 1 'TV'", "ROI 2 'TV'"]


def test_what_encloses_no_area_is_told() -> None:
    drawn = [("TV", [placed(SQUARE), placed(SQUARE[:2]), placed(SQUARE[:1])]), ("none", [])]
    found = reader.read(rtstruct(drawn), "a/x")
    assert found.skipped == (
        "a/x: ROI 1 'TV': fewer than 3 points; contours left out: 2",
        "a/x: ROI 2 'none': has no contour of an area",
    )
    assert len(found.rois[0].contours) == 1


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", ""])
def test_points_and_open_lines_are_told(kind: str) -> None:
    content = rtstruct([("pin", [placed(SQUARE), placed(SQUARE, 9.3)])], kind=kind)
    found = reader.read(content, "a/x")
    assert found.skipped[0] == f"a/x: ROI 1 'pin': {kind!r} encloses no area; contours left out: 2"
    assert not read_masks(content).any()


def test_contours_of_nobody_are_told() -> None:
    nobody = [items(ContourSequence=[contour(placed(SQUARE), "CLOSED_PLANAR")])]
    nobody[0].ReferencedROINumber = 5
    found = reader.read(rtstruct([("TV", [placed(SQUARE)])], ROIContourSequence=nobody), "x")
    assert found.skipped == (
        "x: ROI 5 '': is not in the list of structures; contours left out: 1",
        "x: ROI 1 'TV': has no contour of an area",
    )


# --- what is refused -----------------------------------------------------------------------------

ONE = [("TV", [placed(SQUARE)])]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "not an RT Structure Set"),
        ({"Modality": "MR"}, "not an RT Structure Set but 'MR'"),
        ({"without": ["StructureSetROISequence"]}, "has no StructureSetROISequence"),
        ({"without": ["ROIContourSequence"]}, "has no ROIContourSequence"),
        ({"ROIContourSequence": []}, "has no ROIContourSequence, so it holds no contours"),
        ({"first": {"NumberOfContourPoints": 5}}, "ROI 1 'TV': a contour of 12 numbers, but 5 poi"),
        ({"first": {"ContourData": [1, 2, 3, 4]}}, "ROI 1 'TV': a contour of 4 numbers"),
        ({"syntax": DeflatedExplicitVRLittleEndian}, "a deflated DICOM file"),
    ],
)
def test_other_objects_are_refused(tags: dict[str, Any], reason: str) -> None:
    with pytest.raises(SourceError, match=f"^a/x: {reason}"):
        reader.read(rtstruct(ONE, **tags), "a/x")


@pytest.mark.parametrize(
    ("corner", "is_told"),
    [
        ((-0.75, 2), False),
        ((-1.25, 2), True),
        ((2, -1.25), True),
        ((9, 7.75), False),
        ((9.25, 2), True),
        ((2, 8.25), True),
    ],
)
def test_what_is_cut_off_at_the_border_is_told(
    corner: tuple[float, float], *, is_told: bool
) -> None:
    """Up to a voxel beyond the outermost centres is how borders are drawn."""
    content = rtstruct([("TV", [placed([(3, 3), (4, 3), corner])]), ("none", [])])
    found = reader.beyond(reader.read(content, "a/x").rois, PLAIN, "a/x")
    told = "a/x: ROI 1 'TV' reaches beyond the image, and is cut off there"
    assert found == ([told] if is_told else [])


def test_two_structures_of_one_number_are_refused() -> None:
    with pytest.raises(SourceError, match=r"^a/x: two structures have the same number"):
        reader.read(rtstruct([*ONE, *ONE], numbers=[4, 4]), "a/x")


@pytest.mark.parametrize("number", [b"nan", b"inf", b"1e9", b"1_0", b"1.x", b"", b"-NaN"])
def test_points_that_are_no_numbers_are_refused(number: bytes) -> None:
    content = rtstruct(ONE)
    assert content.count(b"6.0000000000") == 2
    content = content.replace(b"6.0000000000", number.ljust(12), 1)
    with pytest.raises(SourceError, match=r"^a/x: "):
        reader.read(content, "a/x")


def test_too_many_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MAX_POINTS", 7)
    assert len(reader.read(rtstruct(ONE), "a/x").rois) == 1
    with pytest.raises(SourceError, match=r"^a/x: ROI 2 'TV': claims more than 7 points"):
        reader.read(rtstruct([*ONE, *ONE]), "a/x")


def test_too_many_voxels_are_refused() -> None:
    rois = reader.read(rtstruct([*ONE, *ONE]), "x").rois
    huge = dicom.Grid((0,), (1 << 13, 1 << 13, 1 << 6), PLAIN.affine)
    with pytest.raises(SourceError, match=r"^x: 2 structures on .* voxels are too many"):
        reader.masks(rois, huge, "x")


@pytest.mark.parametrize(
    ("contours", "reason"),
    [
        ([placed(SQUARE, 1.5)], "ROI 1 'TV': a contour reaches 1.25 mm from the nearest slice"),
        ([placed(SQUARE, 0.8)], "ROI 1 'TV': a contour reaches 0.5 mm from the nearest slice, 1;"),
        (
            [[*placed(SQUARE[:3], 1), *placed(SQUARE[3:], 2)]],
            r"ROI 1 'TV': a contour reaches [0-9.]+ mm from the nearest slice, 1; was it drawn on",
        ),
        ([placed(SQUARE, -1)], "ROI 1 'TV': a contour lies at slice -1 of 3, or"),
        ([placed(SQUARE, 3)], "ROI 1 'TV': a contour lies at slice 3 of 3, or"),
        ([placed([*SQUARE, (40000, 1)])], "ROI 1 'TV': a contour lies at slice 1 of 3, or far"),
        ([placed(SQUARE)] * 2, "ROI 1 'TV': slice 1 has a contour twice"),
    ],
)
def test_contours_that_lie_in_no_slice_are_refused(contours: list[Points], reason: str) -> None:
    content = rtstruct([("TV", contours)])
    rois = reader.read(content, "a/x").rois
    with pytest.raises(SourceError, match=f"^a/x: {reason}"):
        reader.masks(rois, PLAIN, "a/x")
    if "slice 1" not in reason:
        with pytest.raises(ValueError, match=r"^a contour of 'TV' lies in no slice, at "):
            list(proof.wanted(content, PLAIN.affine, PLAIN.shape))


def test_the_same_contour_in_two_slices_is_no_doubled_one() -> None:
    assert read_masks(rtstruct([("TV", [placed(SQUARE, 0), placed(SQUARE, 1)])])).sum() == 24


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_that_is_cut_anywhere_is_refused(syntax: str, undefined: bool) -> None:  # noqa: FBT001
    content = rtstruct([*ONE, ("C", [placed(SQUARE), placed(SQUARE, 2)])], syntax=syntax,
                       undefined=undefined)  # fmt: skip
    for length in range(1, len(content)):
        with pytest.raises(SourceError, match=r"^a/x: "):
            reader.read(content[:length], "a/x")


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_damaged_file_is_read_or_refused(place: int, flip: int) -> None:
    content = bytearray(rtstruct(ONE))
    content[place % len(content)] ^= flip
    try:
        found = reader.read(bytes(content), "a/x")
        masks = reader.masks(found.rois, PLAIN, "a/x")
    except SourceError as error:
        assert str(error).startswith("a/x: ")  # noqa: PT017
    else:
        assert masks.shape == (9, 8, 3, len(found.rois))


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 2000, b"\0" * 128 + b"DICM" + b"\xff" * 99])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a/x: "):
        reader.read(content, "a/x")


@pytest.mark.skipif(not PYDICOM.is_dir(), reason="this pydicom ships no test files")
def test_files_that_pydicom_ships() -> None:
    stream = io.BytesIO()
    bare = pydicom.dcmread(PYDICOM / "rtstruct.dcm", force=True)  # it lacks the head of a file
    bare.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    pydicom.dcmwrite(stream, bare, enforce_file_format=True)
    found = reader.read(stream.getvalue(), "rtstruct.dcm")
    assert [(roi.name, len(roi.contours)) for roi in found.rois] == [
        *[("patient", 3), ("Isocenter 1", 0), ("Isocenter 2", 0)]
    ]
    assert found.series == "1.2.826.0.1.3680043.8.498.2010020400001.2.1.1"
    assert found.frame == "1.2.826.0.1.3680043.8.498.2010020400001.2"
    assert "rtstruct.dcm: ROI 2 'Isocenter 1': 'POINT' encloses no area" in found.skipped[0]
    for path in sorted(PYDICOM.glob("*.dcm")):
        with pytest.raises(SourceError, match=f"^{re.escape(path.name)}: "):
            reader.read(path.read_bytes(), path.name)


def test_the_proof_loads_nothing_of_the_reader() -> None:
    code = "import sys, bidsify.proof.contours; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert not [name for name in loaded.stdout.split() if name.startswith("bidsify.readers")]


# --- labels --------------------------------------------------------------------------------------

ACCEPTED = {1: ("TV", "AN", "vol 1"), 2: ("Cochlea", "cochlea_c")}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *[("TV", 1), ("tv", 1), (" Tv_", 1), ("an", 1), ("Vol__1", 1), ("VOL \t1", 1)],
        *[("cochlea", 2), ("Cochlea c", 2), ("TVT1", None), ("vol1", None), ("", None)],
    ],
)
def test_names_have_indices(name: str, wanted: int | None) -> None:
    assert indices([name, "else"], ACCEPTED) == (wanted, None)


@pytest.mark.parametrize(
    ("accepted", "reason"),
    [
        ({1: ("TV",), 2: ("t v", "tv_")}, "'tv_': accepted as 1 and as 2"),
        ({0: ("TV",)}, "0: structures have labels from 1 to 255"),
        ({256: ("TV",)}, "256: structures have labels"),
    ],
)
def test_contradicting_declarations_are_refused(accepted: Any, reason: str) -> None:
    with pytest.raises(DeclarationError, match=f"^{reason}"):
        indices([], accepted)


def solids(*slabs: tuple[int, int]) -> Array:
    """Masks (6, 1, 1, n) that are true from one place up to another."""
    masks = np.zeros((6, 1, 1, len(slabs)), bool)
    for n, (start, stop) in enumerate(slabs):
        masks[start:stop, ..., n] = True
    return masks


@pytest.mark.parametrize(
    ("slabs", "rows", "wanted"),
    [
        pytest.param([(0, 2), (3, 5)], [1, 2], [1, 1, 0, 2, 2, 0], id="apart"),
        pytest.param([(0, 3), (2, 5)], [4, 4], [4, 4, 4, 4, 4, 0], id="one index: united"),
        pytest.param([(0, 3), (0, 6)], [255, None], [255, 255, 255, 0, 0, 0], id="left out"),
        pytest.param([], [], [0] * 6, id="none"),
        pytest.param([(0, 3), (2, 5)], [1, 2], Overlap(0, 1, 1), id="overlap"),
        pytest.param(
            [(0, 1), (0, 6), (2, 5), (3, 6)], [1, None, 1, 2], Overlap(2, 3, 2), id="the first"
        ),
        pytest.param(
            [(0, 3), (3, 6), (2, 5)], [2, 1, 2], Overlap(1, 2, 2), id="not with its own index"
        ),
    ],
)  # fmt: skip
def test_labels(slabs: Any, rows: list[int | None], wanted: Any) -> None:
    found = to_labels(solids(*slabs), rows)
    if isinstance(wanted, Overlap):
        assert found == wanted
    else:
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.uint8
        assert found.ravel().tolist() == wanted


def test_from_a_file_to_labels() -> None:
    hole = [(3, 2), (5, 2), (5, 3), (3, 3)]
    drawn = [
        ("TV", [placed(polygon, k) for k in range(3) for polygon in (SQUARE, hole)]),
        ("cochlea", [placed(hole, 1)]),
        ("Vol 2y", [placed(SQUARE, 1)]),
    ]
    content = rtstruct(drawn)
    found = reader.read(content, "x")
    rows = indices([roi.name for roi in found.rois], ACCEPTED)
    labels = to_labels(read_masks(content), rows)
    assert isinstance(labels, np.ndarray)
    assert [(labels == n).sum() for n in range(3)] == [216 - 30 - 2, 30, 2]
