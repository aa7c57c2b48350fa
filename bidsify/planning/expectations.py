"""Compare what is there with what the publisher ships: remarks, never errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dataset import Dataset, Image, Product
from ..printable import some
from .jobs import Remark
from .view import View


def remarks(
    dataset: Dataset, views: Sequence[View], unclaimed: Sequence[str], alone: Sequence[str]
) -> Iterator[Remark]:
    """Say which files are missing, which nobody knows, and which serve an image not there."""
    yield from _count_remarks(dataset, views)
    summaries = [_Summary(dataset, view) for view in views]
    for product in dataset.products:
        naming = id(product.naming or dataset.naming)
        if product.is_optional:
            continue
        asked = [s for s in summaries if naming in s.namings and not s.is_unshipped(product)]
        lacking = [s.name for s in asked if id(product) not in s.products]
        if lacking:
            text = f"{describe(product)} is missing for {len(lacking)} of "
            yield Remark("MISSING", text + f"{len(asked)}: {some(lacking)}")
    if alone:
        yield Remark("ALONE", f"{len(alone)} files whose image is not there: {some(alone)}")
    archives = [path for path in unclaimed if path.endswith((".zip", ".tar", ".tar.gz"))]
    if archives:
        yield Remark("ARCHIVE_INSIDE", f"archives inside the source are not read: {some(archives)}")
    if unclaimed:
        text = f"{len(unclaimed)} files that the declaration does not know: {some(unclaimed)}"
        yield Remark("UNCLAIMED", text)


def _count_remarks(dataset: Dataset, views: Sequence[View]) -> Iterator[Remark]:
    """Compare the number of subjects with the publication, in the parts of it that are here."""
    column = dataset.columns.get("split")
    found: dict[str, set[str]] = {}
    for view in views:
        part = column.of(view.found[0].fields[0]) if column else ""
        found.setdefault(part if part in dataset.subjects else "", set()).add(view.person.subject)
    for part, subjects in sorted(found.items()):
        wanted = dataset.subjects.get(part)
        if wanted and len(subjects) != wanted:
            name = f" of the part {part!r}" if part else ""
            text = f"{len(subjects)} subjects{name} here, {wanted} in the publication"
            yield Remark("SUBJECT_COUNT", text)


def describe(product: Product) -> str:
    """Name a product as a reader of the layout would: by its file pattern."""
    kind = type(product).__name__.lower()
    name = f" {product.name}" if isinstance(product, Image) else ""
    return f"{kind}{name} ({product.source[0]})"


class _Summary:
    """What a subject or session has."""

    def __init__(self, dataset: Dataset, view: View) -> None:
        self.name = view.person.folder
        self.products = {id(found.product) for found in view.found}
        self.namings = {id(found.product.naming or dataset.naming) for found in view.found}
        self._fields = [found.fields[0] for found in view.found]

    def is_unshipped(self, product: Product) -> bool:
        """Say whether the publisher ships no such product for these people."""
        return bool(product.absent_where) and any(map(product.is_unshipped, self._fields))
