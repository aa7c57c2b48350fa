"""Gzip as data files need it: bounded when reading, without name and time when writing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isal import isal_zlib
from isal.igzip_lib import IsalError

from .errors import SourceError

MAGIC = b"\x1f\x8b"

#: Header without flags, name or time, and with an unknown system (RFC 1952, section 2.3).
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16

#: A header may state less than the file holds (padding), but not by more than this.
_PADDING = 1 << 16


@dataclass(frozen=True, slots=True)
class Inflated:
    """Decompressed content; ``is_plain`` where it came as one member with nothing behind it."""

    raw: bytes
    is_plain: bool


def inflate(content: bytes, path: str, size_of: Callable[[bytes], int], head: int) -> Inflated:
    """Decompress, but never more than the content itself announces.

    ``size_of`` gets the first ``head`` bytes (fewer in a shorter file) and returns the size
    that they state.

    Raises:
        SourceError: Truncated, damaged, or larger than announced.
    """
    announced = size_of(_members(content, path, head).raw)
    found = _members(content, path, announced + _PADDING + 1)
    if len(found.raw) > announced + _PADDING:
        msg = f"{path}: holds more than the {announced} bytes that its header states"
        raise SourceError(msg)
    if found.rest.strip(b"\0"):
        msg = f"{path}: {len(found.rest)} bytes behind the gzip stream; download the file again"
        raise SourceError(msg)
    return Inflated(found.raw, is_plain=found.count == 1 and not found.rest)


@dataclass(frozen=True, slots=True)
class _Members:
    """What ``count`` members hold, and the bytes behind them."""

    raw: bytes
    count: int
    rest: bytes


def _members(content: bytes, path: str, most: int) -> _Members:
    """Decompress member after member, up to ``most`` bytes, one at least.

    With a bound just above the true size, isal needs half the time, as it grows less; and one
    part is not copied when it is joined.
    """
    parts: list[bytes] = []
    total, count, rest = 0, 0, content
    try:
        while total < most and rest.startswith(MAGIC):
            stream, count = isal_zlib.decompressobj(31), count + 1
            while total < most and not stream.eof:
                part = stream.decompress(rest, most - total)
                rest = stream.unconsumed_tail
                parts.append(part)
                total += len(part)
                if not (part or rest or stream.eof):
                    msg = f"{path}: the gzip stream is cut off; download the file again"
                    raise SourceError(msg)
            rest = stream.unused_data
    except IsalError as error:  # type: ignore[misc]  # its stubs lack the base class
        msg = f"{path}: damaged gzip stream ({error}); download the file again"
        raise SourceError(msg) from error
    return _Members(parts[0] if len(parts) == 1 else b"".join(parts), count, rest)


def pack(*parts: bytes | memoryview, reproducible: bool) -> bytes:
    """Compress ``parts``, one behind the other.

    ``reproducible`` gives the same bytes on every processor, at half the speed.
    """
    packer = _packer(reproducible=reproducible)
    body = [packer.compress(part) for part in parts]
    total, size = 0, 0
    for part in parts:
        total, size = isal_zlib.crc32(part, total), size + len(part)
    trailer = struct.pack("<II", total, size & 0xFFFFFFFF)
    return b"".join((_HEADER, *body, packer.flush(), trailer))


def _packer(*, reproducible: bool) -> Any:
    if reproducible:
        from zlib_ng import zlib_ng  # noqa: PLC0415  only on request

        return zlib_ng.compressobj(2, zlib_ng.DEFLATED, -15)
    return isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)


def without_name_and_time(content: bytes) -> bytes | None:
    """Keep the deflate stream of a plain file and replace its header; None where it has none.

    A header that has nothing to hide stays.
    """
    flags, at = content[3], 10
    if not any(content[3:8]):  # flags and time
        return content
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(content[at : at + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            end = content.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    return _HEADER + content[at + 2 * bool(flags & _FHCRC) :]
