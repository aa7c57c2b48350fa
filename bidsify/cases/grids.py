"""Where an image lies, by its header: read of many files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..errors import SourceError
from ..readers import nifti

_AXES = 3


@dataclass(frozen=True, slots=True)
class Grid(nifti.Place):
    """Where an image lies, and what its header says besides.

    ``is_flat`` where it has two axes at most, though ``shape`` has three. ``not_grey`` names what
    its values are where they are no grey values; empty else.
    """

    is_flat: bool
    not_grey: str


def read_grids(
    root: Path, paths: Iterable[str], workers: int
) -> tuple[Mapping[str, Grid], Mapping[str, str]]:
    """Return the grid of each file, and of those that cannot be read the reason."""
    grids, faults = dict[str, Grid](), dict[str, str]()
    named = []
    for path in sorted(paths):
        text = named_as(path)
        if text == path:
            named.append(path)
        else:  # no document can name it
            faults[text] = "its name is no UTF-8; rename it"
    for path, found in run_all(_read, root, named, workers):
        if isinstance(found, WorkerDiedError):
            faults[path] = "the process that read it was killed"
        elif isinstance(found, str):
            faults[path] = found
        else:
            grids[path] = found
    return grids, faults


def named_as(path: str) -> str:
    """Return how a path is written in texts; only names that are no UTF-8 change."""
    return path.encode("utf-8", "backslashreplace").decode()


def read_header(root: Path, path: str) -> nib.Nifti1Header:
    """Return the header of an image, which states a grid, a place and a type of values.

    Raises:
        SourceError: It cannot be read, or states none.
    """
    location = root / path
    try:
        header = nifti.peek_header(location)
        shape, affine = header.get_data_shape(), header.get_best_affine()
        is_sound = bool(shape) and min(shape) >= 1 and bool(np.isfinite(affine).all())
        header.get_data_dtype()
    except SourceError as error:
        why = str(error).removeprefix(f"{location}: ")
    except OSError as error:
        why = error.strerror or str(error)
    except (HeaderDataError, ValueError, OverflowError, KeyError, EOFError) as error:
        why = f"broken NIfTI header: {error}"
    except Exception as error:  # noqa: BLE001  isal's own error is no public class
        why = f"damaged file: {error}"
    else:
        if is_sound:
            return header
        why = f"broken NIfTI header: a grid of {tuple(map(int, shape))} voxels without a place"
    msg = f"{path}: {why}"
    raise SourceError(msg)


def place_of(header: nib.Nifti1Header) -> nifti.Place:
    """Return where an image lies; the shape has three axes at least, and no 1 behind these."""
    shape = nifti.image_shape(tuple(int(n) for n in header.get_data_shape()))
    return nifti.Place(shape, np.asarray(header.get_best_affine(), dtype=np.float64))


def _read(root: Path, path: str) -> Grid | str:
    try:
        header = read_header(root, path)
    except SourceError as error:
        return str(error).removeprefix(f"{path}: ")
    place, is_flat = place_of(header), len(header.get_data_shape()) < _AXES
    return Grid(place.shape, place.affine, is_flat, _not_grey(header.get_data_dtype()))


def _not_grey(kind: np.dtype[Any]) -> str:
    if kind.fields:
        return "colours"
    return "" if kind.kind in "biuf" else f"{kind} numbers"
