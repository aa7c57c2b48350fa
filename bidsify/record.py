"""The record of a conversion: receipts of files that were written, and ``conversion.json``.

While a conversion runs, receipts are appended to a journal by the parent process alone; a torn
last line is ignored. At its end they become the record, which holds no clock, no host and no
user, and the journal goes. A journal that is still there tells of a run that was cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from .errors import UsageError
from .reading import Fact

RECORD = "code/bidsify/conversion.json"
STATE = ".bidsify"
_JOURNAL = f"{STATE}/receipts.jsonl"
STAGING = f"{STATE}/staging"


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


@dataclass(frozen=True, slots=True)
class Record:
    """What ``conversion.json`` says: receipts, and facts and reasons of the source files."""

    dataset: str
    receipts: Mapping[str, Receipt]
    shared: tuple[str, ...]
    facts: Mapping[str, Fact]
    reasons: Mapping[str, str]
    document: Mapping[str, Any]


def receipt_from(entry: Mapping[str, Any]) -> Receipt:
    """Rebuild a receipt from JSON."""
    sources = tuple((path, Fact(size, digest)) for path, size, digest in entry["sources"])
    return Receipt(
        entry["target"],
        entry["digest"],
        entry["size"],
        entry["sha256"],
        entry["content_sha256"],
        sources,
        tuple(entry["notes"]),
    )


def receipt_entry(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON."""
    sources = [[path, fact.size, fact.sha256] for path, fact in receipt.sources]
    return {**asdict(receipt), "sources": sources, "notes": list(receipt.notes)}


def read_record(root: Path) -> Record | None:
    """Return the record of a finished conversion, or None where there is none.

    Raises:
        UsageError: There is one, but it cannot be read.
    """
    path = root / RECORD
    if not path.is_file():
        return None
    try:
        document = orjson.loads(path.read_bytes())
        name, shared = document["dataset"], document["shared"]
        written = [receipt_from(entry) for entry in document["written"]]
        files = {entry["source"]: entry for entry in document["files"]}
        facts = {p: Fact(e["size"], e["sha256"]) for p, e in files.items() if e["sha256"]}
        reasons = {path: entry.get("reason", "") for path, entry in files.items()}
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a readable record of a conversion; choose another output folder"
        raise UsageError(msg) from error
    receipts = {receipt.target: receipt for receipt in written}
    return Record(name, receipts, tuple(shared), facts, reasons, document)


_LOCKED: set[int] = set()  # descriptors of the journals that this process holds


def _let_go() -> None:
    """Close inherited journals: a worker that outlives its parent must not hold the lock."""
    for descriptor in _LOCKED:
        os.close(descriptor)
    _LOCKED.clear()


os.register_at_fork(after_in_child=_let_go)


class Journal:
    """Receipts of the running conversion. Holding it open keeps other conversions out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / STATE).mkdir(parents=True, exist_ok=True)
        path = root / _JOURNAL
        self._stream: IO[str] = path.open("a+", encoding="utf-8", errors="replace")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._stream.close()
            msg = f"{root}: another conversion is writing here; wait until it ends"
            raise UsageError(msg) from error
        _LOCKED.add(self._stream.fileno())
        shutil.rmtree(root / STAGING, ignore_errors=True)
        (root / STAGING).mkdir()

    def earlier(self) -> Iterator[Receipt]:
        """Read the receipts of a run that was cut off; a torn line counts as none."""
        self._stream.seek(0)
        torn = False
        for line in self._stream:
            torn = not line.endswith("\n")
            try:
                yield receipt_from(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
        if torn:
            self._stream.write("\n")

    def append(self, receipts: Iterable[Receipt]) -> None:
        """Add receipts."""
        for receipt in receipts:
            self._stream.write(json.dumps(receipt_entry(receipt)) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Let go, and keep the journal for the next run."""
        _LOCKED.discard(self._stream.fileno())
        self._stream.close()

    def finish(self) -> None:
        """Remove the journal: its receipts are in the record now."""
        shutil.rmtree(self.root / STATE, ignore_errors=True)
        self.close()
