"""How a tree was made, where our record of the conversion says so."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records.conversion import Record, read_record
from .values import Change, Made

_CONVERTED = "converted"


def made(root: Path) -> Made | None:
    """Return what the record says; None where there is none."""
    try:
        record = read_record(root)
        return None if record is None else _made(record)
    except (UsageError, OSError) as error:
        return Made(fault=str(error).replace(f"{root}/", ""))
    except (AttributeError, LookupError, TypeError, ValueError):
        return Made(fault="code/bidsify/conversion.json: not a record that this version can read")


def _made(record: Record) -> Made:
    document = record.document
    written = [entry for entry in document["written"] if entry["sha256"]]
    buckets = document.get("buckets", {})
    return Made(
        version=str(document.get("bidsify_version", "")),
        dataset=str(record.dataset),
        edition=str(document.get("edition", "")),
        source_sha256=_fingerprint(document["files"]),
        buckets={str(name): int(count) for name, count in buckets.items()},
        changes=tuple(_changes(written)),
        notes=tuple(_grouped((str(n), e["target"]) for e in written for n in e["notes"])),
        left_out=tuple(_grouped(_left_out(document["files"]))),
        remarks=tuple(str(remark["message"]) for remark in document.get("remarks", ())),
    )


def _fingerprint(files: Sequence[Mapping[str, Any]]) -> str:
    """Return one hash of all source files and their names."""
    known = sorted((str(e["source"]), str(e["sha256"])) for e in files if e["sha256"])
    lines = "".join(f"{digest}  {name}\n" for name, digest in known)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest() if known else ""


def _changes(written: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    """Yield each transformation, the most frequent first, with its first file as an example."""
    examples: dict[str, tuple[str, str]] = {}
    counts: Counter[str] = Counter()
    for entry in sorted(written, key=lambda entry: str(entry["target"])):
        name = str(entry.get("transform") or "copied, or made for the whole dataset")
        source = next((str(each[0]) for each in entry["sources"]), "")
        examples.setdefault(name, (source, str(entry["target"])))
        counts[name] += 1
    for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Change(name, count, *examples[name])


def _left_out(files: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in files:
        if entry["bucket"] != _CONVERTED:
            reason = entry.get("reason")
            yield (
                f"{entry['bucket']}: {reason}" if reason else str(entry["bucket"]),
                entry["source"],
            )


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
    """Yield each text with its number and its first example."""
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for text, example in pairs:
        counts[text] += 1
        examples[text] = min(examples.get(text, str(example)), str(example))
    for text, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        yield text, count, examples[text]
