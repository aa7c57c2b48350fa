"""Check a declaration before anything relies on it: its author gets one sentence, not a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Literal, get_args, get_origin, get_type_hints

from .dataset import Dataset, Image, Points, Product, Segmentation
from .errors import DeclarationError
from .patterns import Pattern, field_names
from .regions import unknown_indices

_LABEL = re.compile("[0-9A-Za-z+]+")
_WORD = re.compile("[a-z]+")
_TUPLES = ("also", "authors", "products", "ignored", "bidsignore", "signs", "tables", "traps")


def check(dataset: Dataset) -> None:
    """Refuse a declaration that contradicts itself.

    Raises:
        DeclarationError: With all faults in one message.
    """
    if faults := [*_pattern_faults(dataset), *_field_faults(dataset), *_product_faults(dataset)]:
        msg = f"dataset {dataset.name!r}: {'; '.join(faults)}"
        raise DeclarationError(msg)


def _pattern_faults(dataset: Dataset) -> Iterator[str]:
    for text in _sources(dataset):
        try:
            Pattern(text, dataset.fields)
        except (re.error, DeclarationError) as error:  # noqa: PERF203  each is reported
            yield f"pattern {text!r} cannot be used: {error}"


def _sources(dataset: Dataset) -> Iterator[str]:
    for product in dataset.products:
        yield from product.source
        if isinstance(product, Image):
            yield from (product.native_json,) if product.native_json else ()
            yield from (product.landmarks.source,) if product.landmarks else ()
    yield from (rule.source for rule in dataset.ignored)
    for table in dataset.tables:
        yield from filter(None, (table.source, table.sidecar))
    yield from (series.source for series in dataset.series)


def _field_faults(dataset: Dataset) -> Iterator[str]:
    """Find fields that no pattern has: a template with one would always be incomplete."""
    known = {name for text in _sources(dataset) for name in field_names(text)}
    known |= {name for rule in dataset.ignored for name in rule.states}
    known |= {name for product in dataset.products for name in product.states}
    templates = [column.value for column in dataset.columns.values()]
    for product in dataset.products:
        naming = product.naming or dataset.naming
        parts = (naming.subject, naming.session, naming.source_id, naming.session_source_id)
        own = {name for text in product.source for name in field_names(text)}
        for text in filter(None, (*parts, *product.entities.values())):
            for name in sorted(field_names(text) - own):
                yield f"{text!r} names the field {name!r}, which {product.source[0]!r} has not"
        if isinstance(product, Points):
            templates += [column.value for column in product.columns.values()]
    for value in templates:
        for name in sorted(field_names(value) - known) if isinstance(value, str) else ():
            yield f"{value!r} names the field {name!r}, which no pattern has"


def _product_faults(dataset: Dataset) -> Iterator[str]:
    named = [product for product in dataset.products if isinstance(product, Image)]
    images = {image.name: image for image in named}
    if len(images) < len(named):
        yield "two images have the same name"
    for name in _TUPLES:
        if not isinstance(getattr(dataset, name), tuple):
            yield f"{name} is no tuple"
    for name in sorted({"participant_id", "source_id"} & dataset.columns.keys()):
        yield f"the column {name!r} is ours; choose another name"
    for product in dataset.products:
        if isinstance(product, Segmentation) and product.labels.is_stated:
            yield from _label_faults(product, dataset)
        yield from _number_faults(product)
        yield from _place_faults(product, images)
        yield from _name_faults(product)


def _place_faults(product: Product, images: Mapping[str, Image]) -> Iterator[str]:
    """Find what lies on an image that is not there, or in another folder than all of its images."""
    of = getattr(product, "of", ())
    names = [name for name in ((of,) if isinstance(of, str) else of) if name]
    for name in names:
        if name not in images:
            yield f"{product.source[0]!r} lies on {name!r}, but no image has this name"
    found = [images[name] for name in names if name in images]
    if found and all(image.datatype != product.datatype for image in found):
        name, folder = found[0].name, found[0].datatype
        yield (
            f"{product.source[0]!r} lies on {name!r} (folder {folder}/) but goes to "
            f"{product.datatype}/; state datatype={folder!r}"
        )


def _number_faults(product: Product) -> Iterator[str]:
    for text in product.source if getattr(product, "reader", "") == "pictures" else ():
        if "slice" not in field_names(text):
            yield f"{text!r} names no field 'slice', by which pictures are numbered"


def _label_faults(product: Segmentation, dataset: Dataset) -> Iterator[str]:
    product.labels.ranges(product.coding)  # which says what is wrong
    for index in sorted(product.structures.keys() - product.labels.names.keys()):
        yield f"structures have the index {index}, which the label table has not"
    names = [name.casefold() for spellings in product.structures.values() for name in spellings]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name!r} is a name of two structures"
    if dataset.regions and product.suffix == "dseg":
        for index in unknown_indices(dataset.regions, product.labels):
            yield f"a region has the index {index}, which the label table has not"


def _choices(kind: type[Product]) -> dict[str, tuple[str, ...]]:
    """Return the fields of a kind of product that have a choice of words, with these."""
    ours = next(one for one in kind.__mro__ if one.__module__.startswith("bidsify."))
    hints = get_type_hints(ours)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def _name_faults(product: Product) -> Iterator[str]:
    for name, allowed in _choices(type(product)).items():
        if getattr(product, name) not in allowed:
            yield f"{name}={getattr(product, name)!r} is none of {', '.join(allowed)}"
    try:
        json.dumps(dict(product.sidecar), allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"the sidecar of {product.source[0]!r} is no JSON: {error}"
    for text in product.entities.values():
        if not _LABEL.fullmatch(re.sub(r"\{[^}]*\}", "x", text)):
            yield f"{text!r} is no label: letters and digits only"
    if not _WORD.fullmatch(product.datatype):
        yield f"{product.datatype!r} is no datatype"
    if not product.source:
        yield "a product without a source pattern"
