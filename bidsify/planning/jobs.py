"""What a plan of a conversion consists of: a kind of job for each kind of file that is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..engine.jobs import Job, Unit
from ..labels import Range
from ..product import Reader, Slab, Suspect


@dataclass(frozen=True, slots=True, kw_only=True)
class Recode:
    """How native label values become those of the label table."""

    ranges: tuple[Range, ...]
    dtype: str
    may_be_empty: bool = True
    suspects: tuple[Suspect, ...] = ()


#: What is done to the source of a volume, for the record.
TRANSFORMS: Mapping[Reader, str] = {
    "nifti": "label values checked against the table and stored as unscaled integers",
    "dicom": "slices ordered by position, slope and intercept applied, affine from the tags",
    "png": "pictures stacked on the grid of their series, grey values to label indices",
    "pictures": "pictures stacked in the order of their numbers, columns along i, rows along j",
    "rtstruct": "voxels whose centre lies within the contours of their slice",
    "tensors": "array of the file, its columns along i and its rows along j",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeJob(Job):
    """A ``.nii.gz``. Without ``recode`` the values are kept.

    ``grid`` are the DICOM files that give the geometry of PNG slices, in the order of
    ``sources``, or of a structure set; ``ranked`` says whether they were paired by place alone,
    and if their numbers start at the same one (``"equal"``) or not (``"offset"``).
    ``structures`` are indices with the names that structures of them have. Values outside of
    ``plausible`` are reported.
    """

    kind: ClassVar[str] = "volume"
    reader: Reader
    recode: Recode | None = None
    grid: tuple[str, ...] = ()
    ranked: str = ""
    array: ArrayPart | None = None
    structures: tuple[tuple[int, tuple[str, ...]], ...] = ()
    plausible: tuple[float, float] | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the files that say where voxels lie."""
        return self.grid

    @property
    def transform(self) -> str:
        """Say in words what is done to the source."""
        if self.reader == "nifti" and self.recode is None:
            return "voxels and header kept; gzip header without name and time"
        return TRANSFORMS[self.reader]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPart:
    """An array in a file of arrays, and how its axes lie.

    ``orientation`` names the direction in which voxel i, j, k grow, as in ``"PIR"``. Arrays
    are (row, column) = (j, i), with an optional first axis of channels. Where the channels
    ``unless`` of another array are equal, nothing is written.
    """

    key: str
    orientation: str
    channels: int = 0
    unless: Slab | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsJob(Job):
    """A table of points. ``stated`` holds for each source the values that its name states."""

    kind: ClassVar[str] = "points"
    reader: str
    columns: tuple[str, ...]
    stated: tuple[tuple[str, ...], ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lies_on: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the image whose voxel indices the points get."""
        return (self.lies_on,) if self.lies_on else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyJob(Job):
    """A file copied byte for byte."""

    kind: ClassVar[str] = "copy"

    @property
    def transform(self) -> str:
        """Say in words what is done to the source."""
        return "copied byte for byte"


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarJob(Job):
    """The JSON of one data file. ``metadata`` is JSON text; the rest is read from the source.

    ``drawn_on`` become ``Sources`` as far as they exist; the first one is the grid to compare.
    ``landmarks`` are (name, source file) pairs; ``structures`` is the structure set whose names
    it must state, for each channel or for each label.
    """

    kind: ClassVar[str] = "sidecar"
    of: str
    metadata: str
    drawn_on: tuple[str, ...] = ()
    native_json: str | None = None
    dicom: str | None = None
    landmarks: tuple[tuple[str, str], ...] = ()
    structure_set: str | None = None
    structures: tuple[tuple[int, tuple[str, ...]], ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the data file, and the images that it was drawn on."""
        return (self.of, *self.drawn_on)

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the DICOM file that says how the image was acquired."""
        return (self.dicom,) if self.dicom else ()

    def is_wanted(self, present: Collection[str]) -> bool:
        """Say whether the data file exists."""
        return self.of in present


@dataclass(frozen=True, slots=True, kw_only=True)
class ScansJob(Job):
    """The ``scans.tsv`` of a subject or session: each data file and where it comes from."""

    kind: ClassVar[str] = "scans"
    of: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the data files that have a row."""
        return self.of

    def is_wanted(self, present: Collection[str]) -> bool:
        """Say whether any data file exists."""
        return bool(present)


@dataclass(frozen=True, slots=True)
class Failure:
    """Source files that cannot be converted, and why."""

    sources: tuple[str, ...]
    message: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about the source as a whole; no error."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a conversion writes, and where each source file goes.

    ``base`` are the folders above the data, see :mod:`.above`: ``""`` or ``"a/b/"``.
    """

    dataset: str
    edition: str
    units: tuple[Unit, ...]
    shared: tuple[Job, ...]
    ignored: tuple[tuple[str, str], ...]
    unclaimed: tuple[str, ...]
    failures: tuple[Failure, ...]
    remarks: tuple[Remark, ...]
    file_count: int
    base: str = ""

    @property
    def jobs(self) -> Iterator[Job]:
        """Yield the jobs of all units."""
        return (job for unit in self.units for job in unit.jobs)
