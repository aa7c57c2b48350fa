"""Compare what is there with what the publisher ships: remarks, never errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .dataset import Dataset, Image, Product
from .jobs import Remark
from .patterns import Fields
from .products import View

_NAMED = 5


def remarks(dataset: Dataset, views: Sequence[View], unclaimed: Sequence[str]) -> Iterator[Remark]:
    """Say which files are missing, and which nobody knows."""
    subjects = {view.person.subject for view in views}
    if dataset.expected_subjects and len(subjects) != dataset.expected_subjects:
        text = f"{len(subjects)} subjects here, {dataset.expected_subjects} in the publication"
        yield Remark("SUBJECT_COUNT", text)
    for product in dataset.products:
        asked = [view for view in views if _should_have(dataset, product, view)]
        lacking = [_name(v) for v in asked if not any(f.product is product for f in v.found)]
        if lacking:
            text = f"{describe(product)} is missing for {len(lacking)} of "
            yield Remark("MISSING", text + f"{len(asked)}: {_some(lacking)}")
    archives = [path for path in unclaimed if path.endswith((".zip", ".tar", ".tar.gz"))]
    if archives:
        yield Remark(
            "ARCHIVE_INSIDE", f"archives inside the source are not read: {_some(archives)}"
        )
    if unclaimed:
        text = f"{len(unclaimed)} files that the declaration does not know: {_some(unclaimed)}"
        yield Remark("UNCLAIMED", text)


def describe(product: Product) -> str:
    """Name a product as a reader of the layout would: by its file pattern."""
    kind = type(product).__name__.lower()
    name = f" {product.name}" if isinstance(product, Image) else ""
    return f"{kind}{name} ({product.source[0]})"


def _should_have(dataset: Dataset, product: Product, view: View) -> bool:
    """Say whether the publisher ships this product for these people."""
    here = [found for found in view.found if _same_people(dataset, product, found.product)]
    return bool(here) and not any(
        _is_unshipped(product, fields) for found in here for fields in found.fields[:1]
    )


def _same_people(dataset: Dataset, one: Product, other: Product) -> bool:
    return (one.naming or dataset.naming) is (other.naming or dataset.naming)


def _is_unshipped(product: Product, fields: Fields) -> bool:
    return any(fields.get(name) == value for name, value in product.absent_where.items())


def _name(view: View) -> str:
    session = f"/ses-{view.person.session}" if view.person.session else ""
    return f"sub-{view.person.subject}{session}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
