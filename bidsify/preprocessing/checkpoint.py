"""Arrays and what they are, in one ``.npz`` file: read without executing or believing anything.

The reader knows beforehand which arrays there must be and how large they are, so a file can
neither name a class to load nor make the reader fill the memory. Any numpy reads the same file.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import SourceError
from ..volume import Array

Shape = tuple[int, ...]

#: Of a whole file, and of the JSON document in it, in bytes.
LARGEST, _LARGEST_HEADER = 2**22, 2**13
_TYPE = np.dtype("<f4")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,  # an array is missing
    NotImplementedError,  # a packing that zipfile does not know
    RecursionError,  # nested JSON
    RuntimeError,  # encrypted
    ValueError,  # also of JSON and text
)


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return the file: ``header`` as JSON text, and the arrays as float32.

    Equal content gives equal bytes.
    """
    text = json.dumps(header, sort_keys=True, allow_nan=False).encode()
    content = {name: np.ascontiguousarray(array, _TYPE) for name, array in arrays.items()}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, header=np.frombuffer(text, np.uint8), **content)
    return stream.getvalue()


def header_of(data: bytes, where: str) -> Mapping[str, Any]:
    """Return the JSON object of a file; ``where`` names it in errors.

    Raises:
        SourceError: It is not such a file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("header.npy") as stream:
            shape, packed = _described(stream)
            if packed != np.uint8 or len(shape) != 1 or not 0 <= shape[0] <= _LARGEST_HEADER:
                raise ValueError(shape)
            found = json.loads(_exactly(stream, shape[0]))
    except _BROKEN as error:
        raise _not_ours(where) from error
    if not isinstance(found, dict):
        raise _not_ours(where)
    return found


def arrays_of(data: bytes, shapes: Mapping[str, Shape], where: str) -> dict[str, Array]:
    """Return the arrays of the names and shapes asked for, float32; others are not looked at.

    Raises:
        SourceError: One is missing, has another shape or type, or has values that are no numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: _array(archive, name, shape, where) for name, shape in shapes.items()}
    except _BROKEN as error:
        raise _not_ours(where) from error


def _array(archive: zipfile.ZipFile, name: str, shape: Shape, where: str) -> Array:
    with archive.open(f"{name}.npy") as stream:
        found = _described(stream)
        if found != (shape, _TYPE):
            message = (
                f"{where}: {name} is {_said(found)}, not float32 of {shape}: "
                "these weights are of another network; train anew"
            )
            raise SourceError(message)
        data = _exactly(stream, int(np.prod(shape)) * _TYPE.itemsize)
    array = np.frombuffer(data, _TYPE).reshape(shape)
    if not np.isfinite(array).all():
        message = f"{where}: {name} has values that are no numbers: train anew"
        raise SourceError(message)
    return array.astype(np.float32)


def _described(stream: Any) -> tuple[Shape, np.dtype[Any]]:
    """Return the shape and type that an array claims, in the order of C."""
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(stream)
    shape, by_columns, packed = np.lib.format.read_array_header_1_0(stream)
    if by_columns and len(shape) > 1:
        raise ValueError(shape)
    return shape, packed


def _said(found: tuple[Shape, np.dtype[Any]]) -> str:
    shape, packed = found
    return f"{packed.name} of {shape}"[:60]


def _exactly(stream: Any, size: int) -> bytes:
    """Return the rest of a stream, which is of this size; the end is read for its checksum."""
    data: bytes = stream.read(size + 1)
    if len(data) != size:
        raise ValueError(size)
    return data


def _not_ours(where: str) -> SourceError:
    message = f"{where}: no weights that `bidsify preprocess` wrote, or a damaged file: train anew"
    return SourceError(message)
