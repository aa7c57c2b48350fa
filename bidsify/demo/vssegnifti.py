"""Write the NIfTI files that the authors' script makes of Vestibular-Schwannoma-SEG.

Its options change the names: with a registration, T2 lies on the grid of T1; with all structures,
each has a file of its own, and there is no file of the tumour by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import cerebellopontine, native, schwannoma_cases
from .schwannoma_cases import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from .schwannoma_cases import Case

_REGISTERED = frozenset({12})
_ALL_STRUCTURES = frozenset({1})


def make(folder: Path) -> None:
    """Write four cases below ``folder``: one registered, one with all its structures."""
    for case in CASES:
        for what, grid, data in _volumes(case):
            matrix = cerebellopontine.to_ras(case.stack(grid).matrix())
            file = f"vs_gk_{what}_ref{grid.upper()}.nii.gz"
            content = native.gzipped(native.nifti(data, matrix))
            native.save(folder / f"vs_gk_{case.number}" / file, content)


def _volumes(case: Case) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """Give each volume of a case, with what it shows and the grid on which it lies."""
    onto = "t1" if case.number in _REGISTERED else "t2"
    yield "t1", "t1", schwannoma_cases.scan(case, "t1")
    yield "t2", onto, schwannoma_cases.scan(case, "t2", onto)
    for grid in dict.fromkeys(("t1", onto)):
        masks = schwannoma_cases.masks(case, grid)
        if case.number in _ALL_STRUCTURES:
            for place, (name, (mask, _)) in enumerate(masks.items(), start=1):
                yield f"struc{place}_{name}", grid, mask.astype(np.uint8)
        else:
            first, _ = masks[case.structures[0].name]
            yield "seg", grid, first.astype(np.uint8)
