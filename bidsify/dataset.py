"""The words of a declaration: what a native dataset looks like and what it becomes.

A declaration is data. It names patterns of source files and the BIDS names they get; the
verbs (read, recode, write, prove) live in the core. Texts such as ``"p{texture:03}"`` are
templates over the fields of a pattern, see :mod:`bidsify.patterns`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .labels import LabelTable
from .patterns import Fields

Json: TypeAlias = Any  # a JSON document
Pairing = Literal["stem", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the people (and visits) of the source are named, there and in BIDS."""

    subject: str
    source_id: str
    session: str | None = None
    session_source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that a subject has: patterns of its source files, and its name in BIDS.

    Of several patterns the first that is present counts; what the others match must have the
    same content and is reported as a duplicate. ``absent_where`` states for which fields the
    publisher ships none, as for the masks of a test set.
    """

    source: tuple[str, ...]
    suffix: str
    datatype: str = "anat"
    entities: Mapping[str, str] = field(default_factory=dict)
    naming: Naming | None = None
    sidecar: Mapping[str, Json] = field(default_factory=dict)
    absent_where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Product):
    """A volume whose values are kept.

    ``name`` is how segmentations refer to it. ``key`` and ``orientation`` are for arrays in
    files without geometry: the entry to take, and the direction in which voxel i, j, k grow.
    ``native_json`` is a sidecar of the source, ``landmarks`` names the points that it shows.
    """

    name: str
    reader: Literal["nifti", "dicom", "tensors"] = "nifti"
    key: str = ""
    orientation: str = ""
    native_json: str | None = None
    landmarks: Landmarks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Point files whose first points become ``AnatomicalLandmarkCoordinates`` of an image."""

    source: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation(Product):
    """A volume of labels: each value has a row in ``labels``, or the conversion of it fails.

    ``of`` names the images that it was drawn on; the first one gives the grid of masks that
    come as pictures. ``coding`` is the column of the table that states the native values.
    """

    of: tuple[str, ...]
    labels: LabelTable
    suffix: str = "dseg"
    reader: Literal["nifti", "png", "tensors"] = "nifti"
    coding: str | None = None
    pairing: Pairing = "stem"
    key: str = ""
    orientation: str = ""
    may_be_empty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """Channels ``start`` to ``stop`` of the array ``key``."""

    key: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks(Product):
    """Masks that may overlap, one channel each, as one 4D ``probseg``.

    ``unless`` names channels of another array: where they are equal, nothing is written.
    """

    key: str
    regions: tuple[str, ...]
    orientation: str
    suffix: str = "probseg"
    unless: Slab | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: its meaning, and its value as a template over the fields."""

    description: str
    value: str | Callable[[Fields], str] = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    units: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointGroup:
    """An array of points in a file of arrays; shape (structure, point, 2) or (point, 2)."""

    key: str
    structures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points(Product):
    """Points as a table, one row each. ``columns`` are values that the file name states."""

    columns: Mapping[str, Column]
    reader: Literal["markups", "tensors"] = "markups"
    suffix: str = "points"
    groups: tuple[PointGroup, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Product):
    """A file that is copied byte for byte beside its image."""

    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Files that are left out on purpose, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may be done with the data. ``redistribution`` rules what can be shared."""

    licence: str
    summary: str
    redistribution: Literal["allowed", "noncommercial", "forbidden", "unknown"]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One edition of one dataset."""

    name: str
    title: str
    edition: str
    layout: str
    naming: Naming
    products: tuple[Product, ...]
    terms: Terms
    citation: str
    authors: tuple[str, ...]
    source_url: str
    source_doi: str | None = None
    source_version: str | None = None
    expected_subjects: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    native_participants: str | None = None
    native_participants_json: str | None = None
    ignored: tuple[Ignored, ...] = ()
    bidsignore: tuple[str, ...] = ()
    shared_sidecars: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    description_extra: Mapping[str, Json] = field(default_factory=dict)
    traps: tuple[str, ...] = ()
    notes: str = ""
