"""Write small synthetic datasets in their native layout, for ``bidsify demo`` and for tests.

A module that has ``make(folder)`` is the generator of the dataset of its name; the others hold
what generators share.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def names() -> tuple[str, ...]:
    """List the datasets that have a generator, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if hasattr(_module(name), "make")))


def make(name: str, folder: Path) -> None:
    """Write the dataset ``name`` below ``folder``, as its users download it.

    Raises:
        ValueError: The dataset has no generator.
    """
    if name not in names():
        message = (
            f"no synthetic dataset {name!r}; there are {', '.join(names())}; for a new one write "
            f"bidsify/demo/{name}.py with make(folder)"
        )
        raise ValueError(message)
    _module(name).make(folder)


def label_table(name: str) -> str | None:
    """Return the label table that a user must state for ``name``; None where it is known."""
    found: str | None = getattr(_module(name), "LABEL_TABLE", None)
    return found


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
