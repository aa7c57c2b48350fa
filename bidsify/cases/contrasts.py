"""Names of contrasts: what tells the images of one subject and session apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..validation.files.names import NO_LABEL
from ..validation.files.tree import File

_OF_THE_CASE = frozenset({"sub", "ses"})
_LEFT_OUT = _OF_THE_CASE | {"run", "space"}


def says_nothing(images: Iterable[File]) -> frozenset[str]:
    """Return the entities without a part in names; ``desc`` where all images have the same."""
    descriptions = {file.parts.entities.get("desc") for file in images}
    return _LEFT_OUT | {"desc"} if len(descriptions) == 1 else _LEFT_OUT


def by_contrast(images: Iterable[File], left_out: frozenset[str]) -> Mapping[str, str]:
    """Map each contrast to the path of its image.

    Where several have one name, the first by path has it; others add run, space and desc, and
    a number where that does not tell them apart.
    """
    named: dict[str, str] = {}
    for file in sorted(images, key=lambda each: each.path):
        name = _name(file, left_out)
        if name in named:
            name = _name(file, _OF_THE_CASE)
        if name in named:
            count = 2
            while f"{name}_{count}" in named:
                count += 1
            name = f"{name}_{count}"
        named[name] = file.path
    return dict(sorted(named.items()))


def _name(file: File, left_out: frozenset[str]) -> str:
    parts = [
        key if label == NO_LABEL else f"{key}-{label}"
        for key, label in file.parts.entities.items()
        if key not in left_out
    ]
    if file.parts.suffix:
        parts.append(file.parts.suffix)
    return "_".join(parts) or file.name.partition(".")[0]
