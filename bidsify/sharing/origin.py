"""Folders above the data: whose download it is, so nothing that leaves names them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from .. import datasets
from ..planning.plan import make_plan
from ..records.conversion import Record
from ..records.source_names import named_below, names_sources
from .contents import Content

_PATHS = frozenset({"source", "sources"})
_TEXTS = frozenset({"reason", "message", "notes"})


def below(base: str, path: str) -> str:
    """Return a path of the source without the folders above the data; empty where it is not there.

    ``base`` is ``""`` or ``"a/b/"``.
    """
    return path.removeprefix(base) if path.startswith(base) else ""


def with_base(record: Record) -> Record:
    """Return a record with the folders above the data, which older ones do not tell."""
    if record.base or record.dataset not in datasets.names():
        return record
    used = {path for receipt in record.receipts.values() for path, _ in receipt.sources}
    if len({path.partition("/")[0] for path in used}) != 1:
        return record  # nothing is above all of them
    base = make_plan(datasets.load(record.dataset), record.reasons).base
    return replace(record, base=base) if all(path.startswith(base) for path in used) else record


def rebased(root: Path, found: Iterable[Content], base: str) -> Iterator[Content]:
    """Yield what files of a tree hold as if there were no folders above the data."""
    for each in found:
        content = renamed(root, each.path, base)
        if content is None:
            yield each
            continue
        digest = hashlib.sha256(content).hexdigest()
        yield Content(each.path, len(content), digest, digest)


def renamed(root: Path, path: str, base: str) -> bytes | None:
    """Return a file of a tree without the folders above the data; None where it names none."""
    if not base or not names_sources(path):
        return None
    content = (root / path).read_bytes()
    found = named_below(content, path, base)
    return None if found == content else found


def without_base(record: Record) -> dict[str, Any]:
    """Return the record as it is of a download that has no folders above the data.

    Files outside of these folders are no part of the download.
    """
    base, document = record.base, record.document
    kept = [entry for entry in document["files"] if below(base, str(entry["source"]))]
    gone = Counter(e["bucket"] for e in document["files"])
    gone.subtract(e["bucket"] for e in kept)
    buckets = {name: count - gone[name] for name, count in document["buckets"].items()}
    written = [
        {**each, "sources": [one for one in each["sources"] if below(base, str(one[0]))]}
        for each in document["written"]
    ]
    changed = {**document, "files": kept, "buckets": buckets, "written": written}
    changed.pop("base", None)
    folders = [base[: place + 1] for place, letter in enumerate(base) if letter == "/"]
    any_of = "|".join(map(re.escape, reversed(folders)))
    in_text = re.compile(rf"(?<![^\s'\"(,:])(?:{any_of})")
    return {name: _cleaned(base, in_text, value, name) for name, value in changed.items()}


def _cleaned(base: str, in_text: re.Pattern[str], value: Any, name: str) -> Any:
    again = partial(_cleaned, base, in_text)
    if isinstance(value, dict):
        return {key: again(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [again(each, name) for each in value]
    if isinstance(value, str) and name in _PATHS:
        return value.removeprefix(base)
    return in_text.sub("", value) if isinstance(value, str) and name in _TEXTS else value


def bases_of(wanted: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
    """Return the folders, ``""`` or ``"a/b/"``, below which most of the wanted files lie."""
    ends = {PurePosixPath(path).name: path for path in reversed(wanted)}
    found = Counter(_bases(ends, sizes))
    most = max(found.values(), default=0)
    return sorted(base for base, count in found.items() if count == most)


def _bases(ends: Mapping[str, str], paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        end = ends.get(PurePosixPath(path).name)
        if end and f"/{path}".endswith(f"/{end}"):
            yield path.removesuffix(end)
