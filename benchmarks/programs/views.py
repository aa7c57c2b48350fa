"""What the floor needs of .pt, DICOM and PNG files, and no more: for files that are as expected."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_DTYPES = {"FloatStorage": "<f4", "ByteStorage": "u1"}
_GROUPS = {"bone": "L1 L2 L3 L4 L5 S1", "disk": "D1 D2 D3 D4 D5", "shape": "all"}


def arrays(content: bytes) -> Mapping[str, Array]:
    """Return the tensors of a file of torch.save, as views of it."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            lengths = struct.unpack_from("<HH", content, entry.header_offset + 26)
            start = entry.header_offset + 30 + sum(lengths)
            members[entry.filename.partition("/")[2]] = (start, entry.file_size)
    start, size = members["data.pkl"]
    reader = _Unpickler(io.BytesIO(content[start : start + size]))
    reader.storages = {name: (content, *place) for name, place in members.items()}
    found: Mapping[str, Array] = reader.load()
    return found


class _Unpickler(pickle.Unpickler):
    """It imports what a file names: for files that one made oneself."""

    storages: Mapping[str, tuple[bytes, int, int]]

    def find_class(self, module: str, name: str) -> Any:
        if name == "_rebuild_tensor_v2":
            return lambda storage, _offset, size, *_: storage.reshape(size)
        return name if module == "torch" else dict

    def persistent_load(self, pid: Any) -> Array:
        _, kind, key, _, count = pid
        content, start, _ = self.storages[f"data/{key}"]
        return np.frombuffer(content, _DTYPES[kind], count, start)


def points(found: Mapping[str, Array]) -> bytes:
    """Return the table of landmarks."""
    text = _points(tuple((key, found[key].shape) for key in _GROUPS))
    numbers = np.concatenate([found[key].ravel() for key in _GROUPS]).tolist()
    return (text % tuple(numbers)).encode()


@cache
def _points(groups: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    rows = ["structure\tgroup\tpoint\tx\ty\n"]
    for key, shape in groups:
        for structure in _GROUPS[key].split():
            rows += (f"{structure}\t{key}\t{place}\t%.9g\t%.9g\n" for place in range(shape[-2]))
    return "".join(rows)


class Plane(NamedTuple):
    """A slice: stored pixels, what to add to them, and where it lies along z."""

    stored: Array
    intercept: int
    height: float


def plane(content: bytes, how: str) -> Plane:
    """Read a slice by its implicit, little-endian elements, or with pydicom."""
    if how == "pydicom":
        import pydicom

        one = pydicom.dcmread(io.BytesIO(content))
        height = float(one.ImagePositionPatient[2])
        return Plane(one.pixel_array, int(one.RescaleIntercept), height)
    found = dict(_elements(content))
    rows, columns = (int.from_bytes(found[0x0028, n], "little") for n in (0x10, 0x11))
    stored = np.frombuffer(found[0x7FE0, 0x10], "<u2").reshape(rows, columns)
    height = float(bytes(found[0x0020, 0x32]).split(b"\\")[2])
    return Plane(stored, int(bytes(found[0x0028, 0x1052])), height)


def _elements(content: bytes) -> Any:
    """Yield tag and value; the first group, which is explicit, is skipped."""
    at, view = 144 + int.from_bytes(content[140:144], "little"), memoryview(content)
    while at < len(content):
        group, element, size = struct.unpack_from("<HHI", content, at)
        yield (group, element), view[at + 8 : at + 8 + size]
        at += 8 + size


def mask(content: bytes) -> Array:
    """Decode a picture of one bit, as 0 and 1."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(content)))
