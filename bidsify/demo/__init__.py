"""Write small synthetic datasets in their native layout, for ``bidsify demo`` and for tests."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SHARED = frozenset(
    {
        "abdomen",
        "brain",
        "brats",
        "cerebellopontine",
        "crossmoda",
        "head",
        "heart",
        "native",
        "phantom",
        "radiotherapy",
        "schwannoma_cases",
        "schwannoma_series",
        "spinal_canal",
    }
)


def names() -> tuple[str, ...]:
    """List the datasets that have a generator, sorted."""
    found = {module.name for module in pkgutil.iter_modules(__path__)}
    return tuple(sorted(found - _SHARED))


def make(name: str, folder: Path) -> None:
    """Write the dataset ``name`` below ``folder``, as its users download it."""
    if name not in names():
        message = f"no synthetic dataset {name!r}; there are {', '.join(names())}"
        raise ValueError(message)
    import_module(f"{__name__}.{name}").make(folder)


def label_table(name: str) -> str | None:
    """Return the label table that a user must state for ``name``; None where it is known."""
    found: str | None = getattr(import_module(f"{__name__}.{name}"), "LABEL_TABLE", None)
    return found
