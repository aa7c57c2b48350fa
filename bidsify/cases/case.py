"""What is found in a tree: a segmentation with its images, and all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..harmonisation.segmentations import TreeTable


@dataclass(frozen=True, slots=True)
class Case:
    """A segmentation and the images of its subject and session; or images alone.

    ``name`` is unique in the tree: the name of the segmentation without suffix and extension,
    ``sub-01_space-SRI24``; subject and session for images alone. Paths are relative to the tree,
    with slashes. ``table`` is a key of ``Cases.tables``, which may state a fault of the table.
    Images of another run than that of the segmentation belong to other cases and are in none of
    the following.
    ``images`` maps each contrast (``ce-gadolinium_T1w``) to the image on the grid of the
    segmentation, ``others`` to those elsewhere. ``series`` are those on the grid that have another
    number of volumes than the segmentation, given by ``volumes``. ``broken`` cannot be read, so
    nobody knows where they are; ``Cases.faults`` says why. Of images alone, ``images`` are the
    largest group with one grid.
    """

    name: str
    subject: str
    session: str
    segmentation: str | None
    table: str | None
    images: Mapping[str, str]
    others: Mapping[str, str]
    series: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a tree, sorted by name.

    ``regions`` are those of ``regions.tsv`` at the root, none without. ``faults`` says of each
    file that cannot be read why. ``lost`` are cases whose segmentation is such a file: they are
    not among ``cases``, and their images are as of a case without one. ``flat`` are files with
    two axes, ``not_grey`` says of files what their values are instead of grey values.
    """

    cases: tuple[Case, ...]
    tables: Mapping[str, TreeTable]
    regions: Mapping[str, tuple[int, ...]]
    faults: Mapping[str, str]
    lost: tuple[Case, ...] = ()
    flat: frozenset[str] = frozenset()
    not_grey: Mapping[str, str] = field(default_factory=dict)
