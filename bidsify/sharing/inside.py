"""Datasets that lie in another tree, and what of a tree does not leave with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..errors import UsageError
from ..records.conversion import RECORD
from . import terms
from .contents import belongs
from .terms import Verdict

_MARKS = ("dataset_description.json", RECORD)


def datasets_in(paths: Iterable[str]) -> list[str]:
    """Return the folders below the root that are datasets of their own."""
    found = {
        path.removesuffix(f"/{mark}")
        for path in paths
        for mark in _MARKS
        if path.endswith(f"/{mark}")
    }
    return sorted(found)


def with_inner(root: Path, verdict: Verdict, inner: Iterable[str]) -> Verdict:
    """Return what is stated of a tree and of the datasets in it: all of it counts."""
    statements = list(verdict.statements)
    for folder in inner:
        try:
            found = terms.of_tree(root / folder, verdict.route)
        except UsageError:  # obtained by a route of its own
            found = terms.of_tree(root / folder)
        for each in found.statements:
            evidence = f"{each.evidence} (for {folder}/ in the tree)"
            statements.append(replace(each, evidence=evidence))
    return replace(verdict, statements=tuple(statements))


def left_out(root: Path) -> list[str]:
    """Return the folders at the root that do not leave with a dataset; hidden ones are not told."""
    found = []
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            continue
        if path.name == "code":
            is_apart = any(each.name != "bidsify" for each in path.iterdir())
        else:
            is_apart = not belongs(f"{path.name}/")
        if is_apart:
            found.append(f"{path.name}/")
    return found
