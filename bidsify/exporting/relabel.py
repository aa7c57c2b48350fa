"""Look into segmentations, and write those anew whose values must change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from .. import gz
from ..cases.values import read_segmentation
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import SourceError
from ..label_values import distinct
from ..readers import nifti
from ..volume import Array

_DIED = "the process that read it was killed"
_OF_THE_GRID = (
    "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip
_NO_EXTENSION = 4  # bytes that say so
_TYPES = (np.uint8, np.int16, np.int32, np.int64)


@dataclass(frozen=True, slots=True)
class Look:
    """The values in a segmentation; ``is_plain`` where it is stored as integers, unscaled."""

    values: tuple[int, ...]
    is_plain: bool

    @property
    def is_empty(self) -> bool:
        """Say whether all is background."""
        return self.values == (0,)


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A segmentation to write at ``target``, with each value replaced."""

    source: str
    target: str
    mapping: Mapping[int, int]


def look(root: Path, paths: Iterable[str], workers: int) -> dict[str, Look | str]:
    """Return what is in each segmentation, or the sentence that says why it cannot be read."""
    return {
        path: f"{path}: {_DIED}" if isinstance(found, WorkerDiedError) else found
        for path, found in run_all(_look, root, list(paths), workers)
    }


def write(
    root: Path, folder: Path, tasks: Iterable[Relabelled], workers: int
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Write segmentations into a folder; return target -> SHA-256, and failures as sentences."""
    tasks = list(tasks)
    for parent in {(folder / task.target).parent for task in tasks}:
        parent.mkdir(parents=True, exist_ok=True)
    hashes, failures = dict[str, str](), list[str]()
    for task, found in run_all(_write, (root, folder), tasks, workers):
        if isinstance(found, WorkerDiedError):
            failures.append(f"{task.source}: {_DIED}")
        elif isinstance(found, str):
            failures.append(found)
        else:
            hashes[task.target] = found.hex()
    return hashes, tuple(sorted(failures))


def mapped(labels: Array, mapping: Mapping[int, int], path: str) -> Array:
    """Replace each value, in the smallest type that holds the new ones.

    Raises:
        SourceError: A value has no other.
    """
    if strange := [value for value in distinct(labels) if value not in mapping]:
        msg = f"{path}: the value {strange[0]} is not in the map of labels"
        raise SourceError(msg)
    old = np.array(sorted(mapping), dtype=np.int64)
    new = np.array([mapping[int(value)] for value in old])
    low, top = int(new.min()), int(new.max())
    fits = (t for t in _TYPES if np.iinfo(t).min <= low and top <= np.iinfo(t).max)
    dtype = next(fits)
    return np.asarray(new.astype(dtype)[np.searchsorted(old, labels)])


def packed(like: nib.Nifti1Header, labels: Array, target: str) -> bytes:
    """Return a file of labels on the grid of another one; the same bytes on each processor.

    Nothing but the grid is taken over: a text in the header of an image may speak of a person.
    """
    header = type(like)(endianness=like.endianness)
    header.set_data_dtype(labels.dtype.newbyteorder(like.endianness))
    header.set_data_shape(labels.shape)
    for name in _OF_THE_GRID:
        header[name] = like[name]
    header["pixdim"] = [*like["pixdim"][:4], *[1] * 4]
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["vox_offset"] = len(header.binaryblock) + _NO_EXTENSION
    raw = bytes(header.binaryblock) + bytes(_NO_EXTENSION)
    raw += labels.astype(header.get_data_dtype(), copy=False).tobytes(order="F")
    return gz.pack(raw, reproducible=True) if target.endswith(".gz") else raw


def _look(root: Path, path: str) -> Look | str:
    try:
        image, labels = read_segmentation(root, path)
    except SourceError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  one file must not cost the export of all others
        return f"{path}: damaged file: {error}"
    kind = image.header.get_data_dtype().kind
    is_plain = kind in "iu" and not nifti.is_scaled(image) and image.shape == labels.shape
    return Look(tuple(distinct(labels)), is_plain)


def _write(where: tuple[Path, Path], task: Relabelled) -> bytes | str:
    root, folder = where
    try:
        image, labels = read_segmentation(root, task.source)
        labels = mapped(labels, task.mapping, task.source)
        content = packed(image.header, labels, task.target)
    except SourceError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  one file must not cost the export of all others
        return f"{task.source}: damaged file: {error}"
    (folder / task.target).write_bytes(content)
    return hashlib.sha256(content).digest()
