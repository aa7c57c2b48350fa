"""Encode one person of a crossMoDA edition as NIfTI. No file is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import cerebellopontine, native, phantom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .abdomen import Stack
    from .cerebellopontine import Head
    from .phantom import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A head, and the grid on which it was scanned."""

    stack: Stack
    head: Head

    def points(self) -> Array:
        """Give the voxel centres in the coordinates of the head."""
        where = phantom.positions(self.stack.shape, self.stack.matrix())
        return where - self.stack.centre

    def scan(self, contrast: str) -> bytes:
        """Encode the image ``ceT1`` or ``T2``, compressed."""
        return self.encoded(cerebellopontine.scan(self.points(), self.head, contrast))

    def labels(self) -> bytes:
        """Encode the label map of tumour and cochleae, compressed."""
        return self.encoded(cerebellopontine.labels(self.points(), self.head))

    def encoded(self, data: NDArray[Any]) -> bytes:
        """Encode any volume on the grid of the scan, compressed."""
        matrix = cerebellopontine.to_ras(self.stack.matrix())
        return native.gzipped(native.nifti(data, matrix))
