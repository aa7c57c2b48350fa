"""One segmentation as numbers: its grid, and for each label volume, place and largest slice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from ..cases.case import Case
from ..cases.grids import place_of, read_header
from ..cases.values import read_labels
from ..errors import SourceError
from ..label_colors import chosen_color
from ..label_values import distinct
from ..readers.nifti import image_shape
from ..tree_description import parse_description
from ..volume import Array
from .values import CaseFacts, LabelFacts

MOST_VALUES = 1000  # more are no labels
_BLOCK = 1 << 22  # voxels looked at together: bounds the memory of their indices
_LARGEST_BOX = 1 << 24  # voxels in which the pieces of one label are counted
_MOST_OF_BOXES = 1 << 27  # the same for all labels of a case
_COARSER = 1.2  # slices lie across an axis whose spacing is so much larger than the others
_TOUCHING = np.ones((3, 3, 3), bool)
_EXCEPTION = "GridDiffersFromSources"  # a sidecar may state that the authors made it so
_LARGEST_SIDECAR = 1 << 20  # bytes
_UNITS: Mapping[int, float] = {1: 1000.0, 2: 1.0, 3: 1e-3}  # NIFTI_UNITS of length, in mm


@dataclass(frozen=True, slots=True)
class Task:
    """A case with its scheme, and the colours and names of that.

    ``fault`` says why its segmentation cannot be read, where that is known.
    """

    case: Case
    scheme: int
    names: Mapping[int, str]
    colors: Mapping[int, str]
    fault: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Profiles:
    """For each of three axes, how many voxels of each value each slice holds: (slices, values)."""

    values: Sequence[int]
    axes: tuple[Array, Array, Array]


def measure(root: Path, task: Task) -> CaseFacts:
    """Measure a case; what cannot be read is said in ``fault``."""
    case = task.case
    facts = CaseFacts(case, task.scheme, fault=task.fault)
    images = [*case.images.values(), *case.others.values(), *case.series.values()]
    path = case.segmentation if case.segmentation and not task.fault else next(iter(images), None)
    if path is None:
        why = "it has neither a segmentation nor an image"
        return replace(facts, fault=facts.fault or why)
    try:
        header = read_header(root, path)
        affine = place_of(header).affine * _in_mm(header)[1]
        facts = replace(_on_grid(facts, header), grid_is_stated=_is_stated(root, case))
        if case.segmentation is None or task.fault:
            return facts
        labels, _ = read_labels(root, path)
        return replace(facts, labels=_labels(labels, affine, task))
    except MemoryError:
        why = f"{path}: too large for the memory of this machine"
    except Exception as error:  # noqa: BLE001  one file must not cost the facts of all others
        why = _sentence(error, path, root)
    return replace(facts, fault=facts.fault or why)


def _is_stated(root: Path, case: Case) -> bool:
    """Say whether a sidecar states that the segmentation lies on another grid than its images."""
    if case.segmentation is None or case.images or case.series:
        return False
    path = root / f"{case.segmentation.removesuffix('.gz').removesuffix('.nii')}.json"
    if not path.is_file():  # a pipe would wait for ever
        return False
    with path.open("rb") as stream:
        sidecar, _ = parse_description(stream.read(_LARGEST_SIDECAR))
    return sidecar.get(_EXCEPTION) is True


def _sentence(error: Exception, path: str, root: Path) -> str:
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}".replace(f"{root}/", "")
    text = (str(error) or type(error).__name__).replace(f"{root}/", "")
    return text if path in text else f"{path}: {text}"


def _in_mm(header: nib.Nifti1Header) -> tuple[bool, float]:
    """Return whether the header states a unit of length, and how many millimetres that is."""
    factor = _UNITS.get(int(header["xyzt_units"]) & 7)
    return factor is not None, factor or 1.0


def _on_grid(facts: CaseFacts, header: nib.Nifti1Header) -> CaseFacts:
    """Add what the header says."""
    place, (is_known, factor) = place_of(header), _in_mm(header)
    affine = place.affine[:3, :3] * factor
    return replace(
        facts,
        shape=place.shape,
        spacing=tuple(float(x) for x in np.linalg.norm(affine, axis=0)),
        orientation=_orientation(place.affine),
        slice_axis=slice_axis(place.affine),
        in_mm=is_known,
    )


def _orientation(affine: Array) -> str:
    if not np.isfinite(affine).all():
        return "???"
    return "".join(letter or "?" for letter in nib.aff2axcodes(affine))


def slice_axis(affine: Array) -> int:
    """Return the axis across which people look at slices: the coarsest, else the one to the head.

    >>> slice_axis(np.diag([0.5, 4, 0.5, 1])), slice_axis(np.eye(4)[[0, 2, 1, 3]])
    (1, 1)
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    order = np.argsort(spacing)
    if spacing[order[2]] > _COARSER * spacing[order[1]]:
        return int(order[2])
    return int(np.argmax(np.abs(affine[2, :3]) / np.where(spacing > 0, spacing, 1)))


