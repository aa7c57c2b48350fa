"""The gallery and the viewer of a report, in a real browser: what they show is what is there."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from browser import CHROMIUM, Browser, browser

from bidsify.survey.look import survey
from bidsify.webpage import report
from bidsify.webpage.gallery import Looking

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

NAMES = {1: "left <b>part</b>", 2: "right part"}
COLOURS = {1: (255, 0, 0), 2: (0, 160, 255)}
PLANES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}
LETTERS = {0: "RL", 1: "AP", 2: "SI"}


def turned(first: float, second: float) -> Any:
    """Return a rotation about two axes, in degrees."""
    a, b = np.radians([first, second])
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    return np.array(about_z) @ np.array(about_x)


def affine(columns: Any, sizes: tuple[float, float, float]) -> Any:
    found = np.eye(4)
    found[:3, :3] = np.asarray(columns, float) * sizes
    found[:3, 3] = (-12.5, 31.25, -7.0)
    return found


RAS = np.eye(3)
LPS = np.diag([-1, -1, 1])
SAGITTAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # P, I, R


@dataclass(frozen=True)
class Made:
    """A case of the tree: its grid, and its volumes as nibabel has them."""

    affine: Any
    shape: tuple[int, ...]
    kind: str = "int16"
    step: tuple[int, ...] = (1, 1, 1)

    @property
    def image(self) -> Any:
        i, j, k = np.indices(self.shape)
        values = (7 * i + 31 * j + 113 * k + i * j) % 1800 - 300
        if self.kind == "float32":
            return (values / 7).astype(np.float32)
        return values.astype(self.kind)

    @property
    def labels(self) -> Any:
        found = np.zeros(self.shape, np.uint8)
        a, b, c = (n // 4 for n in self.shape)
        found[a : 2 * a, b : 3 * b, c : 3 * c] = 1
        found[2 * a : 3 * a, b : 2 * b, c : 3 * c] = 2
        return found


CASES = {
    "sub-01": Made(affine(RAS, (1, 1, 1)), (20, 24, 16)),
    "sub-02": Made(affine(LPS, (0.8, 0.9, 4)), (22, 20, 9), "uint16"),
    "sub-03": Made(affine(SAGITTAL, (1.1, 0.9, 3.3)), (26, 18, 9)),
    "sub-04": Made(affine(turned(20, -12) @ LPS, (1, 2, 1.5)), (18, 15, 21), "float32"),
    "sub-05": Made(affine(turned(-8, 5) @ SAGITTAL, (1, 1, 1)), (126, 104, 88), step=(2, 1, 1)),
}
SERIES = np.arange(10 * 12 * 8 * 5, dtype=np.int16).reshape(10, 12, 8, 5)
# A broken segmentation; a series of volumes without one, and one beside large values.
OTHERS = ["sub-06", "sub-07", "sub-08"]
LARGE = np.zeros(SERIES.shape[:3], np.int32)
LARGE[2:5, 3:6, 2:4], LARGE[5:8, 3:6, 2:4] = 1, 100_000
SCORES = {"sub-03": 4.5, "sub-01": 2, "sub-05": 12.25}
every_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report of a tree with all kinds of grids, one of them thinned out."""
    folder = tmp_path_factory.mktemp("viewer")
    root = folder / "tree"
    for name, made in CASES.items():
        (root / name / "anat").mkdir(parents=True)
        volumes = {"T1w": made.image, "T2w": made.image[::-1], "dseg": made.labels}
        for suffix, values in volumes.items():
            image = nib.Nifti1Image(values, made.affine)
            image.header.set_xyzt_units("mm")
            nib.save(image, root / name / "anat" / f"{name}_{suffix}.nii")
    series = nib.Nifti1Image(SERIES, CASES["sub-01"].affine)
    for name in ("sub-07", "sub-08"):
        (root / name / "func").mkdir(parents=True)
        nib.save(series, root / name / "func" / f"{name}_task-rest_bold.nii")
    nib.save(nib.Nifti1Image(LARGE, series.affine), root / "sub-08" / "func" / "sub-08_dseg.nii")
    broken = root / "sub-06" / "anat"
    broken.mkdir(parents=True)
    content = (root / "sub-01/anat/sub-01_dseg.nii").read_bytes()
    (broken / "sub-06_dseg.nii").write_bytes(content[:-100])
    (root / "dataset_description.json").write_text(
        json.dumps({"Name": "<i>Grids</i>", "BIDSVersion": "1.11.1", "DatasetType": "derivative"})
    )
    rows = [f"{v}\t{NAMES[v]}\t#{bytes(COLOURS[v]).hex()}" for v in NAMES]
    (root / "dseg.tsv").write_text("\n".join(["index\tname\tcolor", *rows, ""]))
    found = survey(root)
    cases = tuple(replace(e, outlier=float(SCORES.get(e.case.name, 0))) for e in found.cases)
    content = report.report(replace(found, cases=cases), root, Looking())
    (folder / "report.html").write_bytes(content)
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def look(chromium: Browser, page: Path, fragment: str) -> None:
    """Open a page anew; the next voxels are gone to from there."""
    chromium.open(page, fragment)
    chromium.wait("document.getElementById('viewer').dataset.state === 'ready'")


