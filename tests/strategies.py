"""What hypothesis draws from: names, entities, label tables, numbers, grids, listings."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bidsify import bids_schema
from bidsify.entities import BidsPath
from bidsify.labels import LabelTable

settings.register_profile("bidsify", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("bidsify")

LETTERS = string.ascii_letters + string.digits

#: Labels of entities, as native identifiers become them.
plain_labels = st.text(LETTERS, min_size=1, max_size=8)

#: Names of files and folders that no tool gives but people do.
file_names = st.text(
    st.characters(exclude_characters="/\\\0", exclude_categories=("Cs",)), min_size=1, max_size=8
).filter(lambda name: name not in (".", ".."))

#: Folder levels above the data.
prefixes = st.lists(file_names, max_size=3).map(lambda parts: "".join(f"{p}/" for p in parts))

INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
ENDIANS = ("<", ">")


def labels_of(name: str) -> st.SearchStrategy[str]:
    """Legal values of an entity."""
    entry = bids_schema.schema()["objects"]["entities"][name]
    if "enum" in entry:
        return st.sampled_from([v if isinstance(v, str) else v["name"] for v in entry["enum"]])
    if entry["format"] == "index":
        return st.integers(0, 999).map(str)
    return plain_labels


#: Rules of names of files. Extensions of folders (``.ome.zarr/``) and ``.*`` are left out.
_RULES = [
    rule
    for rule in bids_schema.file_rules()
    if rule["entities"] and any(e[-1] not in "*/" for e in rule["extensions"])
]


@st.composite
def bids_paths(draw: st.DrawFn) -> BidsPath:
    """Paths that a rule of the schema allows, of raw and derivative datasets."""
    rule = draw(st.sampled_from(_RULES))
    levels = {
        name: entry["level"] if isinstance(entry, dict) else entry
        for name, entry in rule["entities"].items()
    }
    optional = [name for name, level in levels.items() if level != "required"]
    chosen = set(levels) - set(optional)
    if optional:
        chosen |= draw(st.sets(st.sampled_from(optional), max_size=4))
    order = draw(st.permutations(sorted(chosen)))
    return BidsPath(
        {name: draw(_labels_in(rule, name)) for name in order},
        draw(st.sampled_from(sorted(rule["suffixes"]))),
        draw(st.sampled_from([e for e in rule["extensions"] if e[-1] not in "*/"])),
        draw(st.sampled_from([d or None for d in rule.get("datatypes") or ("",)])),
    )


def _labels_in(rule: Any, name: str) -> st.SearchStrategy[str]:
    entry = rule["entities"][name]
    if isinstance(entry, dict) and "enum" in entry:
        return st.sampled_from([v if isinstance(v, str) else v["name"] for v in entry["enum"]])
    return labels_of(name)


@st.composite
def label_tables(draw: st.DrawFn) -> LabelTable:
    """Tables with one row per index, and the values 10 n to 10 n + 9 of the source for row n."""
    indices = draw(st.lists(st.integers(0, 3000), min_size=1, max_size=6, unique=True))
    name = st.text(
        st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9
    )
    rows = []
    for place, index in enumerate(indices):
        low = 10 * place
        high = low + draw(st.integers(0, 9))
        native = draw(st.sampled_from([f"{low}-{high}", f"{low}", "n/a", f"{low},{low + 9}"]))
        rows.append({"index": str(index), "name": draw(name), "source_value": native})
    return LabelTable(("index", "name", "source_value"), tuple(rows))


def arrays(dtype: str, elements: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    """Small volumes of a type."""
    shape = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
    return hnp.arrays(np.dtype(dtype), shape, elements=elements)
