"""Read files of torch.save, and pickles of numpy arrays, without torch and without running them.

``load`` is the whole interface. Accepted are the zip format (torch 1.6 and later), the format
before it, and plain pickles of protocol 2 and later.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SourceError
from .rebuild import ADVICE, DAMAGED, MAX_LENGTH, Budget
from .storages import TORCH_DTYPES, Storage
from .stream import Stream
from .unpickle import Unpickler, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

# torch/serialization.py, MAGIC_NUMBER and PROTOCOL_VERSION
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_LOCAL_HEADER = 30  # PKWARE APPNOTE 4.3.7: the lengths of name and extra field are its last
_ENCRYPTED = 1
# What pickle, zipfile, struct and numpy raise on bytes that make no sense.
_UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)


def load(content: bytes, path: str) -> object:
    """Give dicts, lists, tuples, numbers, text and bytes with read-only numpy arrays in them.

    Sets stay sets; a torch.Size becomes a tuple, a torch.dtype or torch.device its name, an
    OrderedDict a dict, a bytearray bytes and a bfloat16 tensor a float32 array.

    Raises:
        SourceError: the file is damaged, or asks for anything else.
    """
    try:
        return plain(_read(content))
    except SourceError as error:
        msg = f"{path}: {error}"
        raise SourceError(msg) from None
    except _UNREADABLE as error:
        msg = f"{path}: the file is damaged ({type(error).__name__}); download it again"
        raise SourceError(msg) from error


def _read(content: bytes) -> object:
    if not content:
        msg = "the file is empty; download it again"
        raise SourceError(msg)
    if content.startswith(_ZIP_MAGIC):
        return _read_zip(content)
    if content[0] != 0x80 or content[1:2] > b"\x05":  # the PROTO opcode  # noqa: PLR2004
        msg = f"neither a file of torch.save nor a pickle of protocol 2 or later; {ADVICE}"
        raise SourceError(msg)
    stream = Stream(content)
    first = Unpickler(stream, more={"torch.storage._load_from_bytes": _build_storage}).load()
    value = _read_legacy(stream) if first == _LEGACY_MAGIC else first
    if stream.position != len(content):
        msg = f"{len(content) - stream.position} bytes follow the end of its data; {ADVICE}"
        raise SourceError(msg)
    return value


def _read_zip(content: bytes) -> object:
    members = _zip_members(content)
    order = members.get("byteorder")
    if order is not None and order.tobytes() != b"little":
        msg = f"saved on a big-endian machine; {ADVICE} on another"
        raise SourceError(msg)
    storages: dict[str, Storage] = {}

    def storage(key: str, dtype: str, count: int) -> Storage:
        if key not in storages:
            storages[key] = _storage(dtype, count)
            member = members.get(f"data/{key}")
            if member is None or member.size < storages[key].nbytes:
                msg = f"the data of storage {key[:40]!r} is missing or too short; {DAMAGED}"
                raise SourceError(msg)
            storages[key].content = member[: storages[key].nbytes]
        return _same_dtype(storages[key], dtype)

    stream = Stream(members["data.pkl"].tobytes())
    return Unpickler(stream, storage=storage).load()


def _zip_members(content: bytes) -> dict[str, NDArray[np.uint8]]:
    """Give views of the members by their names below the one top folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        msg = f"the zip archive names a member twice; {ADVICE}"
        raise SourceError(msg)
    tops = [name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl")]
    if len(tops) != 1:
        msg = f"a zip archive with {len(tops)} 'data.pkl', not a file of torch.save; {ADVICE}"
        raise SourceError(msg)
    if sum(entry.file_size for entry in entries) > len(content):
        msg = f"the members of the zip archive overlap or are compressed; {ADVICE}"
        raise SourceError(msg)
    whole = np.frombuffer(content, np.uint8)
    return {
        entry.filename.removeprefix(tops[0]): _member(whole, entry)
        for entry in entries
        if entry.filename.startswith(tops[0])
    }


def _member(whole: NDArray[np.uint8], entry: zipfile.ZipInfo) -> NDArray[np.uint8]:
    start = entry.header_offset
    header = whole[start : start + _ZIP_LOCAL_HEADER].tobytes()
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED:
        msg = f"{entry.filename[:40]!r} in the zip archive is compressed or encrypted; {ADVICE}"
        raise SourceError(msg)
    if not header.startswith(_ZIP_MAGIC) or entry.compress_size != entry.file_size:
        msg = f"{entry.filename[:40]!r} in the zip archive has no proper header; {DAMAGED}"
        raise SourceError(msg)
    start += _ZIP_LOCAL_HEADER + sum(struct.unpack("<HH", header[-4:]))
    if start + entry.file_size > whole.size:
        msg = f"{entry.filename[:40]!r} reaches past the end of the zip archive; {DAMAGED}"
        raise SourceError(msg)
    return whole[start : start + entry.file_size]


def _read_legacy(stream: Stream) -> object:
    """Read what follows the magic number: version, system, object, keys, then the storages."""
    storages: dict[str, Storage] = {}

    def storage(key: str, dtype: str, count: int) -> Storage:
        return _same_dtype(storages.setdefault(key, _storage(dtype, count)), dtype)

    if Unpickler(stream).load() != _LEGACY_VERSION:
        msg = f"a file of torch.save of an unknown version; {ADVICE}"
        raise SourceError(msg)
    Unpickler(stream).load()  # the system's byte order: the storages are little-endian always
    value = Unpickler(stream, storage=storage).load()
    keys = Unpickler(stream).load()
    if not isinstance(keys, list) or sorted(storages) != sorted(keys):
        msg = f"the list of storages is not that of the tensors; {DAMAGED}"
        raise SourceError(msg)
    for key in keys:
        _fill(storages[key], stream)
    return value


def _fill(storage: Storage, stream: Stream) -> None:
    (count,) = struct.unpack("<q", stream.read(8))
    if count * np.dtype(TORCH_DTYPES[storage.dtype]).itemsize != storage.nbytes:
        msg = f"a storage has another size than its tensors think; {DAMAGED}"
        raise SourceError(msg)
    start = stream.skip(storage.nbytes)
    storage.content = np.frombuffer(stream.content, np.uint8)[start : stream.position]


def _build_storage(budget: Budget, raw: object) -> object:
    """Read the little legacy file that a tensor is in a pickle that torch.save did not make."""
    if not isinstance(raw, bytes):
        msg = f"a storage is not saved as bytes; {DAMAGED}"
        raise SourceError(msg)
    budget.spend(len(raw))
    stream = Stream(raw)
    if Unpickler(stream).load() != _LEGACY_MAGIC:
        msg = f"a storage is not saved in torch's own format; {DAMAGED}"
        raise SourceError(msg)
    return _read_legacy(stream)


def _storage(dtype: str, count: int) -> Storage:
    if not 0 <= count <= MAX_LENGTH:
        msg = f"a storage has a senseless size; {DAMAGED}"
        raise SourceError(msg)
    return Storage(dtype, count * np.dtype(TORCH_DTYPES[dtype]).itemsize)


def _same_dtype(storage: Storage, dtype: str) -> Storage:
    if storage.dtype != dtype:
        msg = f"a storage is both {storage.dtype} and {dtype}; {ADVICE}"
        raise SourceError(msg)
    return storage
