"""The words of a declaration for points: files of markers, and arrays of coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .product import Column, Product


@dataclass(frozen=True, slots=True, kw_only=True)
class PointGroup:
    """The array ``key`` of points in a file of arrays; shape (structure, point, 2) or (point, 2).

    ``structures`` are the names along its first axis, or the one name.
    """

    key: str
    structures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points(Product):
    """Points as a table, one row each. ``columns`` are values that the file name states.

    ``reader`` is the form of the source: files of 3D Slicer in millimetres, or arrays in pixels, of
    which ``groups`` says what they are. ``of`` is the image whose voxel indices points get.
    """

    columns: Mapping[str, Column]
    reader: Literal["markups", "tensors"] = "markups"
    suffix: str = "points"
    groups: tuple[PointGroup, ...] = ()
    of: str = ""

    @property
    def file_extension(self) -> str:
        """Return the extension of its file in BIDS."""
        return ".tsv"
