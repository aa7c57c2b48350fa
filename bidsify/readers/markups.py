"""3D Slicer markups: lists of points in space, as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from ..errors import SourceError

Point = tuple[float, float, float]

#: Signs that turn the coordinate system of a file into RAS+.
_SIGNS = {"LPS": (-1, -1, 1), "RAS": (1, 1, 1), "1": (-1, -1, 1), "0": (1, 1, 1)}


def read(content: bytes, path: str) -> list[Point]:
    """Return the control points in the order of the file, RAS+, in millimetres.

    Raises:
        SourceError: Not one list of defined points in mm.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"{path}: not readable JSON ({error}); download it again"
        raise SourceError(msg) from error
    markups = document.get("markups") if isinstance(document, dict) else None
    if not isinstance(markups, list) or len(markups) != 1 or not isinstance(markups[0], dict):
        msg = f"{path}: not a 3D Slicer markups file with one list of points"
        raise SourceError(msg)
    (markup,) = markups
    signs = _SIGNS.get(str(markup.get("coordinateSystem", "LPS")))
    if signs is None or markup.get("coordinateUnits", "mm") != "mm":
        stated = (markup.get("coordinateSystem"), markup.get("coordinateUnits"))
        msg = f"{path}: coordinates are stated as {stated}; expected LPS or RAS in mm"
        raise SourceError(msg)
    points = markup.get("controlPoints")
    if not isinstance(points, list):
        msg = f"{path}: has no list of control points"
        raise SourceError(msg)
    return [_point(entry, signs, f"{path}: control point {n}") for n, entry in enumerate(points)]


def _point(entry: Any, signs: tuple[int, int, int], where: str) -> Point:
    position = entry.get("position") if isinstance(entry, dict) else None
    status = entry.get("positionStatus", "defined") if isinstance(entry, dict) else None
    if (
        status != "defined"
        or not isinstance(position, list)
        or len(position) != len(signs)
        or not all(_is_number(value) for value in position)
    ):
        msg = f"{where} has no defined position of three numbers"
        raise SourceError(msg)
    x, y, z = (sign * float(value) + 0.0 for sign, value in zip(signs, position, strict=True))
    return x, y, z


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False
