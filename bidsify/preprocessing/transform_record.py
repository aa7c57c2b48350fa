"""The record of how an output volume maps to the scanner, as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from .. import text_files
from ..errors import SourceError
from ..volume import Array
from .transforms import Record, SliceMap, extent, solid

#: Said in each record, so that the file can be read without this program.
DESCRIPTION = (
    "Voxel (i, j) of slice k of the volume lies at x = (i, j) + Offset on the normalised grid of "
    "1 mm pixels. It holds the scanner position Plane @ Frame @ Affine @ (x + u(x), 1), in RAS mm. "
    "u is what a non-rigid step did; Displacement has its means along i and j and its largest "
    "length, in pixels. DisplacementFile has for each voxel that position less Grid @ "
    "(i, j, k, 1), in LPS mm, as ITK applies it; where it is null, both are the same."
)
_MAX_CONDITION = 1e12
_DIGITS = 6
#: The matrices of a slice, and their keys.
_MATRICES = {"affine": "Affine", "frame": "Frame", "plane": "Plane"}


def to_json(record: Record) -> str:
    """Format a record, all numbers exactly; the displacements are a file of their own."""
    slices = [
        {
            "Source": one.source,
            "SourceSlice": one.source_slice,
            "Offset": [int(number) for number in one.offset],
            "Displacement": [
                round(number, _DIGITS) for number in one.extent or extent(one.displacement)
            ],
            **{key: np.asarray(getattr(one, name)).tolist() for name, key in _MATRICES.items()},
        }
        for one in record.slices
    ]
    return text_files.to_json(
        {
            "Description": DESCRIPTION,
            "DisplacementFile": record.displacement_file,
            "Grid": np.asarray(record.grid).tolist(),
            "Interpolation": dict(record.interpolation),
            "Sequence": record.sequence,
            "Shape": list(record.shape),
            "Slices": slices,
        }
    )


def from_json(text: str | bytes, path: str) -> Record:
    """Read a record; its displacements are added by ``itk.with_displacements``.

    Raises:
        SourceError: Not a record of this program; ``path`` is what the message names.
    """
    try:
        return _record(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = f"{path}: not a record of transforms ({error}); run the preprocessing again"
        raise SourceError(message) from error


def _record(document: Any) -> Record:
    rows, columns = (int(number) for number in _numbers(document, "Shape", (2,), kinds="i"))
    record = Record(
        sequence=_text(document, "Sequence"),
        shape=(rows, columns),
        grid=_numbers(document, "Grid", (4, 4)),
        slices=tuple(_slice(entry) for entry in document["Slices"]),
        interpolation={key: _text(document["Interpolation"], key) for key in ("Image", "Labels")},
        displacement_file=None
        if document["DisplacementFile"] is None
        else _text(document, "DisplacementFile"),
    )
    record = replace(record, is_loaded=record.displacement_file is None)
    if not record.slices:
        message = "it has no slices"
        raise ValueError(message)
    for number, one in enumerate(record.slices):
        for row in (matrix[-1] for matrix in (one.affine, one.frame, record.grid)):
            if np.allclose(row, np.eye(len(row))[-1]):
                continue
            message = f"a matrix of slice {number} does not end in 0, ..., 1"
            raise ValueError(message)
        with np.errstate(all="ignore"):
            matrix = solid(record, number)
        if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > _MAX_CONDITION:
            message = f"the matrices of slice {number} have no inverse"
            raise ValueError(message)
    return record


def _slice(entry: Any) -> SliceMap:
    i, j = (int(number) for number in _numbers(entry, "Offset", (2,), kinds="i"))
    return SliceMap(
        source=_text(entry, "Source"),
        source_slice=int(_numbers(entry, "SourceSlice", (), kinds="i")),
        offset=(i, j),
        extent=tuple(map(float, _numbers(entry, "Displacement", (3,)))),
        **{name: _numbers(entry, key, (3, 3)) for name, key in _MATRICES.items()},
    )


def _text(document: Any, key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        message = f"{key} is {value!r}, expected a text"
        raise TypeError(message)
    return value


def _numbers(document: Any, key: str, shape: tuple[int, ...], kinds: str = "if") -> Array:
    found = np.asarray(document[key])
    if found.shape != shape or found.dtype.kind not in kinds or not np.isfinite(found).all():
        message = f"{key} is not {'x'.join(map(str, shape)) or 'one'} of numbers"
        raise ValueError(message)
    return found if kinds == "i" else found.astype(np.float64)
