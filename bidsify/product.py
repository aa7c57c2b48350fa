"""The words of a declaration for what a subject has: images, segmentations, points, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .labels import LabelTable
from .patterns import Fields, render

Json: TypeAlias = Any  # a JSON document
Pairing = Literal["stem", "rank"]

#: What reads the source of a volume: a word for each form that volumes come in.
Reader = Literal["nifti", "dicom", "pictures", "png", "rtstruct", "tensors"]

#: Readers that make one product of many files: slices, or markers.
_OF_SERIES = frozenset({"dicom", "pictures", "png", "markups"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the people (and visits) of the source are named, there and in BIDS.

    All are templates over the fields of a path. ``subject`` and ``session`` become labels, of which
    letters and digits stay; ``source_id`` and ``session_source_id`` are the names in the source.
    Two of these that become one label are refused.
    """

    subject: str
    source_id: str
    session: str | None = None
    session_source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that a subject has: patterns of its source files, and its name in BIDS.

    Attributes:
        source: Patterns of its files. Of several the first that is present counts; what the
            others match must have the same content and is reported as a duplicate.
        suffix: Suffix of its name in BIDS, such as ``"T2w"``.
        datatype: Folder of it, such as ``"dwi"``.
        entities: Full name of an entity in the schema -> template of its label.
        naming: How its people are named, if not as in the rest of the dataset.
        sidecar: What its JSON states; readers add what they find in the source.
        absent_where: For which fields the publisher ships none, as for the masks of a test set:
            regular expressions for the value, the empty one where a path has no such field.
        is_optional: Whether some subjects have none, without a rule.
        states: Fields, with values, that having it states of a subject.
    """

    source: tuple[str, ...]
    suffix: str
    datatype: str = "anat"
    entities: Mapping[str, str] = field(default_factory=dict)
    naming: Naming | None = None
    sidecar: Mapping[str, Json] = field(default_factory=dict)
    absent_where: Mapping[str, str] = field(default_factory=dict)
    is_optional: bool = False
    states: Mapping[str, str] = field(default_factory=dict)

    def is_unshipped(self, fields: Fields) -> bool:
        """Say whether the publisher ships none where a path states these fields."""
        return any(
            name in fields and re.fullmatch(expression, fields[name] or "")
            for name, expression in self.absent_where.items()
        )

    @property
    def file_extension(self) -> str:
        """Return the extension of its file in BIDS."""
        return ".nii.gz"

    @property
    def is_of_series(self) -> bool:
        """Say whether many source files make one of it, as slices and markers do."""
        return getattr(self, "reader", "") in _OF_SERIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumetric(Product):
    """A product that is a volume, and how its source is read.

    ``reader`` is the form of the source, one of :data:`Reader`. ``key`` and ``orientation`` are
    for arrays in files without geometry: the entry to take, and the direction in which voxel
    i, j, k grow, such as ``"PIR"``.
    """

    reader: Reader = "nifti"
    key: str = ""
    orientation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Volumetric):
    """A volume whose values are kept.

    ``name`` is how segmentations refer to it. ``native_json`` is the pattern of a sidecar of the
    source, ``landmarks`` names the points that it shows. Values outside of ``plausible``, lowest
    and highest, are reported, and kept.
    """

    name: str
    reader: Literal["nifti", "dicom", "tensors", "pictures"] = "nifti"
    plausible: tuple[float, float] | None = None
    native_json: str | None = None
    landmarks: Landmarks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Point files whose first points become ``AnatomicalLandmarkCoordinates`` of an image.

    ``source`` is their pattern, ``name`` the template of the name that a point gets there.
    """

    source: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """Values that betray a copy whose labels were changed, and what must have happened to it.

    A source that holds some of ``values`` and none of ``unless`` is refused as a whole, for
    ``reason``.
    """

    values: tuple[int, ...]
    unless: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation(Volumetric):
    """A volume of labels: each value has a row in ``labels``, or the conversion of it fails.

    ``of`` names the images that it was drawn on; the first one gives the grid of masks that
    come as pictures or contours. ``coding`` is the column of the table that states the native
    values; without one these are the indices. ``structures`` maps an index to the names that
    contours of it have in the source. ``suspects`` are values that betray a changed copy.
    ``pairing`` finds the slice of a picture: by the same ``"stem"``, or by its ``"rank"`` in the
    order of numbers. Where not ``may_be_empty``, one without any label fails.
    """

    of: tuple[str, ...]
    labels: LabelTable
    suffix: str = "dseg"
    reader: Literal["nifti", "png", "tensors", "rtstruct"] = "nifti"
    structures: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    suspects: tuple[Suspect, ...] = ()
    coding: str | None = None
    pairing: Pairing = "stem"
    may_be_empty: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """Channels ``start`` to ``stop``, this one excluded, of the array ``key``."""

    key: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks(Volumetric):
    """Masks that may overlap, one channel each, as one 4D ``probseg``.

    ``regions`` are the names of the channels, ``of`` the images that they were drawn on, as in a
    segmentation. ``unless`` names channels of another array: where they are equal, nothing is
    written. Contours name their regions themselves; they are written where the labels that
    ``structures`` makes of them, as in a segmentation, do not hold all of them.
    """

    regions: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    reader: Literal["tensors", "rtstruct"] = "tensors"
    structures: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    suffix: str = "probseg"
    unless: Slab | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: what it means, and where its values come from.

    ``value`` is a template over the fields, or a function of them; empty where a table of the
    source has the values. ``levels`` says what each value means. ``description``, ``levels`` and
    ``units`` go into the JSON of the table.
    """

    description: str
    value: str | Callable[[Fields], str] = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    units: str | None = None

    def of(self, fields: Fields) -> str:
        """Return the value for what a path states; empty where it does not state it."""
        return str(self.value(fields)) if callable(self.value) else render(self.value, fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Product):
    """A file that is copied byte for byte beside its image, with its ``extension``: ``".stl"``."""

    extension: str

    @property
    def file_extension(self) -> str:
        """Return the extension of its file in BIDS."""
        return self.extension
