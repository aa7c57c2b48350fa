"""The page of a subject: safe to open, the same each time, and its pictures show what they say."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from bidsify.preprocessing import overlays
from bidsify.preprocessing.overlays import View
from bidsify.preprocessing.quality import Match, Page, Shown, to_html
from bidsify.preprocessing.summary import Row, Stages
from bidsify.volume import Array

HOSTILE = "\"><script>alert('1')</script>&\u202e\n<img src=http://x.y/z onerror=a>"


def ring(at: tuple[int, int], size: int = 128) -> Array:
    i, j = np.indices((size, size))
    far = np.hypot(i - at[0], j - at[1])
    found: Array = (far > 14) & (far < 24)
    return found


def view(at: tuple[int, int], size: int = 128, seed: int = 0) -> View:
    noise = np.random.default_rng(seed).integers(0, 60, (size, size))
    mask = ring(at, size)
    return View((noise + 150 * mask).astype(np.uint8), mask)


def shown(number: int = 0, sequence: str = "LGE", size: int = 128) -> Shown:
    middle = size // 2
    numbers = Row(
        "sub-1",
        "n/a",
        sequence,
        number,
        number + 3,
        distance_mm=1.26,
        dice=Stages(0.512, 0.951, 0.987),
        hausdorff_mm=Stages(11.0, 3.1, 1.0),
        scar_dice=Stages(0.4, 0.8, 0.9),
        folds=0.0,
        method="masks",
        masks="labels",
    )
    at = (middle, middle)
    return Shown(numbers, view(at, size), view((middle + 9, middle), size, 1), view(at, size, 2))


def page(rows: tuple[Shown, ...] = (), **changes: object) -> Page:
    matches = (
        Match("bSSFP", "a.dcm", 0, 0, 0.0),
        Match("LGE", "b.dcm", 3, 0, 1.26),
        Match("LGE", "c.dcm", 4, note="farther than 8 mm from any slice"),
    )
    made = Page("1", "bSSFP", rows or (shown(),), matches)
    return replace(made, **changes)  # type: ignore[arg-type]


class Elements(HTMLParser):
    """The elements of a page, and whether each one is closed."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(content.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def pictures(content: bytes) -> list[Array]:
    """Return the pictures as (I, J, 3)."""
    found = []
    for tag, attributes in Elements(content).found:
        if tag == "img":
            kind, data = (attributes["src"] or "").split(",", 1)
            assert kind == "data:image/png;base64"
            image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
            found.append(np.asarray(image.convert("RGB")).transpose(1, 0, 2))
    return found


# -------------------------------------------------------------------------------- safe to open


def test_the_policy_comes_before_all_that_it_governs() -> None:
    elements = Elements(to_html(page())).found
    names = [tag for tag, _ in elements]
    assert names[:4] == ["html", "head", "meta", "meta"]
    assert elements[2][1] == {"charset": "utf-8"}
    assert elements[3][1] == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    }


def test_the_page_needs_nothing_else() -> None:
    content = to_html(page())
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "span"}
    allowed |= {"table", "tr", "th", "td", "img", "br"}
    elements = Elements(content).found
    assert {tag for tag, _ in elements} <= allowed
    assert b"http:" not in content
    assert b"https:" not in content
    assert b"url(" not in content
    keys = {key for _, attributes in elements for key in attributes}
    assert not {key for key in keys if key.startswith("on")} | keys & {"href", "srcset"}


def test_no_text_of_strangers_is_markup() -> None:
    row = shown()
    numbers = replace(row.numbers, subject=HOSTILE, sequence=HOSTILE, method=HOSTILE, masks=HOSTILE)
    hostile = Page(
        HOSTILE,
        HOSTILE,
        (replace(row, numbers=numbers),),
        (Match(HOSTILE, HOSTILE, 0, None, None, HOSTILE),),
        (HOSTILE,),
    )
    plain = Page("a", "a", (row,), (Match("a", "a", 0, None, None, "a"),), ("a",))
    content = to_html(hostile)
    found, expected = (Elements(each) for each in (content, to_html(plain)))
    assert [tag for tag, _ in found.found] == [tag for tag, _ in expected.found]
    assert [{*each} for _, each in found.found] == [{*each} for _, each in expected.found]
    assert b"<script" not in content
    assert "\u202e" not in content.decode()
    assert "alert('1')" in found.text


def test_the_same_values_give_the_same_bytes() -> None:
    assert to_html(page()) == to_html(page())
    rows = (shown(0), shown(0, "T2w"), shown(1))
    assert to_html(page(rows)) == to_html(page(rows[::-1]))


