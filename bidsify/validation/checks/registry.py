"""The register of our own checks: each is a small generator, run on the files it is meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .. import codes
from ..issue import Severity

if TYPE_CHECKING:
    from ..context import Context
    from .summary import Summary

IMAGES = frozenset({".nii", ".nii.gz"})
LABEL_SUFFIXES = frozenset({"dseg", "mask"})
SEGMENTATIONS = LABEL_SUFFIXES | {"probseg"}
_DESCRIPTIONS = frozenset({".tsv", ".json"})


class Kind(NamedTuple):
    """What decides which checks a file meets. ``name`` is empty for files below the root."""

    name: str
    suffix: str
    extension: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What a check found: in words, at which key or column; ``severity`` where not the usual."""

    message: str
    where: str = ""
    severity: Severity | None = None
    rule: str = ""


On = Callable[[Kind], bool]
HeaderCheck = Callable[["Context"], Iterator[Fault]]
VoxelCheck = Callable[["Context", "Summary"], Iterator[Fault]]

_OF_HEADERS: list[tuple[str, On, HeaderCheck]] = []
_OF_VOXELS: list[tuple[str, On, VoxelCheck]] = []


def header_check(code: str, *, on: On) -> Callable[[HeaderCheck], HeaderCheck]:
    """Register a check that needs no voxels."""

    def register(run: HeaderCheck) -> HeaderCheck:
        _require_words(code)
        _OF_HEADERS.append((code, on, run))
        return run

    return register


def voxel_check(code: str, *, on: On) -> Callable[[VoxelCheck], VoxelCheck]:
    """Register a check that looks at the voxels of an image."""

    def register(run: VoxelCheck) -> VoxelCheck:
        _require_words(code)
        _OF_VOXELS.append((code, on, run))
        return run

    return register


def _require_words(code: str) -> None:
    """Refuse a check that nobody could explain, and that would be an error by default."""
    if code not in codes.OWN:
        msg = f"{code} has no row in validation/codes.tsv"
        raise AssertionError(msg)


@lru_cache(maxsize=4096)
def of_headers(name: str, suffix: str, extension: str) -> tuple[tuple[str, HeaderCheck], ...]:
    """Return the checks for a kind of file, with their codes."""
    kind = Kind(name, suffix, extension)
    return tuple((code, run) for code, on, run in _OF_HEADERS if on(kind))


@lru_cache(maxsize=4096)
def of_voxels(suffix: str, extension: str) -> tuple[tuple[str, VoxelCheck], ...]:
    """Return the checks for the voxels of a kind of image, with their codes."""
    kind = Kind("", suffix, extension)
    return tuple((code, run) for code, on, run in _OF_VOXELS if on(kind))


def any_file(_: Kind) -> bool:
    """Every file."""
    return True


def is_image(kind: Kind) -> bool:
    """Say whether this is a NIfTI image."""
    return kind.extension in IMAGES


def is_dseg(kind: Kind) -> bool:
    """Say whether this is an image of labels."""
    return kind.suffix == "dseg" and kind.extension in IMAGES


def is_mask(kind: Kind) -> bool:
    """Say whether this is an image of 0 and 1."""
    return kind.suffix == "mask" and kind.extension in IMAGES


def is_probseg(kind: Kind) -> bool:
    """Say whether this is an image of probabilities."""
    return kind.suffix == "probseg" and kind.extension in IMAGES


def is_label_image(kind: Kind) -> bool:
    """Say whether voxel values are labels."""
    return kind.suffix in LABEL_SUFFIXES and kind.extension in IMAGES


def is_segmentation(kind: Kind) -> bool:
    """Say whether this image is a segmentation of any sort."""
    return kind.suffix in SEGMENTATIONS and kind.extension in IMAGES


def is_table(kind: Kind) -> bool:
    """Say whether this is a label table."""
    return kind.suffix == "dseg" and kind.extension == ".tsv"


def uses_table(kind: Kind) -> bool:
    """Say whether a label table may apply: also to surfaces, and to the volumes of an atlas."""
    return kind.suffix in {"dseg", "probseg"} and kind.extension not in _DESCRIPTIONS


def is_json(kind: Kind) -> bool:
    """Say whether this is a JSON document."""
    return kind.extension == ".json"
