"""Receipts: what was written, from what, and what it depends on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..source.reading import Fact

_SHA256 = re.compile("|[0-9a-f]{64}", re.ASCII)  # or nothing


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a job was done. A job that had nothing to write has no ``sha256``."""

    target: str
    digest: str
    size: int
    sha256: str
    content_sha256: str
    sources: tuple[tuple[str, Fact], ...]
    notes: tuple[str, ...] = ()

    @property
    def is_omitted(self) -> bool:
        """Say whether the job found that its file is not needed."""
        return not self.sha256


def receipt_from(
    entry: Mapping[str, Any], known: Mapping[str, tuple[str, Fact]] = MappingProxyType({})
) -> Receipt:
    """Rebuild a receipt from JSON; sources that are ``known``, by path, are not made again.

    Raises:
        KeyError: Something is not there.
        TypeError, ValueError: Something is not what it should be.
    """
    return Receipt(
        path_from(entry["target"]),
        _text(entry["digest"]),
        _size(entry["size"]),
        _hash(entry["sha256"]),
        _hash(entry["content_sha256"]),
        tuple(_source(known, *each) for each in entry["sources"]),
        tuple(map(_text, entry["notes"])),
    )


def fact_from(size: object, sha256: object) -> Fact:
    """Rebuild what is known of a source file; raises as :func:`receipt_from` does."""
    return Fact(_size(size), _hash(sha256))


def path_from(value: object) -> str:
    """Return a path in the tree, as a record or a journal has it; raises as the others do."""
    text = _text(value)
    if not text or "\0" in text:
        msg = f"{text!r} is no path"
        raise ValueError(msg)
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is no text"
        raise TypeError(msg)
    return value


def _size(value: object) -> int:
    if type(value) is not int:
        msg = f"{value!r} is no size"
        raise TypeError(msg)
    return value


def _hash(value: object) -> str:
    text = _text(value)
    if not _SHA256.fullmatch(text):
        msg = f"{text!r} is no SHA-256"
        raise ValueError(msg)
    return text


def _source(
    known: Mapping[str, tuple[str, Fact]], path: str, size: int, sha256: str
) -> tuple[str, Fact]:
    pair = known.get(path)
    if pair is not None and (pair[1].size, pair[1].sha256) == (size, sha256):
        return pair
    return _text(path), fact_from(size, sha256)


def receipt_entry(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON."""
    return {
        "target": receipt.target,
        "digest": receipt.digest,
        "size": receipt.size,
        "sha256": receipt.sha256,
        "content_sha256": receipt.content_sha256,
        "sources": [[path, fact.size, fact.sha256] for path, fact in receipt.sources],
        "notes": list(receipt.notes),
    }
