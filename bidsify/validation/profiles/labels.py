"""Compare label tables, and the regions of overlapping masks, with those of the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ... import bids_schema
from ...dataset import Dataset, Masks, Segmentation
from ...labels import LabelTable
from ..files.inheritance import Ambiguity, sidecar_of
from ..files.texts import read_table
from ..files.tree import File
from ..findings import finding
from ..issue import Finding, Located
from .contrasts import Contrast, label_expression

_PEOPLE = ("sub", "ses")


def check_table(file: File, declared: Dataset) -> Iterator[Located]:
    """Compare the rows of a label table with those of the segmentations that it is for."""
    if file.parts.suffix != "dseg" or file.parts.extension != ".tsv":
        return
    columns = read_table(file).columns
    if not {"index", "name"} <= columns.keys():
        return  # told by the schema
    differences: list[Finding] = []
    for labels in _tables_for(file, declared):
        differences = list(_differences(columns, labels))
        if not differences:
            return
    for each in differences:
        yield file.path, each


def check_label_map(file: File, contrasts: Iterable[Contrast]) -> Iterator[Located]:
    """Compare the regions that the sidecar of overlapping masks names with the declared ones."""
    if file.parts.suffix != "probseg" or file.parts.extension == ".json":
        return
    for contrast in contrasts:
        product = contrast.product
        if not isinstance(product, Masks) or not product.regions or not contrast.has(file.path):
            continue
        sidecar = sidecar_of(file)
        if isinstance(sidecar, Ambiguity):
            return
        stated, regions = sidecar.values.get("LabelMap"), list(product.regions)
        if stated != regions:
            origin = sidecar.origins.get("LabelMap")
            message = f"LabelMap is {stated}, but the declaration says {regions}"
            path = origin.file.path if origin else file.path
            yield path, finding("PROFILE_VALUE", message, "$.LabelMap")


def _tables_for(file: File, declared: Dataset) -> Iterator[LabelTable]:
    """Yield the declared tables of the segmentations that inherit from this file."""
    keys = bids_schema.entity_keys()
    stated = {key: v for key, v in file.parts.entities.items() if key not in _PEOPLE}
    for product in declared.products:
        if not isinstance(product, Segmentation) or not product.labels.is_stated:
            continue
        own = {keys[name]: label_expression(text) for name, text in product.entities.items()}
        is_same = ("seg" in own) == ("seg" in stated)
        if is_same and all(re.fullmatch(own.get(k, "(?!)"), v) for k, v in stated.items()):
            yield product.labels


def _differences(columns: Mapping[str, list[str]], labels: LabelTable) -> Iterator[Finding]:
    declared = {row["index"]: row for row in labels.rows}
    for place, index in enumerate(columns["index"]):
        row = declared.get(index)
        if row is None:
            message = f"line {place + 2}: {index} ({columns['name'][place]}) is not declared"
            yield finding("PROFILE_VALUE", message, f"$[{place}].index")
            continue
        for name in labels.columns:
            cell = columns[name][place] if name in columns else None
            if cell is not None and cell != row[name]:
                message = f"line {place + 2}: {cell!r}, but the declaration says {row[name]!r}"
                code = "PROFILE_VALUE" if name == "name" else "PROFILE_TABLE"
                yield finding(code, message, f"$[{place}].{name}")
    for index in sorted(declared.keys() - set(columns["index"]), key=int):
        message = f"the row of {index} ({declared[index]['name']}) is missing"
        yield finding("PROFILE_VALUE", message, "$")
    for name in labels.columns:
        if name not in columns:
            yield finding("PROFILE_TABLE", f"the column {name!r} is missing", "$")