def _labels(labels: Array, affine: Array, task: Task) -> tuple[LabelFacts, ...]:
    labels = labels.reshape(image_shape(labels.shape), order="F")
    values = [value for value in distinct(labels) if value != 0]
    if len(values) > MOST_VALUES:
        msg = f"it holds {len(values)} different values, so these are no labels"
        raise SourceError(msg)
    profiles = _Profiles(values, _profiles(labels, values))
    frames = math.prod(labels.shape[3:])  # of a 4-D file: their volumes are no sum
    volume = abs(float(np.linalg.det(affine[:3, :3]))) / 1000 / frames
    volume = volume if np.isfinite(volume) else 0.0
    made, left = [], _MOST_OF_BOXES
    for place in range(len(values)):
        counts = [profile[:, place] for profile in profiles.axes]
        box = _box(counts)
        size = math.prod(each.stop - each.start for each in box)
        is_countable = labels.ndim == len(box) and size <= min(_LARGEST_BOX, left)
        left -= size if is_countable else 0
        pieces = _components(labels[box] == values[place]) if is_countable else None
        label = _label(values[place], counts, (slice_axis(affine), volume), task)
        made.append(replace(label, components=pieces))
    return tuple(made)


def _label(
    value: int, counts: Sequence[Array], measures: tuple[int, float], task: Task
) -> LabelFacts:
    axis, volume = measures
    voxels = int(counts[0].sum())
    x, y, z = (float(np.arange(len(each)) @ each / voxels) for each in counts)
    return LabelFacts(
        value=value,
        name=task.names.get(value, ""),
        color=task.colors[value] if value in task.colors else chosen_color(value),
        voxels=voxels,
        volume_ml=voxels * volume,
        centroid_ijk=(x, y, z),
        largest_slice=(axis, int(np.argmax(counts[axis]))),
        slices=int(np.count_nonzero(counts[axis])),
    )


def _profiles(labels: Array, values: Sequence[int]) -> tuple[Array, Array, Array]:
    """Count each value in each slice; axes beyond the third are summed up."""
    kinds = np.array(values)
    shape, many = labels.shape, len(values)
    made = [np.zeros(n * many, np.int64) for n in shape[:3]]
    step = max(1, _BLOCK * shape[2] // labels.size)
    for start in range(0, shape[2], step):
        block = labels[:, :, start : start + step]
        where = np.nonzero(block)
        kind = np.searchsorted(kinds, block[where])
        where = (*where[:2], where[2] + start)
        for places, counts in zip(where, made, strict=True):
            np.add(counts, np.bincount(places * many + kind, minlength=len(counts)), out=counts)
    x, y, z = (each.reshape(n, many) for each, n in zip(made, shape[:3], strict=True))
    return x, y, z


def _box(counts: Sequence[Array]) -> tuple[slice, ...]:
    """Return the box around a label."""
    where = [np.flatnonzero(each) for each in counts]
    return tuple(slice(int(each[0]), int(each[-1]) + 1) for each in where)


def _components(mask: Array) -> int:
    """Count the pieces of a label."""
    _, number = ndimage.label(mask, _TOUCHING)
    return int(number)
