"""The known datasets: one declaration ``<name>.py`` and its label table ``<name>.tsv`` each.

The folder is listed, so there is no list to edit when a dataset is added. A dataset that is part
of this package also needs ``bidsify/demo/<name>.py`` with ``make(folder)`` and the generated
pages: see "Add a dataset" in ``docs/architecture.md``. A declaration of one's own is one file and
its table, wherever they lie; packages can offer more through the entry point group
``bidsify.datasets``.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from ..dataset import Dataset
from ..declaration import check
from ..errors import BidsifyError, DeclarationError, UsageError

_GROUP = "bidsify.datasets"


def names() -> tuple[str, ...]:
    """List the known datasets."""
    return tuple(sorted({*_built_in(), *_plugged_in()}))


def load(name: str) -> Dataset:
    """Return a declaration by its name, or from a Python file.

    Raises:
        UsageError: There is no such dataset.
        DeclarationError: The file does not define ``DATASET``.
    """
    if name.endswith(".py"):
        return _from_file(Path(name))
    if name in names():
        return _known(name)
    for known in _built_in():
        if name in _known(known).also:
            return _known(known)
    msg = f"no dataset {name!r}; known are: {', '.join(names())}, or a file ./mine.py"
    raise UsageError(msg)


@cache
def _known(name: str) -> Dataset:
    if name in _built_in():  # tests check these
        found: Dataset = import_module(f".{name}", __name__).DATASET
        return found
    return _checked(_plugged_in()[name].load(), name)


@cache
def _built_in() -> tuple[str, ...]:
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


@cache
def _plugged_in() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}


def _from_file(path: Path) -> Dataset:
    if not path.is_file():
        msg = f"{path}: no such declaration file"
        raise UsageError(msg)
    spec = importlib.util.spec_from_file_location(f"bidsify_declaration_{path.stem}", path)
    if spec is None or spec.loader is None:
        msg = f"{path}: not a Python file"
        raise UsageError(msg)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BidsifyError:
        raise
    except Exception as error:  # a declaration is a program: anything can go wrong in it
        msg = f"{path}: not a working declaration: {type(error).__name__}: {error}"
        raise DeclarationError(msg) from error
    return _checked(module, str(path))


def _checked(module: object, name: str) -> Dataset:
    found = getattr(module, "DATASET", module)
    if not isinstance(found, Dataset):
        msg = f"{name}: defines no DATASET; see examples/ for a declaration"
        raise DeclarationError(msg)
    check(found)
    return found
