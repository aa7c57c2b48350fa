"""What a page shows of the voxels of a case: one slice, and its volumes made small enough.

This runs in worker processes, one case at a time, so no more than one volume is in memory with the
labels of its case. What comes back is packed, as the page waits for all cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..cases import values
from ..errors import SourceError
from ..survey.values import CaseFacts
from ..volume import Array
from . import drawing, geometry
from .frame import Frame, frame_of
from .packing import Packed, pack, pack_labels

_PERCENTILES = (1.0, 99.5)


@dataclass(frozen=True, slots=True)
class Request:
    """A case, what to show of it, and how many voxels and volumes of each image at most.

    ``contrasts`` are keys of its images; ``series`` says whether its series are shown too.
    ``colors`` are those of its labels, by value.
    """

    facts: CaseFacts
    contrasts: tuple[str, ...]
    most: int
    most_volumes: int = 1
    series: bool = False
    colors: Mapping[int, str] = field(default_factory=dict)

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the path of each image to show, series last."""
        case = self.facts.case
        yield from ((name, case.images[name]) for name in self.contrasts)
        for name, path in sorted(case.series.items()) if self.series else ():
            yield (f"{name} (series)" if name in case.images else name), path


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice as a picture: rows from top to bottom.

    ``size`` is its width and height in mm. ``grey`` are the values of an image, packed, of
    ``shape`` (rows, columns); ``contours`` is a PNG. None: there is no image, no segmentation.
    """

    size: tuple[float, float]
    shape: tuple[int, ...]
    grey: Packed | None
    contours: bytes | None


@dataclass(frozen=True, slots=True)
class Image:
    """A packed image of so many volumes, and the percentiles that its window is made of."""

    contrast: str
    packed: Packed
    volumes: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """All that is shown of a case; ``fault`` says why nothing is, ``notes`` what is left out.

    ``step`` says for each axis that every step-th voxel is in the volumes, whose size is
    ``shape``; ``start`` is where the crosshair begins. ``affine`` is that of the file, and
    ``across`` the axis that the slice lies on.
    """

    name: str
    fault: str = ""
    notes: tuple[str, ...] = ()
    slice: Slice | None = None
    shape: tuple[int, ...] = ()
    step: tuple[int, ...] = ()
    start: tuple[int, ...] = ()
    affine: Array | None = None
    axes: geometry.Axes = ()
    across: int = 2
    images: tuple[Image, ...] = ()
    labels: Packed | None = None
    present: tuple[int, ...] = ()


def picture(root: Path, request: Request) -> Pictures:
    """Return what is shown of a case; a case that cannot be read is one with a fault."""
    name = request.facts.case.name
    try:
        return _picture(root, request)
    except SourceError as error:
        return Pictures(name, fault=str(error))
    except MemoryError:
        return Pictures(name, fault="it does not fit into memory; use fewer processes (-j)")
    except Exception as error:  # noqa: BLE001  one case must not cost the page of all others
        path = request.facts.case.segmentation or name
        return Pictures(name, fault=f"{path}: damaged file: {error}")


def _picture(root: Path, request: Request) -> Pictures:
    facts = request.facts
    labels, frame, why = _labels(root, request)
    images, notes, grey = list[Image](), list[str](), None
    for contrast, path in request.paths():
        try:
            found, affine = _read_image(root, path)
            frame = frame or _frame(request, path, affine, found.shape[:3])
            volumes = frame.volumes(found, path, request.most_volumes)
        except SourceError as error:
            notes.append(f"Not shown: {error}.")
            continue
        if found.size > volumes.size:
            notes.append(f"Of the volumes of {path} the first is shown, or the first few.")
        images.append(_image(contrast, frame.thinned(volumes)))
        grey = frame.plane(volumes[..., 0]) if grey is None else grey
    if facts.case.series and not request.series:
        notes.append(f"Series are not shown: {', '.join(sorted(facts.case.series))}.")
    if frame is None:
        fault = why or " ".join(notes) or "it has no image to show"
        return Pictures(facts.case.name, fault=fault)
    if why:
        notes.insert(0, f"Segmentation not shown: {why}.")
    shown = _slice(frame, grey, labels, request.colors)
    return _pictures(facts, frame, labels, images=images, shown=shown, notes=notes)


def _labels(root: Path, request: Request) -> tuple[Array | None, Frame | None, str]:
    """Return the labels of a case and their grid, or why its images are shown without."""
    facts = request.facts
    if (path := facts.case.segmentation) is None or facts.fault:
        return None, None, facts.fault if path else ""
    try:
        labels, affine = values.read_labels(root, path)
        return labels, _frame(request, path, affine, labels.shape, labels), ""
    except SourceError as error:
        return None, None, str(error)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  the images of the case can be shown all the same
        return None, None, f"{path}: damaged file: {error}"


def _frame(
    request: Request, path: str, affine: Array, shape: tuple[int, ...], labels: Array | None = None
) -> Frame:
    across = request.facts.slice_axis
    return frame_of(path, affine, shape, across=across, most=request.most, labels=labels)


def _read_image(root: Path, path: str) -> tuple[Array, Array]:
    """Read an image; one that no reader is prepared for is left out like any broken one."""
    try:
        return values.read_image(root, path)
    except (SourceError, MemoryError):
        raise
    except Exception as error:
        msg = f"{path}: damaged file: {error}"
        raise SourceError(msg) from error


def _slice(
    frame: Frame, grey: Array | None, labels: Array | None, colors: Mapping[int, str]
) -> Slice:
    outlines = None if labels is None else drawing.contours(frame.plane(labels), colors)
    shape = () if grey is None else grey.shape
    return Slice(frame.size(), shape, None if grey is None else pack(grey), outlines)


def _pictures(
    facts: CaseFacts,
    frame: Frame,
    labels: Array | None,
    *,
    images: list[Image],
    shown: Slice,
    notes: list[str],
) -> Pictures:
    thin = None if labels is None else frame.thinned(labels)
    packed = None if thin is None else pack_labels(thin)
    if thin is not None and packed is None:
        notes.append("The viewer has no labels: there are too many different values.")
        thin = None
    present = () if thin is None else tuple(int(value) for value in np.unique(thin) if value)
    if max(frame.step) > 1:
        notes.append(f"The viewer has not all voxels, but every {_every(frame.step)}.")
        lost = sorted({label.value for label in facts.labels} - {*present})
        if lost and packed is not None:
            notes.append(f"Labels too small to be among them: {', '.join(map(str, lost))}.")
    return Pictures(
        facts.case.name,
        notes=tuple(notes),
        slice=shown,
        shape=geometry.thinned(frame.shape, frame.step),
        step=frame.step,
        start=tuple(at // by for at, by in zip(frame.start, frame.step, strict=True)),
        affine=frame.affine,
        axes=frame.axes,
        across=frame.across,
        images=tuple(images),
        labels=packed,
        present=present,
    )


def _image(contrast: str, volumes: Array) -> Image:
    numbers = volumes[np.isfinite(volumes)]
    low, high = np.percentile(numbers, _PERCENTILES) if numbers.size else (0.0, 1.0)
    return Image(contrast, pack(volumes), volumes.shape[3], float(low), float(high))


def _every(step: tuple[int, ...]) -> str:
    """Say how a grid was thinned out.

    >>> _every((2, 2, 1))
    '2nd along i, 2nd along j, 1st along k'
    """
    ends = {1: "st", 2: "nd", 3: "rd"}
    named = zip(step, "ijk", strict=True)
    return ", ".join(f"{by}{ends.get(by, 'th')} along {axis}" for by, axis in named)
