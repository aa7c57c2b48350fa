"""The headers of TIFF and OME-TIFF files."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from ..values import leading_number

HEAD = 4096
_DESCRIPTION = 0x010E  # the tag ImageDescription, which holds the OME document
_CLASSIC = 42
_AXES = "XYZ"
_PIXELS = ["OME", "Image", "Pixels"]


def read_tiff(
    head: bytes, *, is_ome: bool
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return the version of a TIFF file and, where asked, the voxel size of its OME document."""
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 4:  # noqa: PLR2004  magic number and version
        return None, None
    version = struct.unpack_from(f"{order}H", head, 2)[0]
    if not is_ome:
        return {"version": version}, None
    try:
        text = _description(head, order, 12 if version == _CLASSIC else 20)
        return {"version": version}, _sizes(text)
    except (struct.error, ValueError):
        return None, None


def _description(head: bytes, order: str, step: int) -> str:
    """Find the image description, where it lies in the first bytes of the file."""
    start = struct.unpack_from(f"{order}I", head, 4)[0]
    count = struct.unpack_from(f"{order}H", head, start)[0]
    for i in range(count):
        tag, _kind, size, at = struct.unpack_from(f"{order}HHII", head, start + 2 + i * step)
        if tag == _DESCRIPTION:
            return head[at : max(at + size - 1, 0)].decode("utf-8", "replace")
    return ""


def _sizes(text: str) -> Mapping[str, Any] | None:
    """Read ``PhysicalSizeX`` and its like from an OME document; nothing of it is executed.

    None where it describes several images, or writes its names with a prefix: the official
    validator finds no sizes there either.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no entity is ever expanded
        return None
    elements = _elements(text)
    pixels = next((each for path, each in elements if path == _PIXELS), None)
    if not pixels or sum(path == _PIXELS[:-1] for path, _ in elements) > 1:
        return None
    sizes: dict[str, Any] = {}
    for axis in _AXES:
        sizes[f"PhysicalSize{axis}"] = leading_number(pixels.get(f"PhysicalSize{axis}", ""))
        sizes[f"PhysicalSize{axis}Unit"] = pixels.get(f"PhysicalSize{axis}Unit")
    return sizes


def _elements(text: str) -> list[tuple[list[str], dict[str, str]]]:
    """List the elements of a document: the names from the root down to it, and its attributes."""
    from xml.parsers import expat  # noqa: PLC0415  few datasets have such files

    found: list[tuple[list[str], dict[str, str]]] = []
    names: list[str] = []

    def enter(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        found.append((names.copy(), attributes))

    parser = expat.ParserCreate()
    parser.StartElementHandler = enter
    parser.EndElementHandler = lambda _name: names.pop()
    try:
        parser.Parse(text, True)  # noqa: FBT003  the whole document
    except expat.ExpatError as error:
        msg = "not XML"
        raise ValueError(msg) from error
    return found
