"""The gallery of a report without a browser: its values, pictures, bounds and markup."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import small_trees
from conftest import Make
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from small_trees import LIVER

from bidsify.cases.case import Case
from bidsify.errors import SourceError, UsageError
from bidsify.survey.look import survey
from bidsify.survey.values import CaseFacts, LabelFacts, Made, Survey
from bidsify.webpage import bounds, drawing, geometry, niivue
from bidsify.webpage.gallery import Looking, section
from bidsify.webpage.packing import pack, pack_labels, unpack
from bidsify.webpage.pictures import Request, picture

SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, max_side=5)


@given(arrays.arrays(st.sampled_from(["i1", "u1", "<i2", ">i2", "u2", "?"]), SHAPES))
def test_whole_numbers_are_packed_exactly(values: Any) -> None:
    packed = pack(values)
    assert packed.exact
    np.testing.assert_array_equal(unpack(packed, values.shape), values)


@given(arrays.arrays("i8", SHAPES, elements=st.integers(-(2**52), 2**52)))
def test_labels_are_packed_exactly(values: Any) -> None:
    packed = pack_labels(values)
    assert packed is not None
    assert packed.exact
    np.testing.assert_array_equal(unpack(packed, values.shape), values)


@pytest.mark.parametrize(
    ("values", "table"),
    [([0, 1, 65535], 0), ([1, 100_000], 2), ([*range(65534), 10**6], 65535)],
)
def test_labels_of_a_large_range_have_a_table(values: list[int], table: int) -> None:
    packed = pack_labels(np.array(values)[:, None, None])
    assert packed is not None
    assert len(packed.table) == table
    assert unpack(packed, (len(values), 1, 1)).ravel().tolist() == values


@pytest.mark.parametrize("values", [[0, 2**53], [*range(65535), 10**6]])
def test_labels_that_are_too_many_or_too_large_are_not_packed(values: list[int]) -> None:
    assert pack_labels(np.array(values)[:, None, None]) is None


def test_labels_that_are_not_packed_are_told(tmp_path: Path) -> None:
    labels = np.arange(41**3, dtype=np.int32).reshape(41, 41, 41) * 20
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "x_dseg.nii")
    found = picture(tmp_path, Request(CaseFacts(case_of("x_dseg.nii")), (), 10**6))
    assert (found.labels, found.present) == (None, ())
    assert found.notes == ("The viewer has no labels: there are too many different values.",)


@given(arrays.arrays(st.sampled_from(["f4", "f8", "i8", "u8"]), SHAPES))
def test_other_numbers_are_packed_to_a_part_of_their_range(values: Any) -> None:
    packed = pack(values)
    found = unpack(packed, values.shape)
    numbers = values.astype(np.float64)
    usable = np.isfinite(numbers) & (np.abs(numbers) < 1e300)
    np.testing.assert_array_equal(np.isfinite(found), usable)
    if usable.any():
        span = numbers[usable].max() - numbers[usable].min()
        limit = 0 if packed.exact else span / 65534 + np.abs(numbers[usable]).max() * 1e-12
        assert np.abs(found - numbers)[usable].max() <= limit


@given(
    st.tuples(*[st.integers(1, 900)] * 3),
    st.tuples(*[st.floats(0.1, 10)] * 3),
    st.integers(1, 200_000),
)
def test_a_grid_is_thinned_below_the_bound(
    shape: tuple[int, ...], sizes: tuple[float, ...], most: int
) -> None:
    step = geometry.steps(shape, sizes, most)
    left = geometry.thinned(shape, step)
    assert np.prod(left) <= most
    assert left == np.empty(shape, np.void)[tuple(slice(None, None, s) for s in step)].shape


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "ASL", "ILA"])
def test_a_slice_is_turned_as_radiologists_look_at_it(codes: str) -> None:
    start = nib.orientations.axcodes2ornt("RAS")
    there = nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(codes))
    values = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    turned = nib.orientations.apply_orientation(values, there)
    affine = nib.orientations.inv_ornt_aff(there, values.shape)
    ways = geometry.axes(affine, "x")
    across = ways[2][0]  # axial
    index = 1 if ways[2][1] > 0 else turned.shape[across] - 2
    found = geometry.plane(turned, across, index, ways)
    np.testing.assert_array_equal(found, np.flip(values[:, :, 1].T))


@pytest.mark.parametrize(
    "affine",
    [
        np.zeros((4, 4)),
        np.diag([1, 0, 1, 1]),
        np.full((4, 4), np.nan),
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
        [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0], [0, 0, 0, 1]],
        np.diag([1e300, 1e300, 1e-300, 1]),
    ],
)
def test_a_singular_affine_is_refused(affine: Any) -> None:
    with pytest.raises(SourceError, match=r"^a/x: its affine is singular"):
        geometry.axes(np.asarray(affine, float), "a/x")


def test_a_picture_is_grey_within_its_window() -> None:
    values = np.array([[-5.0, 0, 5], [10, 15, np.nan]])
    shown = np.asarray(Image.open(io.BytesIO(drawing.grey(values, (0, 10)))))
    by = shown.shape[0] // 2
    assert shown[::by, ::by].tolist() == [[0, 0, 127], [255, 255, 0]]


def test_contours_are_the_outermost_pixels_of_each_label() -> None:
    labels = np.zeros((240, 240), np.int16)
    labels[20:60, 30:90] = 300
    labels[60:80, 30:90] = 2
    png = Image.open(io.BytesIO(drawing.contours(labels, {300: "#ff0000", 2: "#00ff00"})))
    found = np.asarray(png.convert("RGBA"))
    red, green = ((found == (*colour, 255)).all(axis=-1) for colour in ((255, 0, 0), (0, 255, 0)))
    assert red.sum() == 2 * 60 + 2 * 38
    assert green.sum() == 2 * 60 + 2 * 18
    assert not red[21:59, 31:89].any()
    assert (found[..., 3] == 0).sum() == found[..., 3].size - red.sum() - green.sum()


def facts(images: int, frames: int = 1, series: int = 0) -> CaseFacts:
    paths = {f"{n:03}": "x" for n in range(images)}
    volumes = {"bold": series} if series else {}
    case = Case("sub-01", "01", "", None, None, paths, {}, dict.fromkeys(volumes, "y"), volumes)
    return CaseFacts(case, shape=(9, 9, 9, frames))


def case_of(segmentation: str | None, **images: str) -> Case:
    return Case("x", "01", "", segmentation, None, images, {})


@pytest.mark.parametrize(
    ("cases", "images", "voxels", "contrasts"),
    [
        (1, 1, bounds.MOST, None),
        (0, 0, bounds.MOST, None),
        (10, 4, bounds.MOST, None),
        (60, 3, 40_000_000 // 180, None),
        (380, 3, 40_000_000 // 380, 1),
        (1000, 4, 40_000_000 // 1000, 1),
    ],
)
def test_what_is_shown_fits_into_a_page(
    cases: int, images: int, voxels: int, contrasts: int | None
) -> None:
    found = bounds.bounds([facts(images)] * cases)
    assert (found.voxels, found.contrasts, found.volumes) == (voxels, contrasts, 1)


@pytest.mark.parametrize(
    ("case", "cases", "volumes", "voxels"),
    [
        (facts(1, frames=40), 1, 12, bounds.MOST),
        (facts(1, frames=40), 10, 12, 40_000_000 // 120),
        (facts(1, frames=40), 60, 6, 40_000_000 // 360),
        (facts(1, frames=3), 10, 12, bounds.MOST),
        (facts(1, series=5), 20, 12, 40_000_000 // 120),
        (facts(1, series=500), 400, 1, 40_000_000 // 400),
        (facts(2, frames=2), 90, 2, 40_000_000 // 360),
    ],
)
def test_volumes_of_a_series_count_too(
    case: CaseFacts, cases: int, volumes: int, voxels: int
) -> None:
    found = bounds.bounds([case] * cases, 12)
    assert (min(found.volumes, volumes), found.voxels) == (volumes, min(voxels, bounds.MOST))


def test_of_many_cases_the_unusual_ones_have_pictures() -> None:
    every = [
        CaseFacts(
            Case(f"sub-{n:05}", f"{n:05}", "", None, None, {"T1w": "x"}, {}),
            outlier=float(n == 7000),
        )
        for n in range(12_500)
    ]
    found = [each.case.name for each in bounds.shown(every)]
    assert found[:3] == ["sub-07000", "sub-00000", "sub-00001"]
    assert len(found) == bounds.MOST_CASES
    assert bounds.bounds(bounds.shown(every)).voxels * len(found) <= bounds.ALL


def test_the_slice_is_that_of_the_largest_area(tmp_path: Path) -> None:
    labels = np.zeros((9, 8, 7), np.uint8)
    labels[2:4, 2:4, 1:6] = 1
    labels[2:7, 2:7, 4] = 2
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "x_dseg.nii")
    case = Case("x", "01", "", "x_dseg.nii", None, {}, {})
    found = picture(tmp_path, Request(CaseFacts(case), (), 10**6))
    assert found.start == (4, 4, 4)
    assert found.slice is not None
    assert found.slice.contours == drawing.contours(np.flip(labels[:, :, 4].T), {})
    assert found.present == (1, 2)


def test_a_single_slice_is_shown_as_it_was_taken(tmp_path: Path) -> None:
    labels = np.ones((1, 8, 7), np.uint8)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "x_dseg.nii")
    case = Case("x", "01", "", "x_dseg.nii", None, {}, {})
    found = picture(tmp_path, Request(CaseFacts(case, slice_axis=2), (), 10**6))
    assert found.across == 0
    assert found.slice is not None
    assert found.slice.contours is not None
    width, height = Image.open(io.BytesIO(found.slice.contours)).size
    assert width * 7 == height * 8
    assert found.slice.size == (8, 7)


def test_labels_that_thinning_loses_are_named(tmp_path: Path) -> None:
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, :, 4] = 1
    labels[1, 1, 1] = 7
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "x_dseg.nii")
    case = Case("x", "01", "", "x_dseg.nii", None, {}, {})
    known = tuple(LabelFacts(v, "", "#000000", 1, 0.001, (0, 0, 0), (2, 0)) for v in (1, 7))
    found = picture(tmp_path, Request(CaseFacts(case, labels=known), (), 64))
    assert found.shape == (4, 4, 4)
    assert found.notes[-1] == "Labels too small to be among them: 7."


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not a NIfTI file"), (b"\x5c\x01\0\0" + bytes(500), ""), (None, "No such file")],
)
def test_what_cannot_be_read_is_a_fault(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "x_dseg.nii").write_bytes(content)
    case = Case("x", "01", "", "x_dseg.nii", None, {}, {})
    found = picture(tmp_path, Request(CaseFacts(case), (), 10**6))
    assert found.fault.startswith("x_dseg.nii: ")
    assert reason in found.fault
    assert str(tmp_path) not in found.fault


def test_an_image_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "x_dseg.nii")
    nib.save(nib.Nifti1Image(np.ones((4, 4, 3), np.int16), np.eye(4)), tmp_path / "x_T1w.nii")
    images = {"T1w": "x_T1w.nii", "T2w": "x_T2w.nii"}
    case = Case("x", "01", "", "x_dseg.nii", None, images, {})
    found = picture(tmp_path, Request(CaseFacts(case), ("T1w", "T2w"), 10**6))
    assert found.fault == ""
    assert found.images == ()
    assert "x_T1w.nii: it was changed while" in found.notes[0]
    assert "x_T2w.nii" in found.notes[1]


def test_a_broken_segmentation_leaves_its_image(tmp_path: Path) -> None:
    root = small_trees.several(tmp_path / "tree", 3)
    path = root / "sub-02/anat/sub-02_dseg.nii.gz"
    path.write_bytes(path.read_bytes()[:-30])
    (root / "sub-03/anat/sub-03_dseg.nii.gz").write_bytes(b"none")
    html = section(survey(root), root, Looking()).html
    assert html.count('<div class="picture"><img') == 3
    for name in ("sub-02", "sub-03"):
        (card,) = re.findall(
            rf'<article class="card" data-case="{name}".*?</article>', html, re.DOTALL
        )
        assert card.count("<img ") == 1
        assert card.count("Segmentation not shown: ") == 1
        assert "Not shown: " not in card
        assert "Segmentation unreadable" in card


def test_contours_without_an_image_have_a_frame(tree: Make) -> None:
    root = tree("ivdm3seg")
    html = section(survey(root), root, Looking()).html
    (card,) = re.findall(r'<article class="card" data-case="sub-16.*?</article>', html, re.DOTALL)
    (image,) = re.findall(r"<img [^>]*?src", card)
    assert 'class="contours alone"' in image
    assert "No image lies on the grid of the segmentation: its contours are on black." in card
    assert html.count("contours alone") == 1


def test_colours_for_values_leave_that_image_out(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "x_dseg.nii")
    colours = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    image = nib.Nifti1Image(colours, np.eye(4))
    nib.save(image, tmp_path / "x_T1w.nii")
    content = bytearray((tmp_path / "x_T1w.nii").read_bytes())
    content[112:116] = np.float32(2).tobytes()  # scl_slope
    (tmp_path / "x_T1w.nii").write_bytes(content)
    case = case_of("x_dseg.nii", T1w="x_T1w.nii")
    found = picture(tmp_path, Request(CaseFacts(case), ("T1w",), 10**6))
    assert (found.fault, found.images, found.present) == ("", (), (1,))
    assert found.notes[0].startswith("Not shown: x_T1w.nii: ")


def test_what_nobody_expected_costs_one_image_or_one_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        msg = "what is that?"
        raise LookupError(msg)

    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "x_dseg.nii")
    request = Request(CaseFacts(case_of("x_dseg.nii", T1w="x_T1w.nii")), ("T1w",), 10**6)
    monkeypatch.setattr("bidsify.cases.values.read_image", fail)
    found = picture(tmp_path, request)
    assert found.fault == ""
    assert found.notes == ("Not shown: x_T1w.nii: damaged file: what is that?.",)
    monkeypatch.setattr("bidsify.cases.values.read_labels", fail)
    assert picture(tmp_path, request).fault == "x_dseg.nii: damaged file: what is that?"


def test_what_waits_for_all_cases_is_small(tmp_path: Path) -> None:
    """Slices have as many pixels as may be; noise in the image compresses badly."""
    labels = np.zeros((300, 300, 3), np.uint8)
    labels[50:250, 50:250, 1] = 1
    noise = np.random.default_rng(1).normal(size=labels.shape).astype(np.float32)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "x_dseg.nii")
    nib.save(nib.Nifti1Image(noise, np.eye(4)), tmp_path / "x_T1w.nii")
    case = case_of("x_dseg.nii", T1w="x_T1w.nii")
    found = picture(tmp_path, Request(CaseFacts(case), ("T1w",), 32**3))
    assert len(pickle.dumps(found)) < 200_000


def test_a_series_beside_a_segmentation_is_shown_where_it_can(tmp_path: Path) -> None:
    series = np.arange(4 * 4 * 4 * 15, dtype=np.int16).reshape(4, 4, 4, 15)
    nib.save(nib.Nifti1Image(series[..., 0] % 2, np.eye(4)), tmp_path / "x_dseg.nii")
    nib.save(nib.Nifti1Image(series[..., 0], np.eye(4)), tmp_path / "x_T1w.nii")
    nib.save(nib.Nifti1Image(series, np.eye(4)), tmp_path / "x_bold.nii")
    case = replace(
        case_of("x_dseg.nii", T1w="x_T1w.nii"), series={"bold": "x_bold.nii"}, volumes={"bold": 15}
    )
    request = Request(CaseFacts(case), ("T1w",), 10**6, 12, series=True)
    found = picture(tmp_path, request)
    assert [(each.contrast, each.volumes) for each in found.images] == [("T1w", 1), ("bold", 12)]
    shown = unpack(found.images[1].packed, (4, 4, 4, 12))
    np.testing.assert_array_equal(shown, series[..., :12])
    assert found.slice is not None
    assert found.slice.grey is not None
    grey = unpack(found.slice.grey, found.slice.shape)
    assert set(grey.ravel()) <= set(series[..., 0].ravel())
    without = picture(tmp_path, replace(request, series=False))
    assert [each.contrast for each in without.images] == ["T1w"]
    assert without.notes == ("Series are not shown: bold.",)


# Markup


def data_of(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="gallery-data">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def test_a_gallery_is_the_same_for_any_number_of_workers(tree: Make) -> None:
    root = tree("chaos")
    found = survey(root)
    one, two = (section(found, root, Looking(workers=n)) for n in (1, 2))
    assert one == two
    assert one.policy == {"img-src": "data:"}
    assert not re.search(r"\son\w+=|\sstyle=|javascript:|https?://", one.html)


def test_texts_of_strangers_are_escaped(tree: Make) -> None:
    root = tree("chaos")
    found = survey(root)
    evil = "</script><script>alert(1)</script>\u202e"
    schemes = [replace(e, names=dict.fromkeys(e.names, evil)) for e in found.schemes]
    cases = [
        replace(e, case=replace(e.case, name=evil + e.case.name, subject=evil)) for e in found.cases
    ]
    html = section(replace(found, cases=tuple(cases), schemes=tuple(schemes)), root, Looking()).html
    assert "alert(1)</script>" not in html
    assert "<script>" not in html
    assert "\u202e" not in html
    names = {case["name"] for case in data_of(html)["cases"]}
    cards = re.findall(r'data-case="([^"]*)"', html)
    assert len(names) == len(cards) == len(found.cases)


def test_data_and_cards_speak_of_the_same_cases(tree: Make) -> None:
    root = tree("chaos")
    html = section(survey(root), root, Looking()).html
    data = data_of(html)
    assert {*re.findall(r'data-case="([^"]*)"', html)} == {case["name"] for case in data["cases"]}
    blocks = {*re.findall(r'<script type="application/gzip\+base64" id="([^"]*)">', html)}
    used = {e["id"] for case in data["cases"] for e in (*case["images"], case["labels"]) if e}
    assert blocks == used


def test_the_page_of_many_cases_has_some_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_trees.several(tmp_path / "tree", 5)
    found = survey(root)
    cases = [replace(e, outlier=2.0 * (e.case.name == "sub-03")) for e in found.cases]
    monkeypatch.setattr(bounds, "MOST_CASES", 2)
    html = section(replace(found, cases=tuple(cases)), root, Looking()).html
    assert "Of 5 cases, the 2 with the highest scores have a picture" in html
    shown = re.findall(r'data-case="([^"]*)"', html)
    assert shown == ["sub-03", "sub-01", "sub-02", "sub-04", "sub-05"]
    assert html.count('<div class="picture"><img') == 2
    assert html.count("Not shown: the page has pictures of 2 cases") == 3
    assert [case["name"] for case in data_of(html)["cases"] if "shape" in case] == [
        "sub-01",
        "sub-03",
    ]


def test_what_is_equal_is_in_the_page_once(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w")
    folder = root / "sub-01/anat"
    other = small_trees.labels({2: LIVER[1]})
    small_trees.nifti(folder / "sub-01_desc-other_dseg.nii.gz", other)
    html = section(survey(root), root, Looking()).html
    one, two = data_of(html)["cases"]
    assert one["images"][0]["id"] == two["images"][0]["id"]
    assert one["labels"]["id"] != two["labels"]["id"]
    blocks = re.findall(r'<script type="application/gzip\+base64" id="([^"]*)">', html)
    assert len(blocks) == len({*blocks}) == 3


def test_ratings_belong_to_one_conversion(tmp_path: Path) -> None:
    root = small_trees.several(tmp_path / "tree", 3)
    found = survey(root)

    def key(changed: Survey) -> str:
        name: str = data_of(section(changed, root, Looking()).html)["key"]
        return name

    label = replace(found.cases[0].labels[0], voxels=99)
    others = [
        replace(found, made=Made(version="1")),
        replace(found, made=Made(version="2")),
        replace(found, made=Made(version="2", source_sha256="ab", buckets={"used": 3})),
        replace(found, cases=found.cases[:2]),
        replace(found, cases=(replace(found.cases[0], labels=(label,)), *found.cases[1:])),
    ]
    assert len({key(found), *map(key, others)}) == 6
    assert key(found) == key(survey(root))


# NiiVue


def test_without_ipyniivue_the_user_is_told_what_to_install(monkeypatch: Any, tree: Make) -> None:
    found = survey(tree("chaos"))  # which looks for other packages
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"needs ipyniivue; install it: pip install"):
        section(found, tree("chaos"), Looking("niivue"))


@pytest.mark.parametrize("script", [None, "", '"%41"', f'"{"a" * 1_000_001}"', "\udcff"])
def test_a_wheel_that_is_another_is_refused(tmp_path: Path, script: str | None) -> None:
    if script is not None:
        (tmp_path / "widget.js").write_bytes(script.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"^ipyniivue has no NiiVue in static/widget\.js"):
        niivue._module(tmp_path / "widget.js")


def test_surfaces_are_in_the_page_of_niivue(tree: Make) -> None:
    pytest.importorskip("ipyniivue")
    root = tree("lumbosacral")
    html = section(survey(root), root, Looking("niivue")).html
    meshes = data_of(html)["cases"][0]["meshes"]
    assert [mesh["turned"] for mesh in meshes] == [True] * 3
    for mesh in meshes:
        block = re.search(f'id="{mesh["id"]}">([^<]*)<', html)
        assert block
        (path,) = root.rglob(mesh["name"])
        assert gzip.decompress(base64.b64decode(block[1])) == path.read_bytes()
