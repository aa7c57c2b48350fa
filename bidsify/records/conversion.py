"""``conversion.json``: receipts of all files of a tree, and where each source file went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..collecting import uncollected
from ..errors import UsageError
from ..source.reading import Fact
from . import long_json
from .receipts import Receipt, fact_from, path_from, receipt_from

RECORD = "code/bidsify/conversion.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What ``conversion.json`` says: receipts, and facts and reasons of the source files.

    ``path`` is where it was read, ``failed`` are the reasons of the files that failed.
    Paths of the source start at the source; ``base`` are the folders above the data there, ``""``
    or ``"a/b/"``; ``options`` are those that a pipeline states, if it does.
    """

    path: Path
    dataset: str
    receipts: Mapping[str, Receipt]
    shared: tuple[str, ...]
    facts: Mapping[str, Fact]
    reasons: Mapping[str, str]
    failed: Mapping[str, str]
    base: str = ""
    options: Any = None

    @property
    def document(self) -> Mapping[str, Any]:
        """Read all that it says; of 100,000 files that is half a gigabyte, so nobody keeps it."""
        document: Mapping[str, Any] = orjson.loads(self.path.read_bytes())
        return document


@uncollected()
def read_record(root: Path, name: str = RECORD) -> Record | None:
    """Return the record of a finished run, or None where there is none.

    ``name`` is its place in the tree: another pipeline than the conversion has its own.

    Raises:
        UsageError: There is one, but it cannot be read.
    """
    path = root / name
    if not path.is_file():
        return None
    known: dict[str, tuple[str, Fact]] = {}
    reasons: dict[str, str] = {}
    failed: dict[str, str] = {}
    receipts: dict[str, Receipt] = {}

    def note_file(entry: Any) -> None:
        source = entry["source"]
        reasons[source] = str(entry.get("reason", ""))
        if entry.get("bucket") == "failed":
            failed[source] = reasons[source]
        if entry["sha256"]:
            known[source] = (source, fact_from(entry["size"], entry["sha256"]))

    def note_receipt(entry: Any) -> None:
        receipt = receipt_from(entry, known)
        receipts[receipt.target] = receipt

    try:
        document = long_json.read(path, {"files": note_file, "written": note_receipt})
        name, shared = str(document["dataset"]), [*map(path_from, document["shared"])]
        base = str(document.get("base", ""))  # older records have none
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a readable record of an earlier run; choose another output folder"
        raise UsageError(msg) from error
    facts = dict(known.values())
    options = document.get("options")
    return Record(path, name, receipts, tuple(shared), facts, reasons, failed, base, options)
