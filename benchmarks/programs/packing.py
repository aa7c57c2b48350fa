"""How the bare programs inflate, pack, hash and write: with the libraries that bidsify uses."""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Callable, Iterable
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from isal import isal_zlib

_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def inflate(packed: bytes) -> bytes:
    """Return the content of one gzip member."""
    size = int.from_bytes(packed[-4:], "little")
    stream = isal_zlib.decompressobj(31)
    return stream.decompress(packed, size + 1)


def pack(*parts: Any) -> bytes:
    """Return one gzip member of the parts, without name and time, at isal's level 2."""
    packer, checksum, size = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15), 0, 0
    packed = [_HEADER]
    for part in parts:
        packed.append(packer.compress(part))
        checksum = isal_zlib.crc32(part, checksum)
        size += memoryview(part).nbytes
    packed += [packer.flush(), struct.pack("<II", checksum, size & 0xFFFFFFFF)]
    return b"".join(packed)


def without_name(packed: bytes) -> bytes:
    """Return the member with an empty header; its own has nothing, or a name and a time."""
    end = packed.index(b"\0", 10) + 1 if packed[3] & 8 else 10
    return _HEADER + packed[end:]


def digest(*parts: Any) -> str:
    """Return the SHA-256 of the parts."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def put(path: Path, content: bytes) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def run(function: Callable[[Any], object], items: Iterable[Any], jobs: int) -> None:
    """Call ``function`` with each item, in so many processes; 1 is this process alone."""
    if jobs == 1:
        for item in items:
            function(item)
        return
    with Pool(jobs) as pool:
        for _ in pool.imap_unordered(function, items):
            pass


def option(name: str, default: str) -> str:
    """Return the word behind an option of the command line; argparse takes a while to load."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default
