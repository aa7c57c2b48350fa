"""Bring predictions of nnU-Net back as a BIDS derivative with the label values of the tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib

from ..cases.grids import place_of, read_header
from ..cases.values import read_segmentation
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..entities import label_of
from ..errors import SourceError, UsageError
from ..printable import some
from ..readers.places import same_grid
from .beginning import MAP
from .export_map import ExportMap, Origin, read_map
from .folder import new_folder, way
from .prediction_names import target_names
from .prediction_texts import Described, write_texts
from .relabel import mapped, packed

_ENDINGS = (".nii.gz", ".nii")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written, as paths in ``folder``, and what not; no folder where nothing was."""

    folder: Path
    written: tuple[str, ...]
    notes: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """A prediction, the files that show its grid, the first that is there, and its target."""

    prediction: str
    origin: Origin
    target: str


@dataclass(frozen=True, slots=True)
class _Setting:
    root: Path
    predictions: Path
    folder: Path
    backward: Mapping[int, int]


class _NothingError(Exception):
    """No prediction could be used; the argument are the reasons."""


def import_predictions(  # noqa: PLR0917  two inputs, the output, and how
    root: Path,
    predictions: Path,
    out: Path,
    export: Path | None = None,
    model: str = "nnUNet",
    workers: int = 1,
) -> Imported:
    """Write a derivative of ``root``; what fails is said, and others go on.

    Raises:
        UsageError: There is no map, no prediction, no name of a model, or ``out`` is in use.
    """
    files = _checked(root, predictions, model)
    known = read_map(export or predictions / MAP)
    names, failures = target_names(known, label_of(model))
    tasks = [_Task(files[name], known.cases[name], names[name]) for name in files if name in names]
    notes, missing = _missing(known, files)
    failures += missing
    written: list[str] = []
    try:
        with new_folder(out, root) as staging:
            setting = _Setting(root, predictions, staging, known.backward)
            written, failed = _write(setting, tasks, workers)
            failures += failed
            by_target = {task.target: task.origin for task in tasks}
            origins = {target: by_target[target] for target in written}
            write_texts(staging, origins, Described(root, way(root, out), known, model))
    except _NothingError as error:
        failures += error.args[0]
    return Imported(out, tuple(sorted(written)), tuple(notes), tuple(sorted(failures)))


def _checked(root: Path, predictions: Path, model: str) -> Mapping[str, str]:
    """Return the predictions, case -> file name, where all that is asked makes sense."""
    for folder in (root, predictions):
        if not folder.is_dir():
            msg = f"{folder}: no such folder"
            raise UsageError(msg)
    if not label_of(model):
        msg = f"{model!r} is no name for a model: it needs letters or digits; give --model"
        raise UsageError(msg)
    files = _files(predictions)
    if not files:
        msg = f"{predictions}: no predictions (*.nii.gz) in it"
        raise UsageError(msg)
    return files


def _write(setting: _Setting, tasks: Sequence[_Task], workers: int) -> tuple[list[str], list[str]]:
    """Return what was written, and the failures.

    Raises:
        _NothingError: Nothing could be written; it carries the failures.
    """
    written, failures = list[str](), list[str]()
    for task, found in run_all(_bring_back, setting, tasks, workers):
        if isinstance(found, WorkerDiedError):
            failures.append(f"{task.prediction}: the process that read it was killed")
        elif found:
            failures.append(found)
        else:
            written.append(task.target)
    if not written:
        raise _NothingError(failures)
    return written, failures


def _files(folder: Path) -> Mapping[str, str]:
    """Return case -> file name."""
    found = {}
    for path in sorted(folder.iterdir()):
        ending = next((each for each in _ENDINGS if path.name.endswith(each)), None)
        if ending:
            found[path.name.removesuffix(ending)] = path.name
    return found


def _missing(known: ExportMap, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return notes and failures: a case for tests that is missing is one, others need not be."""
    failures = [
        f"{file}: the export has no case of this name; was the file renamed?"
        for name, file in files.items()
        if name not in known.cases
    ]
    missing = [name for name in known.cases if name not in files]
    tests = [name for name in missing if known.cases[name].is_test]
    rest = [name for name in missing if not known.cases[name].is_test]
    failures += [f"{name}: no prediction of this case; expected {name}.nii.gz" for name in tests]
    return [f"no prediction of cases for training: {some(rest)}"] if rest else [], failures


def _bring_back(setting: _Setting, task: _Task) -> str:
    """Write one segmentation; return why that cannot be."""
    try:
        path, like = _reference(setting.root, task.origin)
        found, labels = read_segmentation(setting.predictions, task.prediction)
        for fault in _faults(found.header, like, task.prediction, path):
            return fault
        labels = mapped(labels, setting.backward, task.prediction)
        place = _place(setting.folder, task)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(packed(like, labels, task.target))
    except SourceError as error:
        return str(error)
    except OSError as error:
        return f"{task.prediction}: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001  one file must not cost all others
        return f"{task.prediction}: damaged file: {error}"
    return ""


def _place(folder: Path, task: _Task) -> Path:
    """Return where a segmentation goes, which is in the folder whatever a map says."""
    place = folder / task.target
    if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder)):
        msg = f"{task.prediction}: would lie outside of the derivative, at {task.target}"
        raise SourceError(msg)
    return place


def _reference(root: Path, origin: Origin) -> tuple[str, nib.Nifti1Header]:
    """Return the first file that is there of those on the grid of the case, and its header."""
    paths: Sequence[str] = [path for path in (origin.segmentation, *origin.images) if path]
    for path in paths:
        if (root / path).is_file():
            return path, read_header(root, path)
    msg = f"{paths[0]}: is not in the tree, so its grid is not known; give the tree of the export"
    raise SourceError(msg)


def _faults(found: nib.Nifti1Header, like: nib.Nifti1Header, name: str, path: str) -> Iterator[str]:
    one, other = place_of(found), place_of(like)
    if one.shape != other.shape:
        yield f"{name}: {one.shape} voxels, but {path} has {other.shape}; was it resampled?"
        return
    codes = int(like["sform_code"]), int(like["qform_code"])
    if codes == (0, 0):
        return  # where such a file lies, programs do not agree
    if not same_grid(one, other):
        yield f"{name}: lies elsewhere than {path}; were its axes changed?"
