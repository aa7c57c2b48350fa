"""The words of a declaration: what a native dataset looks like and what it becomes.

A declaration is data. It names patterns of source files and the BIDS names they get; the
verbs (read, recode, write, prove) live in the core. Texts such as ``"p{texture:03}"`` are
templates over the fields of a pattern, see :mod:`bidsify.patterns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .labels import RegionTable
from .product import (
    Attachment,
    Column,
    Image,
    Json,
    Landmarks,
    Masks,
    Naming,
    Pairing,
    PointGroup,
    Points,
    Product,
    Segmentation,
    Slab,
    Suspect,
    Volumetric,
)

__all__ = [
    "Attachment",
    "Column",
    "Dataset",
    "Ignored",
    "Image",
    "Json",
    "Landmarks",
    "Masks",
    "Naming",
    "Pairing",
    "PointGroup",
    "Points",
    "Product",
    "Segmentation",
    "Series",
    "Sign",
    "Slab",
    "SubjectTable",
    "Suspect",
    "Terms",
    "Volumetric",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Files that are left out on purpose, and why.

    ``states`` are fields that the presence of such a file states of its subject; it may be a
    mask that is empty on purpose, which is checked.
    """

    source: str
    reason: str
    states: Mapping[str, str] = field(default_factory=dict)
    is_empty_mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTable:
    """A table of the source, comma- or tab-separated; its columns go into participants.tsv.

    The column that holds native ids is found by its content, whatever it is called. ``renamed``
    maps the name of a column, in lower case, to ours. ``states`` are values that being listed
    here states of a subject; with ``is_list`` that is all that is taken. ``sidecar`` is the
    pattern of a JSON file that defines the columns.
    """

    source: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    is_list: bool = False
    sidecar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What tells this edition from others whose files have the same names.

    Either a regular expression that is found in paths, or what a probe of some files must find:
    the shape of the grid of images, or a label value.
    """

    path: str = ""
    shape: tuple[int, ...] = ()
    label: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """DICOM files whose folders do not say what they hold; the header of one in each does.

    Where modality and a regular expression for the series description fit, a file gets the name
    ``name`` by which the patterns of products know it: a template over the fields of ``source``,
    with ``*`` for the name of the file. A structure set goes into the folder of its series.
    """

    source: str
    modality: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may be done with the data. ``redistribution`` rules what can be shared."""

    licence: str
    summary: str
    redistribution: Literal["allowed", "noncommercial", "forbidden", "unknown"]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One edition of one dataset.

    ``also`` are other names, such as those of editions that published the same files.
    ``subjects`` are the numbers of subjects in the publication for each value of the column
    ``split``; one number, for ``""``, where there is no such column. ``regions`` are named unions
    of labels, never voxel values.
    """

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
    also: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    series: tuple[Series, ...] = ()
    subjects: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    tables: tuple[SubjectTable, ...] = ()
    regions: RegionTable | None = None
    ignored: tuple[Ignored, ...] = ()
    bidsignore: tuple[str, ...] = ()
    shared_sidecars: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    description_extra: Mapping[str, Json] = field(default_factory=dict)
    traps: tuple[str, ...] = ()
    notes: str = ""

    @property
    def expected_subjects(self) -> int | None:
        """Return how many subjects the publication has in all; None where that is not known."""
        return sum(self.subjects.values()) or None
