"""PNG masks: grey pictures on the grid of their series; all others refused by name."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from builders import OBLIQUE, labels, png, png_chunk
from hypothesis import given
from hypothesis import strategies as st

from bidsify.errors import SourceError
from bidsify.readers import png as reader
from bidsify.readers.dicom import Grid

ROWS, COLUMNS = 5, 3
PICTURES = labels((4, ROWS, COLUMNS), "uint8", 255)


@given(st.permutations(range(4)))
def test_pictures_follow_the_order_of_the_slices(order: list[int]) -> None:
    found = reader.volume([(f"{n}", png(p)) for n, p in enumerate(PICTURES)], grid(order))
    assert found.data.shape == (COLUMNS, ROWS, 4)
    for k, n in enumerate(order):
        np.testing.assert_array_equal(found.data[:, :, k], PICTURES[n].T)
    np.testing.assert_array_equal(found.affine, OBLIQUE)
    assert found.in_mm


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16"])
def test_bits_and_greys_keep_their_values(dtype: str) -> None:
    top = {"bool": 1, "uint8": 255, "uint16": 65535}[dtype]
    rows = labels((ROWS, COLUMNS), "uint16", top).astype(dtype)
    found = reader.volume([("x", png(rows))], grid([0]))
    np.testing.assert_array_equal(found.data[:, :, 0], rows.T)
    assert int(found.data.max()) == top


def test_interlaced_pictures_are_read() -> None:
    rows = PICTURES[0]
    content = raw_png(rows, interlace=1, scan=adam7(rows))
    np.testing.assert_array_equal(reader.volume([("x", content)], grid([0])).data[:, :, 0], rows.T)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_colours_and_palettes_are_refused(mode: str) -> None:
    with pytest.raises(
        SourceError, match=f"^a/x: a picture of mode {mode}; masks are grey or one bit$"
    ):
        reader.volume([("a/x", png(PICTURES[0], mode))], grid([0]))


def test_another_size_is_refused() -> None:
    pictures = [("a", png(PICTURES[0])), ("b", png(PICTURES[1].T.copy()))]
    with pytest.raises(SourceError, match=r"^b: \(5, 3\) pixels, but its slice has \(3, 5\)$"):
        reader.volume(pictures, grid([0, 1]))


@pytest.mark.parametrize("content", [b"x", b"\xff\xd8\xff\xe0JFIF", b"\0" * 200, b"GIF89a" * 9])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a/x: not a readable PNG picture .*download it again$"):
        reader.volume([("a/x", content)], grid([0]))


def test_a_picture_that_is_cut_is_never_read_as_another() -> None:
    content = png(PICTURES[0])
    for length in range(1, len(content)):
        try:
            found = reader.volume([("a/x", content[:length])], grid([0]))
        except SourceError as error:  # noqa: PERF203
            assert str(error).startswith("a/x: not a readable PNG")  # noqa: PT017
        else:  # what is missing are check sums, no pixels
            np.testing.assert_array_equal(found.data[:, :, 0], PICTURES[0].T)


@given(st.integers(8, 80), st.integers(1, 255))
def test_a_damaged_picture_is_read_or_refused(place: int, flip: int) -> None:
    content = bytearray(png(PICTURES[0]))
    content[place % len(content)] ^= flip
    try:
        found = reader.volume([("a/x", bytes(content))], grid([0]))
    except SourceError as error:
        assert str(error).startswith("a/x: ")  # noqa: PT017
    else:
        assert found.data.shape == (COLUMNS, ROWS, 1)


@pytest.mark.parametrize(
    "size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (0, 3), (14_000, 14_000)]
)
def test_a_picture_that_claims_to_be_huge_is_refused(size: tuple[int, int]) -> None:
    content = raw_png(PICTURES[0], size=size)
    with pytest.raises(SourceError, match=r"^a/x: "):
        reader.volume([("a/x", content)], grid([0]))


def test_a_text_that_swells_is_refused_or_left_unread() -> None:
    bomb = png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(80 << 20)))
    plain = png(PICTURES[0])
    content = plain[:33] + bomb + plain[33:]
    try:
        found = reader.volume([("a/x", content)], grid([0]))
    except SourceError as error:
        assert str(error).startswith("a/x: ")  # noqa: PT017
    else:
        np.testing.assert_array_equal(found.data[:, :, 0], PICTURES[0].T)


# --- stacks of slices -----------------------------------------------------------------------------


def test_pictures_of_one_kind_are_stacked() -> None:
    found = reader.stack([(f"{n}", png(p)) for n, p in enumerate(PICTURES)])
    np.testing.assert_array_equal(found, PICTURES.transpose(2, 1, 0))
    colours = labels((2, ROWS, COLUMNS, 3), "uint8", 255)
    found = reader.stack([(f"{n}", png(p)) for n, p in enumerate(colours)])
    np.testing.assert_array_equal(found[:, :, :, 0], colours.transpose(2, 1, 0, 3))


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (PICTURES[1].astype("uint16"), r"b: \(5, 3\) pixels and colours, but \(5, 3\) in a"),
        (PICTURES[1].T.copy(), r"b: \(3, 5\) pixels and colours, but \(5, 3\) in a"),
    ],
)
def test_pictures_of_several_kinds_or_sizes_are_refused(other: Any, reason: str) -> None:
    with pytest.raises(SourceError, match=f"^{reason}$"):
        reader.stack([("a", png(PICTURES[0])), ("b", png(other))])


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (6, 4)])
def test_deep_colours_are_refused_not_cut(kind: int, channels: int) -> None:
    """What has no colour is opaque: nothing shines through."""
    rows = np.full((ROWS, COLUMNS, channels), 65535, ">u2")
    rows[..., 0] = 300
    content = raw_png(rows, depth=16, kind=kind, size=(COLUMNS, ROWS))
    with pytest.raises(SourceError, match=r"^a/x: .* of 16-bit colours, which no slice is$"):
        reader.stack([("a/x", content)])
    shallow = raw_png(rows.astype("u1"), kind=kind, size=(COLUMNS, ROWS))
    assert reader.stack([("a/x", shallow)]).shape == (COLUMNS, ROWS, 1, 1, 3)


def grid(order: list[int]) -> Grid:
    return Grid(tuple(order), (COLUMNS, ROWS, len(order)), OBLIQUE)


def raw_png(
    rows: Any,
    size: tuple[int, int] | None = None,
    interlace: int = 0,
    scan: bytes | None = None,
    *,
    depth: int = 8,
    kind: int = 0,
) -> bytes:
    """A picture, grey if not of another ``kind``, with a header that may claim anything."""
    width, height = size or rows.shape[::-1]
    lines = b"".join(b"\0" + line.tobytes() for line in rows) if scan is None else scan
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def adam7(rows: Any) -> bytes:
    """The scan lines of the seven passes (PNG specification, section 8.2)."""
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2))
    lines = [rows[a::b, c::d] for a, b, c, d in (*passes, (1, 2, 0, 1))]
    return b"".join(b"\0" + line.tobytes() for part in lines if part.size for line in part)
