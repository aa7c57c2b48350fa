"""The bytes of a pickle, read without believing the lengths that it states."""

from __future__ import annotations

from ..errors import SourceError


class Stream:
    """The file as pickle reads it, except that nothing past its end is handed out."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.position = 0

    def skip(self, count: int) -> int:
        """Step over ``count`` bytes and give the position of the first."""
        start, self.position = self.position, self.position + count
        if self.position > len(self.content):
            msg = "ends in the middle of its data; download it again"
            raise SourceError(msg)
        return start

    def read(self, count: int) -> bytes:
        """Give exactly ``count`` bytes."""
        return self.content[self.skip(count) : self.position]

    def readline(self) -> bytes:
        """Give the bytes up to and with the next newline."""
        end = self.content.find(b"\n", self.position) + 1
        return self.read((end or len(self.content) + 1) - self.position)
