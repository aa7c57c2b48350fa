"""Write what ``torch.save`` makes of a dict of tensors, without torch.

A zip of stored members, each at a multiple of 64 bytes: a pickle that names the storages, and the
storages.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping

import numpy as np

from .drawing import Array

_STORAGES = {"f4": "FloatStorage", "u1": "ByteStorage"}
_LOCAL_HEADER, _ALIGNMENT = 30, 64
_EPOCH = (1980, 1, 1, 0, 0, 0)


def torch_file(arrays: Mapping[str, Array], name: str) -> bytes:
    """Return the bytes of the file; arrays of float32 and uint8."""
    whole = {key: np.ascontiguousarray(data) for key, data in arrays.items()}
    members = {"data.pkl": _pickle(whole), "byteorder": b"little"}
    members |= {f"data/{n}": data.tobytes() for n, data in enumerate(whole.values())}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for member, content in {**members, "version": b"3\n"}.items():
            entry = zipfile.ZipInfo(f"{name}/{member}", _EPOCH)
            start = stream.tell() + _LOCAL_HEADER + len(entry.filename) + 4
            padding = -start % _ALIGNMENT
            entry.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
            archive.writestr(entry, content)
    return stream.getvalue()


def _pickle(arrays: Mapping[str, Array]) -> bytes:
    items = b"".join(_text(k) + _tensor(n, a) for n, (k, a) in enumerate(arrays.items()))
    return pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + b"(" + items + b"u."


def _tensor(number: int, data: Array) -> bytes:
    """Return the opcodes of one tensor: a call of torch with a storage that has a number."""
    storage = b"ctorch\n" + _STORAGES[data.dtype.str[1:]].encode() + b"\n"
    named = b"(" + _text("storage") + storage + _text(str(number)) + _text("cpu") + _int(data.size)
    strides = [step // data.itemsize for step in data.strides]
    sizes = (b"(" + b"".join(map(_int, numbers)) + b"t" for numbers in (data.shape, strides))
    hooks = b"ccollections\nOrderedDict\n)R"
    window = b"".join((named, b"tQ", _int(0), *sizes, pickle.NEWFALSE, hooks))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + window + b"tR"


def _text(value: str) -> bytes:
    return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()


def _int(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)
