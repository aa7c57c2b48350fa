"""Headers of TIFF and OME-TIFF files."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import pytest
import strategies  # noqa: F401  loads the profile of hypothesis
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bidsify.validation.files.tiff import HEAD, read_tiff

OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image>'
    "<Pixels {}/></Image></OME>"
)


def picture(description: str) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "TIFF", description=description)
    return stream.getvalue()[:HEAD]


def test_sizes_are_read() -> None:
    text = OME.format('PhysicalSizeX="0.5" PhysicalSizeXUnit="um" PhysicalSizeY="2"')
    tiff, ome = read_tiff(picture(text), is_ome=True)
    assert tiff == {"version": 42}
    assert ome is not None
    assert (ome["PhysicalSizeX"], ome["PhysicalSizeXUnit"], ome["PhysicalSizeY"]) == (0.5, "um", 2)
    assert math.isnan(ome["PhysicalSizeZ"])
    assert ome["PhysicalSizeYUnit"] is None


@pytest.mark.parametrize(("text", "expected"), [("10nm", 10), ("1,5", 1), (" 2e1x", 20)])
def test_a_size_is_the_number_that_its_text_starts_with(text: str, expected: float) -> None:
    _, ome = read_tiff(picture(OME.format(f'PhysicalSizeX="{text}"')), is_ome=True)
    assert ome is not None
    assert ome["PhysicalSizeX"] == expected


def test_the_document_is_read_only_where_it_is_asked_for() -> None:
    assert read_tiff(picture(OME.format("")), is_ome=False) == ({"version": 42}, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no XML", None),
        ("<OME>", None),
        ("<OME><Image><Pixels/></Image></OME>", {"version": 42}),
        ('<o:OME xmlns:o="x"><o:Image><o:Pixels Size="1"/></o:Image></o:OME>', {"version": 42}),
        ('<OME><Image><Pixels Size="1"/></Image><Image/></OME>', {"version": 42}),
        ("<Other/>", {"version": 42}),
        ("<OME/>", {"version": 42}),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + OME.format("")[21:], {"version": 42}),
    ],
)
def test_other_descriptions_give_no_sizes(text: str, expected: object) -> None:
    assert read_tiff(picture(text), is_ome=True) == (expected, None)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", None),
        (b"II", None),
        (b"PK\3\4", None),
        (b"II*\0", {"version": 42}),
        (b"MM\0*", {"version": 42}),
        (b"II+\0", {"version": 43}),
    ],
)
def test_the_version_is_in_four_bytes(head: bytes, expected: object) -> None:
    assert read_tiff(head, is_ome=False)[0] == expected


@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    tiff, sizes = read_tiff(start + rest, is_ome=True)
    assert tiff in (None, {"version": 43 if start == b"II+\0" else 42})
    assert sizes is None or (tiff is not None and isinstance(sizes, Mapping))