def go(chromium: Browser, fragment: str) -> None:
    """Change the address of the page as a link in it does."""
    chromium.value(
        "new Promise((done) => { addEventListener('hashchange', done, {once: true});"
        f" location.hash = {json.dumps(fragment)}; }}).then(() => 0)"
    )
    chromium.wait("document.getElementById('viewer').dataset.state === 'ready'")


def texts(chromium: Browser, selector: str) -> list[str]:
    found: list[str] = chromium.value(
        f"[...document.querySelectorAll({selector!r})].map((each) => each.textContent)"
    )
    return found


def change(chromium: Browser, name: str, value: object, event: str = "input") -> None:
    """Set a control of the page as a user does."""
    key = "checked" if isinstance(value, bool) else "value"
    chromium.value(
        f"(() => {{ const e = document.getElementById({name!r}); e.{key} = {json.dumps(value)};"
        f" e.dispatchEvent(new Event({event!r}, {{bubbles: true}})); }})()"
    )


def test_the_page_asks_for_nothing_and_breaks_no_rule(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-01")
    chromium.press("j", "j", "v")
    assert chromium.requests == [page.as_uri()]
    assert chromium.value("performance.getEntriesByType('resource').length") == 0
    assert chromium.complaints == []
    assert chromium.value("document.querySelectorAll('main b, main i').length") == 0


def test_the_look_at_rules_sees_what_is_refused(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.value("document.body.append(Object.assign(new Image(), {src: 'https://a.test/b'}))")
    chromium.value("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x')")
    chromium.value("new Promise((done) => setTimeout(done, 100))")
    for rule in ("img-src", "style-src"):
        assert any("Content Security Policy" in e and rule in e for e in chromium.complaints)


@every_case
def test_the_readout_is_what_nibabel_reads(chromium: Browser, page: Path, name: str) -> None:
    made = CASES[name]
    picks = np.random.default_rng(7).integers(0, made.shape, (3, 3)).tolist()
    inside = [n // 3 for n in made.shape]
    look(chromium, page, f"case={name}")
    for at in (*picks, [0, 0, 0], [n - 1 for n in made.shape], inside):
        go(chromium, f"case={name}&ijk={','.join(map(str, at))}")
        ijk = [int(each) for each in chromium.text("viewer-ijk").split(", ")]
        off = [abs(a - b) for a, b in zip(ijk, at, strict=True)]
        assert all(d < s for d, s in zip(off, made.step, strict=True))
        assert all(n % s == 0 for n, s in zip(ijk, made.step, strict=True))
        millimetres = [float(each) for each in chromium.text("viewer-mm").split(", ")]
        np.testing.assert_allclose(millimetres, (made.affine @ [*ijk, 1])[:3], atol=0.051)
        value = float(chromium.text("viewer-value").removeprefix("about "))
        is_whole = made.kind != "float32"
        assert chromium.text("viewer-value").startswith("about ") != is_whole
        assert value == pytest.approx(made.image[tuple(ijk)], abs=0 if is_whole else 0.01)
        label = int(made.labels[tuple(ijk)])
        assert chromium.text("viewer-label") == f"{label} {NAMES.get(label, 'background')}"
    assert chromium.complaints == []


def pixels(chromium: Browser, plane: str) -> Any:
    """Return the picture of a plane, (height, width, 3)."""
    width, height, flat = chromium.value(
        f"(() => {{ const c = document.querySelector('canvas[data-plane={plane}]');"
        "return [c.width, c.height, btoa([...c.getContext('2d').getImageData(0, 0, c.width,"
        " c.height).data].map((n) => String.fromCharCode(n)).join(''))]; })()"
    )
    found = np.frombuffer(base64.b64decode(flat), np.uint8).reshape(height, width, 4)
    return found[..., :3].astype(int)


def at_voxels(picture: Any, shape: tuple[int, int]) -> Any:
    """Return the colour in the middle of each voxel of a picture, (rows, columns, 3)."""
    rows, columns = (
        ((np.arange(n) + 0.5) * size / n).astype(int)
        for n, size in zip(shape, picture.shape, strict=False)
    )
    return picture[np.ix_(rows, columns)]


def expected(made: Made, volume: Any, plane: str, ijk: list[int]) -> tuple[Any, Any]:
    """Return a plane of a volume by nibabel: seen from the feet or from the left."""
    thin = tuple(slice(None, None, s) for s in made.step)
    marks = np.zeros(made.shape, bool)
    marks[tuple(ijk)] = True
    across, down, through = PLANES[plane]
    found = []
    for values in (volume, marks):
        grid = nib.Nifti1Image(values[thin].astype(np.float64), made.affine)
        canonical = nib.as_closest_canonical(grid).get_fdata()
        found.append(np.flip(canonical.transpose(down, across, through), (0, 1)))
    row, column, index = np.argwhere(found[1])[0]
    return found[0][:, :, index], (row, column)


@every_case
def test_planes_are_drawn_as_they_lie(chromium: Browser, page: Path, name: str) -> None:
    made = CASES[name]
    at = [n // 2 - n // 2 % s for n, s in zip(made.shape, made.step, strict=True)]
    look(chromium, page, f"case={name}&ijk={','.join(map(str, at))}")
    change(chromium, "viewer-opacity", "0")
    for plane in PLANES:
        check_plane(chromium, made, plane, at)


def check_plane(chromium: Browser, made: Made, plane: str, at: list[int]) -> None:
    """Compare a drawn plane with the volume as nibabel turns it, and its letters and sides."""
    low, high = (float(chromium.value(f"document.getElementById('viewer-{e}').value"))
                 for e in ("low", "high"))  # fmt: skip
    values, (row, column) = expected(made, made.image, plane, at)
    picture = at_voxels(pixels(chromium, plane), values.shape)
    grey = np.clip((values - low) * 255 / (high - low), 0, 255)
    off_cross = np.ones(values.shape, bool)
    off_cross[row], off_cross[:, column] = False, False
    difference = np.abs(picture - grey[..., None])[off_cross]
    assert difference.max() <= 1.5
    across, down, _ = PLANES[plane]
    ends = texts(chromium, f"figure:has([data-plane={plane}]) .end")
    assert ends == [LETTERS[across][0], LETTERS[down][0], LETTERS[across][1], LETTERS[down][1]]
    height, width = pixels(chromium, plane).shape[:2]
    grid = nib.as_closest_canonical(nib.Nifti1Image(made.labels, made.affine))
    lengths = grid.shape * nib.affines.voxel_sizes(grid.affine)
    assert width / height == pytest.approx(lengths[across] / lengths[down], rel=0.03)


@pytest.mark.parametrize("name", ["sub-01", "sub-03", "sub-04"])
def test_a_click_goes_where_the_letters_say(chromium: Browser, page: Path, name: str) -> None:
    look(chromium, page, f"case={name}")
    for plane, (across, down, _) in PLANES.items():
        box = chromium.value(
            f"(() => {{ const c = document.querySelector('canvas[data-plane={plane}]');"
            "c.scrollIntoView(); const b = c.getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]; })()"
        )
        left, top, width, height = box
        worlds = []
        for x, y in ((0.1, 0.1), (0.9, 0.9)):
            chromium.click(left + x * width, top + y * height)
            worlds.append([float(each) for each in chromium.text("viewer-mm").split(", ")])
        assert worlds[0][across] > worlds[1][across]  # from R or A to L or P
        assert worlds[0][down] > worlds[1][down]


def test_wheel_and_arrows_move_by_a_voxel(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-01&ijk=10,12,8")
    chromium.value("document.querySelector('canvas[data-plane=axial]').focus()")
    chromium.press("ArrowRight", "ArrowDown", "ArrowDown", "PageDown")
    assert chromium.text("viewer-ijk") == "9, 10, 7"
    box = chromium.value("(() => { const b = document.activeElement.getBoundingClientRect();"
                         "return [b.left + 9, b.top + 9]; })()")  # fmt: skip
    chromium.mouse("mouseWheel", *box, deltaX=0, deltaY=-120)
    chromium.wait("document.getElementById('viewer-ijk').textContent === '9, 10, 8'")
    assert "ijk=9,10,8" in chromium.value("location.hash")


def test_labels_have_their_colours_and_switches(chromium: Browser, page: Path) -> None:
    made = CASES["sub-03"]
    at = [13, 9, 4]
    look(chromium, page, "case=sub-03&ijk=13,9,4")
    values, (row, column) = expected(made, made.labels, "sagittal", at)
    shown = np.ones(values.shape, bool)
    shown[row], shown[:, column] = False, False

    def painted(value: int) -> Any:
        picture = at_voxels(pixels(chromium, "sagittal"), values.shape)
        return (picture == COLOURS[value]).all(axis=-1) & shown

    change(chromium, "viewer-opacity", "100")
    for value in NAMES:
        np.testing.assert_array_equal(painted(value), (values == value) & shown)
    change(chromium, "viewer-outline", value=True)
    for value in NAMES:
        mask = np.pad(values == value, 1)
        inner = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        edge = (values == value) & ~inner
        assert edge.sum() < (values == value).sum()
        np.testing.assert_array_equal(painted(value), edge & shown)
    assert texts(chromium, "#viewer-labels label") == [f"{v} {n}" for v, n in NAMES.items()]
    chromium.value("document.querySelector('#viewer-labels input[data-label=\"2\"]').click()")
    assert not painted(2).any()
    assert painted(1).any()


def test_labels_of_large_values_are_exact(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-08&ijk=3,4,2")
    change(chromium, "viewer-opacity", "100")
    assert chromium.text("viewer-label") == "1 left <b>part</b>"
    go(chromium, "case=sub-08&ijk=6,4,2")
    assert chromium.text("viewer-label") == "100000 no name (100000)"
    switches = texts(chromium, "#viewer-labels label")
    assert switches == ["1 left <b>part</b>", "100000 no name (100000)"]
    go(chromium, "case=sub-08&ijk=0,0,2")
    shown = at_voxels(pixels(chromium, "axial"), SERIES.shape[1::-1])[::-1, ::-1].swapaxes(0, 1)
    painted = shown.max(axis=-1) > 0
    np.testing.assert_array_equal(painted[1:, 1:], LARGE[1:, 1:, 2] > 0)
    assert (shown[LARGE[..., 2] == 1] == COLOURS[1]).all()
    assert chromium.text("viewer-value") == "no image"


def test_another_contrast_shows_its_own_values(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-02&ijk=3,4,5&contrast=T2w")
    value = chromium.text("viewer-value")
    assert value == str(int(CASES["sub-02"].image[::-1][3, 4, 5]))


def test_a_volume_that_was_thinned_out_says_so(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-05")
    sentence = "The viewer has not all voxels, but every 2nd along i, 1st along j, 1st along k."
    assert sentence in chromium.text("viewer-note")
    look(chromium, page, "case=sub-01")
    assert chromium.text("viewer-note") == ""


def test_of_a_series_the_first_volume_is_shown(chromium: Browser, page: Path) -> None:
    look(chromium, page, "case=sub-07&ijk=3,5,2")
    assert chromium.text("viewer-value") == str(SERIES[3, 5, 2, 0])
    assert chromium.text("viewer-label") == "no segmentation"
    assert "the first is shown" in chromium.text("viewer-note")


def test_a_case_that_cannot_be_shown_says_why(chromium: Browser, page: Path) -> None:
    chromium.open(page, "case=sub-06")
    chromium.wait("document.getElementById('viewer').dataset.state === 'failed'")
    assert chromium.text("viewer-note").startswith("This case cannot be shown: ")
    assert chromium.complaints == []
    go(chromium, "case=sub-02")
    assert chromium.text("viewer-case") == "sub-02"


@pytest.mark.parametrize("fragment", ["case=nobody", "gallery", "", "case=__proto__&ijk=1,1,1"])
def test_an_address_of_no_case_opens_no_viewer(
    chromium: Browser, page: Path, fragment: str
) -> None:
    chromium.open(page, fragment)
    assert chromium.value("document.getElementById('viewer').hidden")
    assert chromium.complaints == []


@pytest.mark.parametrize("asked", ["99,99,99", "-5,0,1e9", "a,b,c", "1,2"])
def test_an_index_outside_of_the_grid_stays_in_it(
    chromium: Browser, page: Path, asked: str
) -> None:
    look(chromium, page, f"case=sub-01&ijk={asked}")
    ijk = [int(each) for each in chromium.text("viewer-ijk").split(", ")]
    assert all(0 <= n < size for n, size in zip(ijk, CASES["sub-01"].shape, strict=True))


# The gallery


def order(chromium: Browser) -> list[str]:
    found: list[str] = chromium.value(
        "[...document.querySelectorAll('.card')].map((each) => each.dataset.case)"
    )
    return found


def test_cards_are_sorted(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    assert order(chromium) == ["sub-05", "sub-03", "sub-01", "sub-02", "sub-04", *OTHERS]
    change(chromium, "gallery-order", "name", "change")
    assert order(chromium) == [*sorted(CASES), *OTHERS]
    chromium.press("j", "j", "f")
    change(chromium, "gallery-order", "rating", "change")
    assert order(chromium)[0] == "sub-02"
    chromium.value("localStorage.clear()")


def test_ratings_are_taken_by_keys_and_exported(
    chromium: Browser, page: Path, tmp_path: Path
) -> None:
    chromium.open(page)
    change(chromium, "gallery-order", "name", "change")
    chromium.press("j", "p", "j", "f", "c")
    chromium.call("Input.insertText", text="too\tdark, j k p f")
    chromium.press("Escape", "j", "p", "p", "k", "k", "k")
    assert chromium.text("gallery-counts").startswith("1 pass, 1 fail, ")
    current = chromium.value("document.querySelector('[aria-current]').dataset.case")
    assert current == "sub-01"
    rows = exported(chromium, tmp_path)
    assert rows[0] == "participant_id\tcase\trating\tcomment"
    assert rows[1:3] == ["sub-01\tsub-01\tpass\tn/a", "sub-02\tsub-02\tfail\ttoo dark, j k p f"]
    assert rows[3:] == [f"{name}\t{name}\tn/a\tn/a" for name in [*sorted(CASES)[2:], *OTHERS]]
    chromium.open(page)  # they are there when the page is opened again
    assert exported(chromium, tmp_path)[:3] == rows[:3]
    assert chromium.complaints == []
    chromium.value("localStorage.clear()")


@pytest.mark.parametrize(
    "stored",
    ["null", "[", "7", '"x"', '{"sub-01": null, "sub-02": {"rating": 3, "comment": {}}}', "[[]]"],
)
def test_damaged_ratings_are_as_none(
    chromium: Browser, page: Path, tmp_path: Path, stored: str
) -> None:
    chromium.open(page)
    key = "'bidsify ratings: ' + bidsify.data.key"
    chromium.value(f"localStorage.setItem({key}, {json.dumps(stored)})")
    chromium.open(page)
    assert chromium.complaints == []
    assert chromium.text("gallery-counts").startswith("0 pass, 0 fail, ")
    chromium.press("j", "p")
    rows = exported(chromium, tmp_path)
    assert [row.split("\t")[2] for row in rows].count("pass") == 1
    chromium.value("localStorage.clear()")


def exported(chromium: Browser, folder: Path) -> list[str]:
    path = folder / "desc-qc_ratings.tsv"
    path.unlink(missing_ok=True)
    chromium.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    chromium.value("document.getElementById('gallery-download').click()")
    for _ in range(200):
        if path.is_file():
            break
        chromium.value("new Promise((done) => setTimeout(done, 20))")
    return path.read_text("utf-8").splitlines()


def test_contours_can_be_taken_off(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    visible = "getComputedStyle(document.querySelector('img.contours')).visibility"
    assert chromium.value(visible) == "visible"
    change(chromium, "gallery-contours", value=False, event="change")
    assert chromium.value(visible) == "hidden"


def test_niivue_shows_the_same_voxel(chromium: Browser, page: Path, tmp_path: Path) -> None:
    pytest.importorskip("ipyniivue")
    root = page.parent / "tree"
    target = tmp_path / "niivue.html"
    target.write_bytes(report.report(survey(root), root, Looking("niivue")))
    look(chromium, target, "case=sub-08&ijk=6,4,2")
    assert chromium.text("viewer-label") == "100000 no name (100000)"
    change(chromium, "viewer-frame", "4")
    value = str(SERIES[6, 4, 2, 4])
    chromium.wait(f"document.getElementById('viewer-value').textContent === '{value}'")
    for name in ("sub-01", "sub-03", "sub-05"):
        made = CASES[name]
        at = [n // 3 - n // 3 % s for n, s in zip(made.shape, made.step, strict=True)]
        go(chromium, f"case={name}&ijk={','.join(map(str, at))}")
        assert chromium.text("viewer-ijk") == ", ".join(map(str, at))
        assert float(chromium.text("viewer-value")) == made.image[tuple(at)]
        label = int(made.labels[tuple(at)])
        assert chromium.text("viewer-label") == f"{label} {NAMES.get(label, 'background')}"
    go(chromium, "case=sub-07&ijk=3,5,2")
    assert chromium.text("viewer-label") == "no segmentation"
    assert [each for each in chromium.requests if not re.match("file:|blob:", each)] == []
    assert chromium.complaints == []
