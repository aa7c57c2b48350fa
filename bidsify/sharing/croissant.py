"""``croissant.json``: the description that loaders of machine learning read (Croissant 1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..version import RELEASED, __version__
from .bag import Entry
from .crate import identifier
from .licences import url_of
from .recipe import MANIFEST, Recipe
from .statement import Statement

CROISSANT, SPLITS = "croissant.json", "splits.tsv"
_DUO = "http://purl.obolibrary.org/obo/"
#: Conditions of use in the words of the Data Use Ontology, where one says what the terms say.
_USAGE = {"noncommercial": "DUO_0000018"}
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def document(
    title: str, terms: Statement, recipe: Recipe | None, files: Mapping[str, Entry]
) -> dict[str, Any]:
    """Return the description of a bag with these files; records are the files and the splits."""
    tables = {MANIFEST: ("path", "content_sha256"), SPLITS: ("participant_id", "split")}
    present = {name: columns for name, columns in tables.items() if name in files}
    made: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": title,
        "description": f"{title} in BIDS, made by bidsify: its files by their hashes.",
        "datePublished": RELEASED,
        "version": __version__,
        "license": url_of(terms.spdx) if terms.spdx else terms.licence,
        "distribution": [_object(name, files[name]) for name in present],
        "recordSet": [_records(name, columns) for name, columns in present.items()],
    }
    if usage := _USAGE.get(terms.redistribution):
        made["usageInfo"] = {"@id": f"{_DUO}{usage}"}
    if recipe:
        made["url"] = recipe.document["source"]["url"]
        made["citeAs"] = recipe.document["citation"]
        made["identifier"] = identifier(recipe.digest)
    return made


def _object(name: str, entry: Entry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{entry.size} B",
        "encodingFormat": "text/tab-separated-values",
        "sha256": entry.sha256,
    }


def _records(name: str, columns: Sequence[str]) -> dict[str, Any]:
    own = name.removesuffix(".tsv")
    return {
        "@type": "cr:RecordSet",
        "@id": own,
        "name": own,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{own}/{column}",
                "name": column,
                "dataType": "sc:Text",
                "source": {"fileObject": {"@id": name}, "extract": {"column": column}},
            }
            for column in columns
        ],
    }
