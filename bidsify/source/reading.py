"""What a unit reads: each source file is hashed once and, while it fits, kept for the next job."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError
from . import Source

if TYPE_CHECKING:
    from ..readers.dicom import Grid
    from ..volume import Array

_KEPT_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Fact:
    """What a source file was when it was read."""

    size: int
    sha256: str


class Reading:
    """The source files of one unit."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        #: Of series that were read: by their files.
        self.grids: dict[tuple[str, ...], Grid] = {}
        self._arrays: tuple[str, Mapping[str, object]] = ("", {})
        self.facts: dict[str, Fact] = {}
        #: Gzip files of one member that were inflated to their end, with the right sum and size.
        self.inflated: set[str] = set()

    def content(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            SourceError: The file is empty or cannot be read.
        """
        if path in self._contents:
            self._contents.move_to_end(path)
            return self._contents[path]
        content = self.source.read(path)
        if not content:
            msg = f"{path}: the file is empty; download it again"
            raise SourceError(msg)
        self.inflated.discard(path)
        self.facts[path] = Fact(len(content), hashlib.sha256(content).hexdigest())
        self._contents[path] = content
        while sum(map(len, self._contents.values())) > _KEPT_BYTES and len(self._contents) > 1:
            self._contents.popitem(last=False)
        return content

    def fact(self, path: str) -> Fact:
        """Return size and hash of a file."""
        if path not in self.facts:
            self.content(path)
        return self.facts[path]

    def place_of(self, content: bytes, paths: Sequence[str]) -> Path | None:
        """Return where on disk the file is whose content, as :meth:`content` gave it, this is."""
        same = (path for path in paths if self._contents.get(path) is content)
        return next((self.source.place(path) for path in same), None)

    def arrays(self, path: str) -> Mapping[str, object]:
        """Return the entries of a file of arrays; the last file is kept."""
        from ..readers import tensors  # noqa: PLC0415

        if self._arrays[0] != path:
            document = tensors.load(self.content(path), path)
            if not isinstance(document, dict):
                msg = f"{path}: holds a {type(document).__name__}; expected named arrays"
                raise SourceError(msg)
            self._arrays = (path, document)
        return self._arrays[1]

    def array(self, path: str, key: str) -> Array:
        """Return one array of such a file."""
        import numpy as np  # noqa: PLC0415

        entries = self.arrays(path)
        found = entries.get(key)
        if not isinstance(found, np.ndarray):
            msg = f"{path}: has no array {key!r}; it holds {', '.join(map(str, entries))}"
            raise SourceError(msg)
        return found

    def grid(self, paths: tuple[str, ...]) -> Grid:
        """Return the grid of a DICOM series."""
        from ..readers import dicom  # noqa: PLC0415

        if paths not in self.grids:
            files = ((path, self.content(path)) for path in paths)
            self.grids[paths] = dicom.grid(dicom.read_slices(files, pixels=False))
        return self.grids[paths]
