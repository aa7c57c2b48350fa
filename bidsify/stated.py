"""Label tables that a user states, for datasets whose sources do not agree on one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .dataset import Dataset, Segmentation
from .errors import UsageError
from .labels import read_label_table

_SAID = "The label table was stated by whoever converted the dataset, not by its source."


def is_complete(dataset: Dataset) -> bool:
    """Say whether all label tables of a dataset are known."""
    return not any(_lacks_table(product) for product in dataset.products)


def with_label_table(dataset: Dataset, path: Path) -> Dataset:
    """Return the dataset with the label table that a user states.

    Raises:
        UsageError: The table of the dataset is known, or this one has no background.
        DeclarationError: The file is no label table.
    """
    if is_complete(dataset):
        msg = f"{path}: the label table of {dataset.name!r} is known; see 'bidsify datasets "
        msg += f"{dataset.name}', and write a declaration of your own for another one"
        raise UsageError(msg)
    table = read_label_table(path)
    if 0 not in table.names:
        msg = f"{path}: has no row for 0, the background; add it"
        raise UsageError(msg)
    if table.codings:
        msg = f"{path}: states other native values ({table.codings[0]}); state those of the files"
        raise UsageError(msg)
    products = tuple(
        replace(
            product,
            labels=table,
            sidecar={**product.sidecar, "Description": _described(product)},
        )
        if isinstance(product, Segmentation) and _lacks_table(product)
        else product
        for product in dataset.products
    )
    return replace(dataset, products=products)


def require_labels(dataset: Dataset) -> None:
    """Refuse a dataset whose label table nobody stated.

    Raises:
        UsageError: There is none.
    """
    if not is_complete(dataset):
        msg = (
            f"what the label values of {dataset.title} mean is not known for sure; state it with "
            f"--label-table FILE (columns index, name), see 'bidsify datasets {dataset.name}'"
        )
        raise UsageError(msg)


def _lacks_table(product: object) -> bool:
    return isinstance(product, Segmentation) and not product.labels.is_stated


def _described(product: Segmentation) -> str:
    return f"{product.sidecar.get('Description', '')} {_SAID}".strip()
