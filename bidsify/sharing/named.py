"""Known datasets that the texts of a tree name: by their titles, or by the DOIs to cite."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Container, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from .. import datasets

_TEXTS = re.compile(r"(?:README|CHANGES)(?:\.(?:md|rst|txt))?", re.IGNORECASE)
_FIELDS = ("Name", "HowToAcknowledge", "Acknowledgements", "ReferencesAndLinks")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>|`,;\"')\]]*[^\s<>|`,;\"')\].:]")
_MOST = 1 << 20  # bytes of a text


def named_in(
    root: Path,
    description: Mapping[str, Any],
    known: Collection[str],
    ours: Container[str],
) -> set[str]:
    """Return the datasets that are named beside the ``known`` ones.

    ``ours`` are the SHA-256 of texts that we wrote for those. Who names one may have its data, or
    not: nobody can tell, so its terms count.
    """
    text = "\n".join([*_texts(root, ours), *_fields(description)])
    own = {token for name in known for token in tokens_of(name)}
    found = {each.lower() for each in _DOI.findall(text)}
    return {
        name
        for name in {*datasets.names()} - {*known}
        for token in tokens_of(name) - own
        if token in found or (not token.startswith("10.") and _is_in(token, text))
    }


@cache
def tokens_of(name: str) -> frozenset[str]:
    """Return the title of a dataset and the DOIs of its data and papers."""
    dataset = datasets.load(name)
    dois = _DOI.findall(f"{dataset.source_doi or ''} {dataset.citation}")
    return frozenset({dataset.title, *(doi.lower() for doi in dois)})


def _is_in(title: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(title)}(?!\w)", text) is not None


def _texts(root: Path, ours: Container[str]) -> Iterator[str]:
    with suppress(OSError):
        for path in sorted(root.iterdir()):
            if not _TEXTS.fullmatch(path.name) or not path.is_file():
                continue
            with path.open("rb") as stream:
                content = stream.read(_MOST)
            if hashlib.sha256(content).hexdigest() not in ours:
                yield content.decode("utf-8", "replace")


def _fields(description: Mapping[str, Any]) -> Iterator[str]:
    for name in _FIELDS:
        value = description.get(name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield each
