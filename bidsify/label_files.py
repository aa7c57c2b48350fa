"""The label tables of a dataset, each once, and the segmentations that it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .dataset import Dataset, Segmentation
from .entities import format_name, label_of
from .labels import LabelTable
from .regions import with_regions


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label table with its regions, and the segmentations whose values it explains.

    ``name`` is that of its file at the root of a tree, such as ``seg-zones_dseg.tsv``. BIDS has
    no such file for other segmentations than ``dseg``: for these it is what they end in.
    """

    name: str
    table: LabelTable
    segmentations: Sequence[Segmentation]

    @property
    def is_written(self) -> bool:
        """Say whether there is such a file in a tree."""
        return self.name.endswith(".tsv")

    @property
    def descriptions(self) -> tuple[str, ...]:
        """What the segmentations show, as the declaration says it; each text once."""
        texts = (product.sidecar.get("Description") for product in self.segmentations)
        return tuple(dict.fromkeys(str(text) for text in texts if text))


def label_files(dataset: Dataset) -> tuple[LabelFile, ...]:
    """Return all label tables, in the order of the declaration; none has rows if unstated."""
    groups: dict[str, list[Segmentation]] = {}
    for product in dataset.products:
        if isinstance(product, Segmentation):
            groups.setdefault(_name(product), []).append(product)
    return tuple(
        LabelFile(name, with_regions(found[-1].labels, dataset.regions), tuple(found))
        if name.endswith(".tsv")
        else LabelFile(name, found[-1].labels, tuple(found))
        for name, found in groups.items()
    )


def _name(product: Segmentation) -> str:
    if product.suffix != "dseg":
        return f"_{product.suffix}.nii.gz"
    part = product.entities.get("segmentation")
    return format_name({"segmentation": label_of(part)} if part else {}, "dseg", ".tsv")
