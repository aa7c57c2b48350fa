"""What a subject has: the products that were found in the source, and their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..dataset import Image, Product
from ..naming import Person
from ..patterns import Fields


@dataclass(frozen=True, slots=True)
class Found:
    """A product that a subject has: its target and its files.

    ``fields`` is what the path of each file states; ``twins`` are further copies of ``files``.
    """

    product: Product
    target: str
    files: tuple[str, ...]
    fields: tuple[Fields, ...]
    twins: tuple[tuple[str, ...], ...] = ()


@dataclass(slots=True)
class View:
    """All that a subject, or one session of it, has."""

    person: Person
    found: list[Found] = field(default_factory=list)
    serving: dict[tuple[str, str], list[tuple[str, Fields]]] = field(default_factory=dict)

    def image(self, name: str) -> Found | None:
        """Return the image that a declaration calls ``name``."""
        for found in self.found:
            if isinstance(found.product, Image) and found.product.name == name:
                return found
        return None


def folder_of(files: tuple[str, ...]) -> str:
    """Return the folder of a series of files, for messages."""
    return str(PurePosixPath(files[0]).parent)
