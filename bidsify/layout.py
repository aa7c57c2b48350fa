"""A converted tree as pybids sees it."""

from __future__ import annotations

from pathlib import Path

from bids import BIDSLayout

from .errors import UsageError
from .labels import LabelTable, read_label_table


class TreeLayout(BIDSLayout):  # type: ignore[misc]  # pybids has no types
    """A pybids layout of a derivative tree.

    ``is_derivative=True`` is set: without it pybids leaves out all segmentations in silence.
    ``label_tables`` maps the name of each table at the root to its rows.
    """

    label_tables: dict[str, LabelTable]

    def __init__(self, root: Path) -> None:
        if not (root / "dataset_description.json").is_file():
            msg = f"{root}: no dataset_description.json; is this a converted tree?"
            raise UsageError(msg)
        super().__init__(root, is_derivative=True)
        paths = sorted(root.glob("*dseg.tsv"))
        self.label_tables = {path.name: read_label_table(path) for path in paths}
