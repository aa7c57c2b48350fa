"""The headers of TIFF and OME-TIFF files."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

HEAD = 4096
_DESCRIPTION = 0x010E  # the tag ImageDescription, which holds the OME document
_CLASSIC = 42
_AXES = "XYZ"


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
    """Read ``PhysicalSizeX`` and its like from an OME document; nothing of it is executed."""
    from xml.etree.ElementTree import ParseError, XMLParser  # noqa: PLC0415  see below

    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no entity is ever expanded
        return None
    parser = XMLParser()  # noqa: S314
    try:
        parser.feed(text)
        root = parser.close()
    except ParseError as error:
        msg = "not XML"
        raise ValueError(msg) from error
    pixels = root.find("{*}Image/{*}Pixels")
    if root.tag.rpartition("}")[2] != "OME" or pixels is None:
        return None
    sizes: dict[str, Any] = {}
    for axis in _AXES:
        size = pixels.get(f"PhysicalSize{axis}")
        sizes[f"PhysicalSize{axis}"] = float(size) if size is not None else float("nan")
        sizes[f"PhysicalSize{axis}Unit"] = pixels.get(f"PhysicalSize{axis}Unit")
    return sizes
