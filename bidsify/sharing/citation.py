"""``CITATION.cff`` (version 1.2), and the description of a dataset without what moved there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ..errors import SourceError
from .licences import spdx_of

#: Fields of ``dataset_description.json`` that go where there is a ``CITATION.cff``.
MOVED = ("Authors", "License", "HowToAcknowledge", "ReferencesAndLinks")
_MESSAGE = "Please cite this dataset with the metadata of this file."
_DOI = re.compile(
    r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}(?:\.\d+)?/[\w:/;\-.()\[\]]+)\Z"
)
_URL = re.compile(r"https?://[^\s<>\"{}|\\^`]+\Z")


def citation_cff(description: Mapping[str, Any]) -> bytes:
    """Return the citation file of a dataset with this ``dataset_description.json``.

    Nothing is lost of the fields in ``MOVED``: a licence that has no SPDX identifier goes into
    the message.

    Raises:
        SourceError: The description names no author, or has no name.
    """
    authors = [_author(name) for name in _texts(description.get("Authors"))]
    title = str(description.get("Name") or "").strip()
    if not authors or not title:
        lacking = "Name" if authors else "Authors"
        msg = f"dataset_description.json: without {lacking} there is nothing to cite; add it"
        raise SourceError(msg)
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": " ".join(_message(description)),
        "type": "dataset",
        "title": title,
        "authors": list({str(author): author for author in authors}.values()),
    }
    if version := str(description.get("DatasetVersion") or ""):
        document["version"] = version
    if doi := _DOI.match(str(description.get("DatasetDOI") or "")):
        document["doi"] = doi[1]
    if licence := spdx_of(str(description.get("License") or "")):
        document["license"] = licence
    if identifiers := list({str(each): each for each in _identifiers(description)}.values()):
        document["identifiers"] = identifiers
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
    return text.encode()


def without_moved(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description without what stands in the citation file."""
    return {key: value for key, value in description.items() if key not in MOVED}


def _texts(value: Any) -> list[str]:
    """Return the texts of a list of strangers, or of one text."""
    values = value if isinstance(value, list) else [value]
    return [text for each in values if isinstance(each, str) and (text := " ".join(each.split()))]


def _author(name: str) -> dict[str, str]:
    """Split "Doe, Jane" alone: of others nobody knows which part is the family name."""
    family, comma, given = name.partition(", ")
    if comma and family and given and ", " not in given:
        return {"family-names": family, "given-names": given}
    return {"name": name}


def _message(description: Mapping[str, Any]) -> Iterator[str]:
    yield " ".join(_texts(description.get("HowToAcknowledge"))) or _MESSAGE
    licence = str(description.get("License") or "")
    if licence and not spdx_of(licence):
        yield f"Terms: {licence}."


def _identifiers(description: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    sources = description.get("SourceDatasets")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict):
            for text in _texts([source.get("DOI"), source.get("URL")]):
                yield _identifier(text, "The dataset that this one was made of.")
    for text in _texts(description.get("ReferencesAndLinks")):
        yield _identifier(text, "A reference of this dataset.")


def _identifier(text: str, meaning: str) -> dict[str, str]:
    if doi := _DOI.match(text):
        return {"type": "doi", "value": doi[1], "description": meaning}
    kind = "url" if _URL.match(text) else "other"
    return {"type": kind, "value": text, "description": meaning}
