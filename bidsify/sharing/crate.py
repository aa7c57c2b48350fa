"""``ro-crate-metadata.json``: the tree as RO-Crate 1.2 describes it, written by hand.

The crate of a recipe is detached: its root is the tree, which is known by the hash of its content
and is not shipped.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..version import RELEASED
from .bag import Entry
from .licences import url_of
from .recipe import Recipe
from .statement import Statement

CRATE = "ro-crate-metadata.json"
_CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_PROFILE = "https://w3id.org/ro/crate/1.2"
_PROGRAM, _CONVERSION, _TERMS = "#bidsify", "#conversion", "#terms"
_FORMATS = {
    "json": "application/json",
    "tsv": "text/tab-separated-values",
    "tar": "application/x-tar",
    "md": "text/markdown",
}
Entity = dict[str, Any]


def identifier(digest: str) -> str:
    """Return the name of a content by its SHA-256 (RFC 6920)."""
    encoded = urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return f"ni:///sha-256;{encoded}"


def document(
    title: str, terms: Statement, recipe: Recipe | None, files: Mapping[str, Entry] | None
) -> Entity:
    """Return the crate; ``files`` of the payload are None where the tree is not shipped."""
    root_id = identifier(recipe.digest) if recipe and files is None else "./"
    root: Entity = {
        "@id": root_id,
        "@type": "Dataset",
        "name": title,
        "description": _description(title, recipe, is_here=files is not None),
        "datePublished": RELEASED,
        "license": {"@id": _TERMS},
    }
    parts = list(_files(files)) if files else []
    if parts:
        root["hasPart"] = [{"@id": part["@id"]} for part in parts]
    made = list(_provenance(root, recipe)) if recipe else []
    about = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": {"@id": root_id},
    }
    return {"@context": _CONTEXT, "@graph": [about, root, _licence(terms), *made, *parts]}


def _description(title: str, recipe: Recipe | None, *, is_here: bool) -> str:
    if recipe is None:
        return f"{title}, a BIDS dataset."
    text = f"{title} in BIDS: {len(recipe.targets)} files, made by bidsify "
    text += f"{recipe.document['bidsify_version']}."
    return text if is_here else f"{text} The files are not part of this crate."


def _licence(terms: Statement) -> Entity:
    entity: Entity = {
        "@id": _TERMS,
        "@type": "CreativeWork",
        "name": terms.licence,
        "description": f"{terms.summary} Known from: {terms.evidence}.",
    }
    if url := terms.terms_url or (url_of(terms.spdx) if terms.spdx else ""):
        entity["url"] = url
    return entity


def _provenance(root: Entity, recipe: Recipe) -> Iterator[Entity]:
    """Yield the source, the program and what it did; the root points at the source."""
    source = recipe.document["source"]
    doi = f"https://doi.org/{source['doi']}" if source["doi"] else ""
    origin = doi or source["url"]
    root["isBasedOn"] = {"@id": origin}
    root["mentions"] = [{"@id": _CONVERSION}]
    root["identifier"] = identifier(recipe.digest)
    root["creditText"] = recipe.document["citation"]
    named: Entity = {
        "@id": origin,
        "@type": "CreativeWork",  # a Dataset would have to be part of the crate
        "name": recipe.document["title"],
        "description": recipe.document["edition"],
        "url": source["url"],
    }
    yield {**named, "version": source["version"]} if source["version"] else named
    yield {
        "@id": _PROGRAM,
        "@type": "SoftwareApplication",
        "name": "bidsify",
        "version": recipe.document["bidsify_version"],
    }
    yield {
        "@id": _CONVERSION,
        "@type": "CreateAction",
        "name": f"Conversion of {recipe.document['title']} to BIDS",
        "instrument": {"@id": _PROGRAM},
        "object": {"@id": origin},
        "result": {"@id": root["@id"]},
    }


def _files(files: Mapping[str, Entry]) -> Iterator[Entity]:
    for path, entry in sorted(files.items()):
        ending = path.rsplit(".", 1)[-1]
        yield {
            "@id": quote(path),
            "@type": "File",
            "name": path,
            "contentSize": str(entry.size),
            "encodingFormat": _FORMATS.get(ending, "application/octet-stream"),
            "sha256": entry.sha256,
        }
