"""The page: what it may load, that nothing of strangers becomes markup, and that it stays small."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import small_trees
from browser import CHROMIUM, browser
from conftest import Make
from hypothesis import given
from hypothesis import strategies as st
from small_trees import LIVER

from bidsify.cases.case import Case
from bidsify.survey.look import survey
from bidsify.survey.values import CaseFacts, LabelFacts, Survey
from bidsify.webpage import markup, matrix, plots, reuse
from bidsify.webpage.page import to_html
from bidsify.webpage.report import figures, report
from bidsify.webpage.section import Section

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=y>&amp;\x1b[31m\u202e\udc80\n"
_VOID = {"meta", "br", "img", "input", "link", "hr", "col"}
_SHAPES = {"rect", "path", "circle"}


class Page(HTMLParser):
    """Reads a page strictly: every element that is opened is closed in turn."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.policy = ""
        self.feed(content.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        stated = dict(attrs)
        self.tags.append(tag)
        self.attributes |= stated.keys()
        self.ids += [stated["id"] or ""] if "id" in stated else []
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if stated.get("http-equiv") == "Content-Security-Policy":
            self.policy = stated["content"] or ""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SHAPES
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Return a survey of twelve subjects, the last of which is unusual."""
    return survey(small_trees.several(tmp_path_factory.mktemp("small") / "tree", 12))


@pytest.mark.parametrize("name", ["chaos", "prostate158", "ssmspine", "harvard"])
def test_the_page_of_a_tree_is_sound(tree: Make, name: str) -> None:
    root = tree(name)
    page = report(survey(root), root)
    read = Page(page)
    assert len(read.ids) == len(set(read.ids))
    assert {link.removeprefix("#") for link in read.links} <= {*read.ids}
    assert not {one for one in read.attributes if one == "style" or one.startswith("on")}
    assert str(root).encode() not in page
    assert page == report(survey(root), root)
    assert "Terms" in read.texts


def test_the_policy_allows_what_is_there_and_nothing_else(small: Survey) -> None:
    page = report(small, Path()).decode()
    policy = dict(part.split(" ", 1) for part in Page(page.encode()).policy.split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    for element in ("style", "script"):
        found = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        hashes = {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in found}
        assert found
        assert set(policy[f"{element}-src"].split()) == {f"'sha256-{one}'" for one in hashes}
    assert set(policy) == {"default-src", "base-uri", "form-action", "style-src", "script-src"}


def test_a_section_adds_to_the_policy() -> None:
    section = Section("a", "A", "", ".a {}", "", {"img-src": "data: blob:", "script-src": "blob:"})
    policy = Page(to_html("T", [section, section])).policy
    assert "img-src data: blob:" in policy
    assert re.search(r"script-src 'sha256-[^ ]+' blob:(;|$)", policy)
    assert policy.count("style-src") == 1


def changed(value: Any, change: Callable[[str], str], name: str = "") -> Any:
    """Return a value with other texts in it, but for words that are chosen from a list."""
    if name in {"color", "colors", "severity", "redistribution", "source_sha256", "orientation"}:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in fields(value)]
        return replace(value, **{n: changed(getattr(value, n), change, n) for n in names})
    if isinstance(value, Mapping):
        keys = (key if name == "counts" else changed(key, change) for key in value)
        return dict(zip(keys, (changed(v, change) for v in value.values()), strict=True))
    if isinstance(value, tuple | list):
        return type(value)(changed(each, change) for each in value)
    return change(value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", ["chaos", "harvard"])
def test_no_text_becomes_markup(tree: Make, name: str) -> None:
    root = tree(name)
    found = survey(root)
    honest, hostile = (
        Page(report(changed(found, change), root))
        for change in (lambda text: f"{text} x", lambda text: HOSTILE + text)
    )
    assert hostile.tags == honest.tags
    assert hostile.attributes == honest.attributes
    assert not any("\x1b" in text or "\u202e" in text for text in hostile.texts)
    assert any("<script>alert(1)</script>" in text for text in hostile.texts)
    for drawing in figures(changed(found, lambda text: HOSTILE + text)).values():
        ET.fromstring(drawing)


def test_what_is_present_empty_and_missing_is_told(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w", "T2w")
    small_trees.add(root, "02", {}, "T1w")
    small_trees.add(root, "03", None, "T1w")
    (root / "sub-04/anat").mkdir(parents=True)
    rows = list(_rows(report(survey(root), root)))
    assert rows[0] == ["sub-01", "present", "present", "0.096", "empty", "0", ""]
    assert rows[1] == ["sub-02", "present", "missing", "empty", "empty", "0", "no label"]
    assert rows[2] == ["sub-03", "present", "missing", "missing", "missing", "0", ""]
    assert rows[3] == ["sub-04", *["missing"] * 4, "", "no readable image"]


def _rows(page: bytes) -> Iterator[list[str]]:
    """Yield the cells of the matrix."""
    body = page.decode().split('class="sortable matrix"')[1].split("</table>")[0]
    for row in re.findall(r"<tr[^>]*>(<th scope=\"row\">.*?)</tr>", body):
        yield re.findall(r">([^<]*)</t[hd]>", row)


def test_an_unreadable_segmentation_is_told(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER, "T1w")
    small_trees.add(root, "02", LIVER, "T1w", "T2w")
    small_trees.add(root, "03", None, "T1w")
    (root / "sub-02/anat/sub-02_dseg.nii.gz").write_bytes(b"no image")
    page = report(survey(root), root)
    rows = list(_rows(page))
    assert rows[1][:3] == ["sub-02", "present", "present"]
    assert rows[1][3:5] == ["unreadable", "unreadable"]
    assert rows[1][-1].startswith("segmentation unreadable: ")
    assert rows[2][3:5] == ["missing", "missing"]
    assert b"1 segmentation unreadable: no label is known of." in page
    assert b"1 file cannot be read and is in no row above:" in page
    assert b"without an image that can be read" not in page
    assert b"cannot be measured" not in page


def test_methods_do_not_grow_with_the_label_tables(small: Survey) -> None:
    schemes = tuple(replace(small.schemes[1], tables=(f"{n}.tsv",)) for n in range(500))
    html = reuse.methods(replace(small, schemes=(small.schemes[0], *schemes))).html
    assert html.count("Labels of ") == 8
    assert "There are 492 more label tables." in html
    assert "more label tables" not in reuse.methods(small).html


@pytest.mark.parametrize("metres", [(0.0005, 0.00025), (0.0004, 0.00043)])
def test_spacings_in_metres_stay_apart(metres: tuple[float, float]) -> None:
    found = plots.distribution(metres)
    assert [(float(name), count) for name, count in found] == [(each, 1) for each in sorted(metres)]


def test_an_image_on_another_grid_is_told(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER)
    path = root / "sub-01/anat/sub-01_T1w.nii.gz"
    moved = [[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]
    small_trees.nifti(path, small_trees.labels(LIVER), moved)
    page = report(survey(root), root)
    assert next(_rows(page))[1] == "other grid"
    assert b"In 1 case images of the same subject lie on another grid" in page
    assert b"1 of 1 segmentations have no image on their own" in page
    assert b"1 segmentation without an image on the same grid." in page


def _verdict(page: bytes) -> str:
    (word,) = re.findall(r'class="verdict"><strong class="\w+">([^<]*):<', page.decode())
    return str(word)


def test_a_grid_that_was_kept_is_a_remark(tmp_path: Path, small: Survey) -> None:
    root = small_trees.make(tmp_path / "tree")
    small_trees.add(root, "01", LIVER)
    moved = [[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]
    path = root / "sub-01/anat/sub-01_T1w.nii.gz"
    small_trees.nifti(path, small_trees.labels(LIVER), moved)
    sidecar = root / "sub-01/anat/sub-01_dseg.json"
    page = report(_valid(survey(root), small), root)
    assert _verdict(page) == "Not sound"
    sidecar.write_text('{"GridDiffersFromSources": true}')
    page = report(_valid(survey(root), small), root)
    assert _verdict(page) == "Sound"
    assert b"1 segmentation without an image on the same grid, as its sidecar states." in page
    assert b"The sidecars of 1 of these state that this is so." in page
    assert next(_rows(page))[-1] == "on another grid than its images, as its sidecar states"


def _valid(found: Survey, small: Survey) -> Survey:
    return replace(found, validity=replace(small.validity, counts={"error": 0}))


def test_there_are_three_verdicts(small: Survey) -> None:
    sound = replace(_valid(small, small), cases=small.cases[:-1])
    sound = replace(sound, people=replace(small.people, subjects=small.people.subjects[:-1]))
    assert _verdict(report(sound, Path())) == "Sound"
    fewer = replace(sound, people=replace(sound.people, expected=12))
    page = report(fewer, Path())
    assert _verdict(page) == "Incomplete"
    assert b"1 subject of the 12 in the publication is not in this tree." in page
    wrong = replace(fewer, validity=replace(fewer.validity, counts={"error": 1}))
    assert _verdict(report(wrong, Path())) == "Not sound"


@pytest.mark.parametrize(
    ("contrasts", "lacking"),
    [
        (["T1w T2w"] * 3 + ["T1w"], ["1 subject without T2w: 04."]),
        (["T1w"] * 3 + ["T1w T2w"], []),
        (["ct"] * 3 + ["T1w T2w", "T1w T2w", "T1w"], ["1 subject without T2w: 06."]),
        (["T1w"] * 2 + ["ct"] * 3, []),
    ],
)
def test_what_most_of_the_same_kind_have_is_missing(
    small: Survey, contrasts: list[str], lacking: list[str]
) -> None:
    cases = tuple(
        replace(one, case=replace(one.case, images=dict.fromkeys(names.split(), "x")), outlier=0)
        for one, names in zip(small.cases, contrasts, strict=False)
    )
    people = replace(small.people, subjects=tuple(one.case.subject for one in cases))
    page = report(replace(_valid(small, small), cases=cases, people=people), Path())
    assert _verdict(page) == ("Incomplete" if lacking else "Sound")
    assert re.findall(r"<li>(\d subjects? without .*)</li>", page.decode()) == lacking


def test_an_image_of_two_segmentations_is_one_image(tree: Make) -> None:
    found = survey(tree("prostate158"))
    html = reuse.methods(found).html
    images = {path for one in found.cases for path in one.case.images.values()}
    count = sum(path.endswith("_T2w.nii.gz") for path in images)
    assert count < len(found.cases)
    assert f"T2w (n = {count})" in html
    assert f"Grids of segmentations (n = {len(found.cases)})" in html
    assert b"Slices, number of segmentations" in figures(found)["slices.svg"]


def test_a_value_without_a_row_concerns_its_case_alone(tmp_path: Path) -> None:
    root = small_trees.several(tmp_path / "tree", 7)
    path = root / "sub-03/anat/sub-03_dseg.nii.gz"
    stray = small_trees.labels({**LIVER, 77: (slice(9, 10), slice(0, 1), slice(0, 1))})
    small_trees.nifti(path, stray)
    found = survey(root)
    page = report(found, root)
    rows = list(_rows(page))
    assert rows[2][-1] == "without a row in the label table: 77 (1 voxel)"
    assert {row[-1] for row in rows[:2] + rows[3:]} == {""}
    assert b"without value 77" not in page
    assert b"1 value occurs without a row in the label table." in page
    (line,) = re.findall(r".*value 77, without a row in the table.*", page.decode())
    assert re.findall(r"<td>([^<]*)</td>", line)[:2] == ["1", ""]
    Page(page)


def test_frames_are_no_sum(tmp_path: Path) -> None:
    root = small_trees.make(tmp_path / "tree")
    film = small_trees.labels(LIVER)[..., None].repeat(3, axis=3)
    small_trees.nifti(root / "sub-01/anat/sub-01_dseg.nii.gz", film)
    small_trees.nifti(root / "sub-01/anat/sub-01_T1w.nii.gz", film)
    page = report(survey(root), root)
    row = next(_rows(page))
    assert row[2] == "0.096"
    assert row[-1] == "4-D: 3 frames, volumes are the mean of one frame"
    assert b"1 segmentation of several frames (4-D): volumes are the mean of one frame." in page


def test_the_definition_of_unusual_is_whole(small: Survey) -> None:
    page = report(small, Path())
    assert b"but no less than 5%: a volume of 0.84 to 1.19 times the median is never" in page


def test_unusual_volumes_lead_to_their_rows(small: Survey) -> None:
    page = report(small, Path()).decode()
    assert '<a href="#case-11"><circle' in page
    assert re.search(r'<a href="#case-11">sub-12</a> \(-\d', page)
    assert '<tr id="case-11"><th scope="row">sub-12</th>' in page


def _many(small: Survey, number: int) -> Survey:
    """Return a survey of many subjects with 12 labels each."""
    one = small.cases[0]
    labels = tuple(
        LabelFacts(n, f"organ {n}", "#112233", 1000, 12.5 + n, (1, 2, 3), (2, 1), 3, 1)
        for n in range(1, 13)
    )
    cases = []
    for n in range(number):
        case = Case(f"sub-{n:05}", f"{n:05}", "", "a", "b", {"T1w": "c", "T2w": "d"}, {})
        broken = "it is damaged" if n == number - 5 else ""
        cases.append(
            CaseFacts(
                case, 1, () if broken else labels, one.shape, one.spacing, "RAS", fault=broken
            )
        )
    names = {label.value: label.name for label in labels}
    colors = {label.value: label.color for label in labels}
    schemes = (small.schemes[0], replace(small.schemes[1], names=names, colors=colors))
    people = replace(small.people, subjects=tuple(f"{n:05}" for n in range(number)))
    return replace(small, cases=tuple(cases), schemes=schemes, people=people)


@pytest.mark.parametrize(
    ("number", "rows", "bytes_"), [(380, 380, 1 << 20), (12500, 1000, 4 << 20)]
)
def test_the_page_of_many_subjects_stays_small(
    small: Survey, number: int, rows: int, bytes_: int
) -> None:
    page = report(_many(small, number), Path())
    assert len(page) < bytes_
    assert page.count(b'<tr id="case-') == rows
    assert (f"Of {number} cases {rows} are listed".encode() in page) == (rows < number)
    assert b"it is damaged" in page


def test_subjects_without_anything_are_not_listed_without_end(small: Survey) -> None:
    people = replace(small.people, subjects=tuple(f"{n:05}" for n in range(12500)))
    page = report(replace(small, cases=(), people=people), Path())
    assert b"Of 12500 subjects without a readable image 200 are listed." in page
    assert page.count(b"no readable image") == 200


def test_a_tree_without_images_has_a_page(tmp_path: Path) -> None:
    page = report(survey(tmp_path), tmp_path).decode()
    assert "There are no images in this tree." in page
    assert "No image could be read." in page
    assert "A dataset without a name: report" in page
    assert "bidsify did not make it" in page.replace("\n", " ")


def test_figures_are_files_of_their_own(small: Survey) -> None:
    found = figures(small)
    assert set(found) == {
        "label_volumes.svg", "shape.svg", "orientation.svg", "spacing_finest.svg",
        "spacing_coarsest.svg", "slices.svg",
    }  # fmt: skip
    for content in found.values():
        root = ET.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert b"href" not in content


@given(st.lists(st.floats(-1e6, 1e6), max_size=60))
def test_each_value_is_in_one_bar(values: list[float]) -> None:
    counted = plots.distribution(values)
    assert sum(count for _, count in counted) == len(values)
    assert len(counted) <= 20


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=700))
def test_points_lie_within_the_strip(values: list[float]) -> None:
    drawing = plots.strip("x", values, [plots.Point(max(values), "m", 3)])
    ET.fromstring(plots.standalone(drawing))
    (x,) = re.findall(r'cx="([\d.]+)"', drawing.body)
    assert 0 <= float(x) <= drawing.width


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"), (None, ""), (float("nan"), "?"), (1e-9, "0.000000001"), (999.96, "1000"),
        (-3.456, "-3.46"), (120.0, "120"), (1200.0, "1200"),
    ],
)  # fmt: skip
def test_numbers_are_short(value: float | None, written: str) -> None:
    assert markup.number(value) == written


def test_long_texts_are_cut() -> None:
    assert len(markup.text("x" * 5000)) == 300


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_loads_it_without_a_request_and_sorts(small: Survey, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(report(small, Path()))
    rows = "[...document.querySelectorAll('.matrix tbody tr th')].map(e => e.textContent)"
    sorted_by = "document.querySelector('.matrix [aria-sort]')?.textContent"
    with browser(tmp_path / "profile") as page:
        page.open(path)
        assert (page.requests, page.complaints) == ([path.as_uri()], [])
        names = page.value(rows)
        assert names == sorted(names)
        page.open(path, "sort=liver")
        assert page.value(rows)[0] == "sub-12"
        assert page.value(sorted_by) == "liver"
        page.value("document.querySelector('.matrix th button').click()")
        assert page.value(rows) == names
        page.value("location.hash = 'sort=-Case'")
        page.wait(f"({rows})[0] === 'sub-12'")
        above = "document.querySelector('.matrix').parentElement.previousElementSibling"
        page.value(f"{above}.querySelector('input').value = 'SUB-03'")
        page.value(f"{above}.querySelector('input').dispatchEvent(new Event('input'))")
        assert page.value("document.querySelectorAll('.matrix tbody tr:not([hidden])').length") == 1
        assert (
            page.value("getComputedStyle(document.querySelector('.bad, .good')).color")
            != "rgb(0, 0, 0)"
        )
        assert page.complaints == []


def test_the_matrix_says_where_columns_are_left_out(small: Survey) -> None:
    images = {f"acq-{n:02}_T1w": "x" for n in range(30)}
    case = replace(small.cases[0].case, images=images)
    many = replace(small, cases=(replace(small.cases[0], case=case),))
    assert "The 24 most frequent of 31" not in matrix.section(many).html
    assert "The 24 most frequent of 30 contrasts are shown." in matrix.section(many).html
