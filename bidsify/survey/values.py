"""What a look through a tree found: values that pages and exports are made from.

Lengths are in millimetres and volumes in millilitres where ``in_mm`` says so, whatever the unit of
the header; else it states none, and one of what it states counts as one millimetre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..cases.case import Case


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """One label of one segmentation that has voxels there.

    Attributes:
        value: The voxel value.
        name: Name in the label table; empty where no table or no row speaks of it.
        color: ``#rrggbb``: of the table, or one that is chosen by the value.
        voxels: Number of voxels; at least 1.
        volume_ml: The same as volume; of several frames (4-D) the mean of one.
        centroid_ijk: Mean voxel index.
        largest_slice: Axis (0, 1 or 2) across which slices are looked at, and the index of the
            slice with most voxels.
        slices: Number of slices across that axis with voxels.
        components: Number of pieces that do not touch, corners count; None: too much to count.
        score: Robust z-score of the logarithm of the volume among all cases; 0 for few cases.
    """

    value: int
    name: str
    color: str
    voxels: int
    volume_ml: float
    centroid_ijk: tuple[float, float, float]
    largest_slice: tuple[int, int]
    slices: int = 0
    components: int | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A segmentation and its grid; of a case without one that can be read, of its first image.

    Attributes:
        case: Paths of segmentation, table and images.
        scheme: Place of the meaning of its values in ``Survey.schemes``.
        labels: Those that have voxels, by value; 0 is background and not among them.
        shape: Voxels along each axis; empty where nothing could be read.
        spacing: Size of a voxel along the first three axes.
        orientation: Where the axes point, such as ``"RAS"``.
        slice_axis: Axis across which slices are looked at: the coarsest, else the one to the head.
        in_mm: Whether the header states a unit of length.
        outlier: The largest absolute score of its labels.
        grid_is_stated: Whether no image lies on the grid of the segmentation, and its sidecar
            states that this is so (``GridDiffersFromSources``).
        fault: Why it could not be measured.
    """

    case: Case
    scheme: int = 0
    labels: tuple[LabelFacts, ...] = ()
    shape: tuple[int, ...] = ()
    spacing: tuple[float, ...] = ()
    orientation: str = ""
    slice_axis: int = 2
    in_mm: bool = True
    outlier: float = 0.0
    grid_is_stated: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What values mean: label tables with the same rows count as one.

    ``names`` maps values, without background, to names; ``colors`` to ``#rrggbb``. Values
    that occur without a row in their table have a color alone; where there is no table that can
    be used, those that occur have empty names.
    """

    tables: tuple[str, ...]
    names: Mapping[int, str]
    colors: Mapping[int, str]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What the conversion did to some of the files that it wrote."""

    transform: str
    files: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Made:
    """What the record says of how the tree was made; ``fault`` says why it could not be read."""

    version: str = ""
    dataset: str = ""
    edition: str = ""
    source_sha256: str = ""
    buckets: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    notes: tuple[tuple[str, int, str], ...] = ()
    left_out: tuple[tuple[str, int, str], ...] = ()
    remarks: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TermsFacts:
    """What may be done with the data.

    ``stated`` is the licence in the description of the tree; ``known``, ``summary`` and
    ``evidence`` are of the strictest statement about it, the one that counts. ``redistribution``
    is allowed, noncommercial, forbidden or unknown.
    """

    stated: str = ""
    known: str = ""
    summary: str = ""
    evidence: str = ""
    redistribution: str = "unknown"

    @property
    def is_restricted(self) -> bool:
        """Say whether pictures made from the voxels must stay where they are; unknown is yes."""
        return self.redistribution not in {"allowed", "noncommercial"}


@dataclass(frozen=True, slots=True)
class Found:
    """All issues of one code: what ``bidsify explain`` says, and some examples."""

    code: str
    severity: str
    count: int
    explanation: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Validity:
    """What validation found."""

    bids_version: str = ""
    schema_version: str = ""
    files: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    found: tuple[Found, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What ``dataset_description.json`` says, as far as it can be read."""

    name: str = ""
    version: str = ""
    bids_version: str = ""
    authors: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Who is in the tree: folders, rows of participants.tsv, and what its columns count.

    ``columns`` maps a column with few different values to (value, count); ``expected`` is the
    number of subjects in the publication, None where nobody knows.
    """

    subjects: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    columns: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    expected: int | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that one look through a tree found; the same for any number of workers."""

    about: About
    people: People
    cases: tuple[CaseFacts, ...]
    schemes: tuple[Scheme, ...]
    made: Made | None
    terms: TermsFacts
    validity: Validity
    faults: Mapping[str, str] = field(default_factory=dict)
