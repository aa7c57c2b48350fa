"""``conversion.json``: receipts of all files of a tree, and where each source file went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import UsageError
from ..source.reading import Fact
from .receipts import Receipt, receipt_from

RECORD = "code/bidsify/conversion.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What ``conversion.json`` says: receipts, and facts and reasons of the source files.

    Paths of the source start at the source; ``base`` are the folders above the data there, ``""``
    or ``"a/b/"``.
    """

    dataset: str
    receipts: Mapping[str, Receipt]
    shared: tuple[str, ...]
    facts: Mapping[str, Fact]
    reasons: Mapping[str, str]
    document: Mapping[str, Any]
    base: str = ""


def read_record(root: Path, name: str = RECORD) -> Record | None:
    """Return the record of a finished run, or None where there is none.

    ``name`` is its place in the tree: another pipeline than the conversion has its own.

    Raises:
        UsageError: There is one, but it cannot be read.
    """
    path = root / name
    if not path.is_file():
        return None
    try:
        document = orjson.loads(path.read_bytes())
        name, shared = document["dataset"], document["shared"]
        base = str(document.get("base", ""))  # older records have none
        written = [receipt_from(entry) for entry in document["written"]]
        files = {entry["source"]: entry for entry in document["files"]}
        facts = {p: Fact(e["size"], e["sha256"]) for p, e in files.items() if e["sha256"]}
        reasons = {path: entry.get("reason", "") for path, entry in files.items()}
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a readable record of an earlier run; choose another output folder"
        raise UsageError(msg) from error
    receipts = {receipt.target: receipt for receipt in written}
    return Record(name, receipts, tuple(shared), facts, reasons, document, base)
