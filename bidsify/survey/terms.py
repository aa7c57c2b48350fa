"""What may be done with the data of a tree: the judgment that sharing goes by, and no other."""

from __future__ import annotations

from pathlib import Path

from .. import datasets
from ..dataset import Dataset
from ..sharing.terms import of_tree
from .values import TermsFacts


def declared(name: str) -> Dataset | None:
    """Return the declaration of a dataset that a record names, if that is a known one.

    A name from a record never leads to a file: a stranger's declaration is code.
    """
    return datasets.load(name) if name in datasets.names() else None


def terms(root: Path, licence: str = "") -> TermsFacts:
    """Return the terms; ``licence`` is what ``dataset_description.json`` states, for the page."""
    strictest = of_tree(root).strictest
    return TermsFacts(
        stated=licence,
        known=strictest.licence,
        summary=strictest.summary,
        evidence=strictest.evidence,
        redistribution=strictest.redistribution,
    )
