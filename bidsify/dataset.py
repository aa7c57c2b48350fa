"""The words of a declaration: what a native dataset looks like and what it becomes.

A declaration is data. It names patterns of source files and the BIDS names they get; the
verbs (read, recode, write, prove) live in the core. Texts such as ``"p{texture:03}"`` are
templates over the fields of a pattern, see :mod:`bidsify.patterns`. Images, segmentations and
all else that a subject has, and their names, are explained in :mod:`bidsify.product`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .labels import RegionTable
from .points import PointGroup, Points
from .product import (
    Attachment,
    Column,
    Image,
    Json,
    Landmarks,
    Masks,
    Naming,
    Pairing,
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
    """Files that are left out on purpose.

    Attributes:
        source: Pattern of the files.
        reason: Why they are left out; the record of the conversion says it of each file.
        states: Fields, with values, that the presence of such a file states of its subject.
        is_empty_mask: Whether it is a mask that is empty on purpose, which is checked.
    """

    source: str
    reason: str
    states: Mapping[str, str] = field(default_factory=dict)
    is_empty_mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTable:
    """A table of the source, comma- or tab-separated; its columns go into participants.tsv.

    The column that holds native ids is found by its content, whatever it is called.

    Attributes:
        source: Pattern of the table.
        renamed: Name of a column in the source, in lower case, to ours; others keep theirs.
        states: Columns of ours, with the values that being listed here states of a subject.
        is_list: Whether being listed is all that is taken, and none of the columns.
        sidecar: Pattern of a JSON file of the source that defines the columns.
    """

    source: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    is_list: bool = False
    sidecar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What tells this edition from others whose files have the same names: one of these three.

    Attributes:
        path: Regular expression that is found in the path of a file of this edition alone.
        shape: Grid that images of this edition alone have; some files are looked into.
        label: Value that segmentations of this edition alone hold; some are looked into.
    """

    path: str = ""
    shape: tuple[int, ...] = ()
    label: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """DICOM files whose folders do not say what they hold; the header of one in each does.

    A structure set goes into the folder of its series.

    Attributes:
        source: Pattern of the files as they are downloaded.
        modality: Modality (0008,0060) that the header must state, such as ``"MR"``.
        name: Name by which the patterns of products know the file: a template over the fields of
            ``source``, with ``*`` for the name of the file.
        description: Regular expression to be found in the series description; empty fits all.
    """

    source: str
    modality: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may be done with the data.

    Attributes:
        licence: SPDX identifier, or what is known instead; never empty.
        summary: What it allows and asks for, in one sentence.
        redistribution: Whether the data, and trees made of them, may be passed on.
        evidence: Where this is known from; "none" where nothing was seen.
    """

    licence: str
    summary: str
    redistribution: Literal["allowed", "noncommercial", "forbidden", "unknown"]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One edition of one dataset.

    Attributes:
        name: Word for ``--dataset``; of a built-in one also the name of its file.
        title: Name for people.
        edition: Which of its releases this is, for people.
        layout: Examples of native paths and what they become, for people: into README.md and the
            page. Each ``-> sub-...`` is a promise: the tests want such a target in the plan of
            the synthetic source, with any numbers; of ``{a,b}`` the first counts.
        naming: How subjects and sessions are named, unless a product says otherwise.
        products: What a subject has, see :mod:`bidsify.product`.
        terms: What may be done with the data.
        citation: What to cite, with DOI.
        authors: Each as ``"Family I."``; BIDS asks for one and wants two.
        source_url: Where the dataset is published.
        source_doi: DOI of the data, without ``doi:``.
        source_version: Version of the data, in the publisher's words.
        also: Other names, such as those of editions that published the same files.
        signs: What tells this edition from others of the same file names.
        series: What DICOM files are whose names do not say it.
        subjects: Number of subjects in the publication for each value of the column ``split``;
            one number, for ``""``, where there is no such column. Empty where nobody knows.
        fields: Regular expression of each field in the patterns; else letters and digits.
        columns: Columns of participants.tsv: those that paths state, what others of tables mean.
        tables: Tables of the source about subjects.
        regions: Named unions of labels, never voxel values.
        ignored: Files that are left out, with the reasons; the rest is reported as unclaimed.
        bidsignore: Patterns of what BIDS has no name for: ``"*_points.tsv"``, ``"**/ct"``.
        shared_sidecars: Whether images and masks get one JSON each at the root, not in each folder.
        descriptions: What each ``desc-`` label stands for: becomes descriptions.tsv.
        description_extra: More keys of dataset_description.json; GeneratedBy is added to ours.
        traps: What users get wrong with the source, and what is done about it, a sentence each.
        notes: What users must know of subjects, splits and names: a paragraph of README.md.
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
