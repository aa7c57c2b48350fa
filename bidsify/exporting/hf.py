"""Metadata for the ``niftifolder`` loader of Hugging Face ``datasets``.

The loader takes paths below the folder of ``metadata.csv`` alone, so that folder gets one link
to the tree; a folder for each split, because the loader takes splits from names of folders.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..cases.case import Case
from ..printable import some
from .beginning import DRAWN_IN_PART, Begun, begin
from .folder import link, new_folder, way
from .people import TEST, TRAINING, VALIDATION
from .result import Exported
from .selection import Choice

_NAME, _TREE = "metadata.csv", "tree"
_FOLDERS = {TRAINING: "train", VALIDATION: "validation", TEST: "test"}  # words of the loader


def export_hf(
    root: Path, dest: Path, choice: Choice, group: str | None = None, workers: int = 1
) -> Exported:
    """Write ``metadata.csv`` and a link to the tree, for each split where the tree has splits.

    Columns: case, subject, one of images for each contrast, and ``dseg``. Cases without a
    segmentation are left out: the loader wants the same columns everywhere. ``group`` is a
    column of ``participants.tsv``; a note says where splits tear its values apart.

    Raises:
        UsageError: There is nothing to export, it is not clear what, or ``dest`` is in use or
            in the tree.
    """
    begun = begin(root, choice, workers, DRAWN_IN_PART, takes_flat=True)
    split: dict[str, list[Case]] = {}
    for case in begun.chosen.labelled:
        folder = _FOLDERS[begun.split(case)] if begun.people.has_splits else ""
        split.setdefault(folder, []).append(case)
    parts = ((case.subject, begun.split(case)) for case in begun.chosen.labelled)
    divided = begun.people.divided(parts, group)
    with new_folder(dest, root) as staging:
        for name, cases in sorted(split.items()):
            (staging / name).mkdir(exist_ok=True)
            _write(staging / name / _NAME, cases, begun.chosen.channels)
            link(staging / name / _TREE, way(root, dest / name))
    counts = {name or "train": len(cases) for name, cases in sorted(split.items())}
    command = f'datasets.load_dataset("niftifolder", data_dir={str(dest)!r})'
    left_out = {case.name: "it has no segmentation" for case in begun.chosen.unlabelled}
    return Exported(
        dest,
        counts,
        {**begun.chosen.left_out, **left_out},
        (*divided, *_notes(begun)),
        begun.failures,
        (command,),
    )


def _write(path: Path, cases: Sequence[Case], channels: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        images = [f"{name}_file_name" for name in channels]
        rows.writerow(["case", "subject", *images, "dseg_file_name"])
        for case in cases:
            paths = [*(case.images[name] for name in channels), case.segmentation or ""]
            # a number alone would be read as one, and 007 become 7
            who = [case.name, f"sub-{case.subject}"]
            rows.writerow([*who, *(f"{_TREE}/{path}" for path in paths)])


def _notes(begun: Begun) -> tuple[str, ...]:
    plain = [path for case in begun.chosen.labelled for path in case.images.values() if ":" in path]
    more = (f"the loader may take these for addresses: {some(plain)}",) if plain else ()
    return (*begun.notes, *more)
