"""Is a file of the tree, and is the source that it was made from, still what its receipt says?"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ..records.receipts import Receipt
from ..source import Source
from ..source.reading import Reading
from .seals import is_sealed
from .writing import is_own_file

_MARGIN = 2.0  # seconds by which the times of two files may be wrong


def is_untouched(receipt: Receipt, reading: Reading, root: Path) -> bool:
    """Say whether they are.

    The file is hashed. A source is hashed where it came to its place after the file was written.
    """
    source = reading.source
    if not has_sizes(receipt, source):
        return False
    if receipt.is_omitted:  # a sibling has read the source again if it had to
        facts = ((reading.facts.get(name, fact), fact) for name, fact in receipt.sources)
        return not (root / receipt.target).exists() and all(now == fact for now, fact in facts)
    status = _status(receipt, root)
    if status is None:
        return False
    return _hash(receipt, root) == receipt.sha256 and all(
        _is_older(name, source, status) or reading.fact(name) == fact
        for name, fact in receipt.sources
    )


def looks_untouched(receipt: Receipt, source: Source, root: Path) -> bool:
    """Say whether they are beyond doubt, by times and sizes alone; the run must have ended well.

    The seal of a file says that nobody has touched it. A source that was put into its place
    before the file was written is the one that it was made from.
    """
    if not has_sizes(receipt, source):
        return False
    if receipt.is_omitted:
        return not os.path.lexists(root / receipt.target)
    status = _status(receipt, root)
    return (
        status is not None
        and is_sealed(status, receipt.sha256)
        and all(_is_older(name, source, status) for name, _ in receipt.sources)
    )


def holds(receipt: Receipt, root: Path) -> bool:
    """Say whether a file of the tree is what its receipt says: by its seal, or else by its hash."""
    status = None if receipt.is_omitted else _status(receipt, root)
    return status is not None and (
        is_sealed(status, receipt.sha256) or _hash(receipt, root) == receipt.sha256
    )


def _hash(receipt: Receipt, root: Path) -> str:
    return hashlib.sha256((root / receipt.target).read_bytes()).hexdigest()


def has_sizes(receipt: Receipt, source: Source) -> bool:
    """Say whether the source has all files that it was made from, in the sizes that they had."""
    return all(source.size(name) == fact.size for name, fact in receipt.sources)


def _status(receipt: Receipt, root: Path) -> os.stat_result | None:
    """Look at a file; None where it is not there, is not ours, or has another size."""
    status = _look(f"{root}/{receipt.target}")
    if status is not None and not stat.S_ISREG(status.st_mode):
        own = is_own_file(root, receipt.target)  # a link into the annex
        status = (root / receipt.target).stat() if own else None
    return status if status is not None and status.st_size == receipt.size else None


def _look(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_older(name: str, source: Source, status: os.stat_result) -> bool:
    """Say whether a source came to its place before the file was written."""
    return source.changed(name) + _MARGIN < status.st_mtime
