"""Tell editions of one dataset apart whose files have the same names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..dataset import Dataset, Image, Product, Segmentation
from ..planning.claims import sort_files
from ..source import Source
from . import probes


@dataclass(frozen=True, slots=True)
class Settled:
    """The edition that a source is, and the sign that tells."""

    dataset: Dataset
    because: str


def settle(source: Source, editions: Sequence[Dataset]) -> Settled | None:
    """Return the one edition for which signs speak: names first, then a look into some files.

    None where no sign speaks, or signs speak for several.
    """
    for asked in (_by_path, _by_label, _by_shape):
        spoken = [Settled(one, because) for one in editions if (because := asked(source, one))]
        if spoken:
            return spoken[0] if len(spoken) == 1 else None
    return None


def _by_path(source: Source, edition: Dataset) -> str:
    expressions = [re.compile(sign.path) for sign in edition.signs if sign.path]
    for path in sorted(source.sizes):
        for expression in expressions:
            if found := expression.search(path):
                return f"{found[0]!r} in a path such as {path} is a sign of it"
    return ""


def _by_label(source: Source, edition: Dataset) -> str:
    signs = {sign.label for sign in edition.signs if sign.label is not None}
    files = _files(source, edition, Segmentation) if signs else []
    found = sorted(signs & probes.label_values(source, files)) if files else []
    return f"the label {found[0]} in some of its segmentations is a sign of it" if found else ""


def _by_shape(source: Source, edition: Dataset) -> str:
    signs = {sign.shape for sign in edition.signs if sign.shape}
    files = _files(source, edition, Image) if signs else []
    found = signs.intersection(probes.shapes(source, files))
    return f"a grid of {min(found)} voxels is a sign of it" if found else ""


def _files(source: Source, edition: Dataset, kind: type[Product]) -> list[str]:
    claims = sort_files(edition, source.sizes).claims
    return [c.path for c in claims if any(isinstance(use.product, kind) for use in c.uses)]
