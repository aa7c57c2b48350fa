"""Gzip files as they may be: members one behind the other, and bytes behind the last of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from ..gz import MAGIC

_CHUNK = 1 << 16


class Unpacking:
    """What a gzip file holds. All that is known besides is known once the pieces were taken.

    ``heads`` are the first bytes of its members, ``behind`` the number of bytes behind the last
    one, and ``has_rest`` says whether any of these is not 0. A file that ``is_damaged`` was read
    as far as it could be.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.heads: list[bytes] = []
        self.behind = 0
        self.has_rest = False
        self.is_damaged = False

    def pieces(self) -> Iterator[bytes]:
        """Yield what all members hold, in pieces of a bounded size."""
        buffer = self._filled(b"")
        try:
            while buffer.startswith(MAGIC):
                self.heads.append(buffer[:_CHUNK])
                member = isal_zlib.decompressobj(31)
                while not member.eof:
                    part = member.decompress(buffer, _CHUNK)
                    yield part
                    buffer = member.unconsumed_tail
                    if not buffer and not _is_over(member):
                        buffer = self._stream.read(_CHUNK)
                        if not (part or buffer):
                            self.is_damaged = True
                            return
                buffer = self._filled(member.unused_data)
        except IsalError:  # type: ignore[misc]  # its stubs lack the base class
            self.is_damaged = True
            return
        while buffer:
            self.behind += len(buffer)
            self.has_rest |= bool(buffer.strip(b"\0"))
            buffer = self._stream.read(_CHUNK)

    def _filled(self, buffer: bytes) -> bytes:
        """Return at least as much as the header of a member is looked at, where it is there."""
        return buffer if len(buffer) >= _CHUNK else buffer + self._stream.read(_CHUNK)


def _is_over(member: isal_zlib.Decompress) -> bool:
    return bool(member.eof)


def size_of(stream: IO[bytes]) -> int:
    """Return the size of a file, and leave ``stream`` where it is."""
    place = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(place)
    return size


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what a file holds, decompressed where it is gzip, from its beginning on."""
    stream.seek(0)
    is_packed = stream.read(len(MAGIC)) == MAGIC
    stream.seek(0)
    if is_packed:
        yield from Unpacking(stream).pieces()
    else:
        yield from iter(lambda: stream.read(_CHUNK), b"")