def test_nothing_of_the_machine_is_in_a_picture() -> None:
    data = overlays.checkerboard(view((64, 64)), view((64, 64)))
    assert set(re.findall(rb"(?:IHDR|PLTE|IDAT|IEND|tEXt|iTXt|tIME|pHYs)", data)) == {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
    }


# ------------------------------------------------------------------------------ what it shows


def test_numbers_matches_and_drops_are_there() -> None:
    text = Elements(to_html(page(notes=("no masks of T2w",)))).text
    assert "Dice: 0.512 → 0.951 → 0.987" in text
    assert "Hausdorff (mm): 11.0 → 3.1 → 1.0" in text
    assert "Slices of the sources kept: 2, dropped: 1" in text
    assert "LGE c.dcm 4 dropped n/a farther than 8 mm from any slice" in text
    assert "no masks of T2w" in text
    assert "worse" not in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"folds": 0.00123}, "Folds: 0.123 %"),
        ({"folds": None}, "Folds: n/a"),
        ({"dice": Stages(0.9, 0.95, 0.8)}, "0.800 worse than before"),
        ({"dice": Stages(0.9, 0.8)}, "n/a worse than before"),
        ({"scar_dice": Stages(0.9, 0.95, 0.8)}, "Scar Dice: 0.900 → 0.950 → 0.800 worse"),
        ({"dice": Stages()}, "Dice: n/a → n/a → n/a"),
    ],
)
def test_what_went_wrong_is_pointed_out(change: dict[str, object], sentence: str) -> None:
    row = shown()
    row = replace(row, numbers=replace(row.numbers, **change))  # type: ignore[arg-type]
    assert sentence in Elements(to_html(page((row,)))).text


def test_each_row_has_four_pictures() -> None:
    found = pictures(to_html(page((shown(0), shown(1)))))
    assert [each.shape for each in found] == [(128, 128, 3)] * 8


def test_tiles_come_from_both_in_turn() -> None:
    row = shown()
    tiles, _, _, _ = pictures(to_html(page((row,))))
    for part, source in ((tiles[:16, :16], row.fixed), (tiles[16:32, :16], row.before)):
        start = 0 if source is row.fixed else 16
        given = source.image[start : start + 16, :16].astype(int)
        assert np.abs(part[:, :, 0].astype(int) - given).max() <= 9


def test_outlines_have_their_colours_at_their_places() -> None:
    row = shown()
    _, _, before, after = pictures(to_html(page((row,))))
    assert tuple(before[64 + 15, 64]) == overlays.FIXED  # the inner border of the fixed ring
    assert tuple(before[64 + 9 + 15, 64]) == overlays.MOVING
    assert tuple(after[64 + 15, 64]) == overlays.BOTH
    colours = {tuple(pixel) for pixel in after.reshape(-1, 3)}
    assert overlays.FIXED not in colours
    assert overlays.MOVING not in colours


def test_slices_without_masks_are_shown_without_outlines() -> None:
    row = shown()
    bare = Shown(row.numbers, *(View(each.image) for each in (row.fixed, row.before, row.after)))
    _, _, _, after = pictures(to_html(page((bare,))))
    assert np.ptp(after.astype(int), axis=2).max() == 0


@pytest.mark.parametrize("at", [(0, 0), (30, 170), (223, 100)])
def test_large_slices_are_cropped_around_the_mask(at: tuple[int, int]) -> None:
    row = Shown(shown().numbers, view(at, 224), view(at, 224), view(at, 224))
    found = pictures(to_html(page((row,))))
    assert [each.shape for each in found] == [(128, 128, 3)] * 4
    count = int(np.all(found[3] == overlays.BOTH, axis=2).sum())
    whole = Image.open(io.BytesIO(overlays.contours(row.fixed, row.after))).convert("RGB")
    assert count == int(np.all(np.asarray(whole) == overlays.BOTH, axis=2).sum())


def test_small_and_empty_slices_are_shown_as_they_are() -> None:
    small = View(np.zeros((20, 33), np.uint8), np.zeros((20, 33), bool))
    found = pictures(to_html(page((Shown(shown().numbers, small, small, small),))))
    assert [each.shape for each in found] == [(20, 33, 3)] * 4


def test_a_page_stays_small() -> None:
    """Of pure noise, which packs worst: a study of 10 slices and 2 sequences."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 128, 128)).astype(np.uint8)
    views = [View(each, ring((64, 64))) for each in noise]
    rows = tuple(
        Shown(shown(number, sequence).numbers, *views)
        for number in range(10)
        for sequence in ("LGE", "T2w")
    )
    assert len(to_html(page(rows))) < 1_500_000


def test_a_subject_of_which_nothing_was_kept_has_a_page() -> None:
    content = to_html(Page("1", "bSSFP", (), ()))
    assert "kept: 0, dropped: 0" in Elements(content).text
    assert "before n/a" in Elements(content).text
