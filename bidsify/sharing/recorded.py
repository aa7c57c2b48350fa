"""What the records of a tree know of its files: which we wrote, and whether they still are so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .. import datasets
from ..errors import TermsError, UsageError
from ..printable import printable, some
from ..records.conversion import RECORD, Record, read_record
from ..records.harmonisation import HARMONISED, read_harmonised
from .contents import Content, contents, paths_of, require_sound
from .documents import first_fault
from .origin import with_base
from .texts import is_text

PREPROCESSED = "code/bidsify/preprocessing.json"
INSTEAD = "share it with --tier metadata or full"
_OURS = "code/bidsify/"


def require_record(root: Path) -> Record:
    """Return the record of a tree that a recipe can be written for.

    Raises:
        UsageError: It has none, or not one that another person can convert by.
    """
    record = read_record(root)
    if record is None:
        msg = (
            f"{root}: no record of a conversion ({RECORD}), by which somebody else could make it "
            f"again; a recipe is for trees of 'bidsify convert', {INSTEAD}"
        )
        raise UsageError(msg)
    if fault := first_fault("conversion", record.document):
        msg = f"{root / RECORD}: not a sound record ({fault}); convert again"
        raise UsageError(msg)
    if record.dataset not in datasets.names():
        msg = (
            f"{root}: made by a declaration of your own ({record.dataset!r}); it is a program, "
            f"which a recipe does not carry: publish it as a package that offers it to bidsify, or "
            f"{INSTEAD}"
        )
        raise UsageError(msg)
    return with_base(record)


def require_same(root: Path, record: Record, workers: int = 1) -> list[Content]:
    """Hash the files that the record lists; refuse a tree that is not as it was written.

    A file that was packed anew with the same content passes.

    Raises:
        UsageError: Files were changed or are gone.
    """
    written = {t: r for t, r in record.receipts.items() if not r.is_omitted}
    hashes = record.document.get("shared_sha256", {})
    paths = [*written, *record.shared]
    gone = {path for path in paths if not (root / path).is_file()}
    for path in paths:
        if path not in gone:
            require_sound(root, path)
    found = contents(root, [path for path in paths if path not in gone], workers)
    changed = [
        each.path
        for each in found
        if each.content_sha256
        != (written[each.path].content_sha256 if each.path in written else hashes.get(each.path))
        and (each.path in written or each.path in hashes)
    ]
    if gone or changed:
        said = [f"gone: {some(sorted(gone))}"] if gone else []
        said += [f"changed: {some(sorted(changed))}"] if changed else []
        msg = (
            f"{root}: not as it was converted ({'; '.join(said)}), so nobody could make it again; "
            f"convert again, or {INSTEAD}"
        )
        raise UsageError(msg)
    return found


def written_by_us(root: Path) -> frozenset[str]:
    """Return the files of a tree that its records list; of a record that is damaged, none."""
    found: set[str] = set()
    for name in (RECORD, PREPROCESSED):
        try:
            record = read_record(root, name)
        except UsageError:
            continue
        if record:
            found |= {path for path, receipt in record.receipts.items() if not receipt.is_omitted}
            found |= {*record.shared}
    try:
        found |= {*read_harmonised(root)}
    except UsageError:
        return frozenset(found)
    return frozenset(found)


def require_known(root: Path) -> None:
    """Refuse a tree of ours with images or drawings of others: nobody knows their terms.

    A tree without any record is judged by the terms that it states.

    Raises:
        TermsError: There is one; it is named.
    """
    if not any((root / name).exists() for name in (RECORD, PREPROCESSED, HARMONISED)):
        return
    if others := _others(paths_of(root), written_by_us(root)):
        msg = (
            f"{root}: no record of the tree knows {printable(some(others))}, so its terms are not "
            "known; remove it from the tree, share it with --tier recipe, or state a written "
            "permission with --permission FILE"
        )
        raise TermsError(msg)


def _others(paths: Iterable[str], known: frozenset[str]) -> list[str]:
    return [p for p in paths if not (p in known or is_text(p) or p.startswith(_OURS))]
