"""Visit the folder of one subject, or recall what that gave where it cannot give anything else.

A visit is kept where all that it looked at is known: the folder itself, stamped file by file, and
the root, whose files are hashed (:mod:`.ground`). One that looked anywhere else, by a reference to
another subject or dataset, is not kept. What follows from all visits together, from the table of
participants and from the record of a conversion, is found anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from .checks.evidence import Evidence, Table, Use
from .dataset import PEOPLE, Dataset
from .files.texts import Document
from .findings import finding
from .memory import Memory
from .share import Share
from .stamps import stamp_of
from .walk import Tally, enter

_NOTHING: Mapping[str, Any] = {"images": {}, "visits": {}}


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of some folders: a JSON text of each.

    ``key`` stands for all else that a visit depends on, None where nothing can; ``started`` is
    when, in nanoseconds.
    """

    texts: Mapping[str, str]
    key: str | None
    started: int

    def of(self, folders: Iterable[str]) -> Known:
        """Return what is kept of some of the folders."""
        return replace(self, texts={n: self.texts[n] for n in folders if n in self.texts})


def visit(dataset: Dataset, name: str, known: Known) -> Share:
    """Visit one folder at the root, or recall that; ``met`` of the share is what is new to keep."""
    text = known.texts.get(name)
    entry = orjson.loads(text) if text else _NOTHING
    level = dataset.options.level_in(name)
    stamp = None
    if known.key and name.startswith("sub-"):  # others are looked at from everywhere
        stamp = stamp_of(dataset.root.location + name, known.started)
    mark = f"{known.key} {stamp}"
    kept = entry["visits"].get(level)
    if stamp and kept and kept[0] == mark:
        return _decoded(kept[1:])
    memory = Memory(entry["images"], known.started)
    share = Share()
    with _apart(dataset, share, memory):
        enter(dataset, dataset.root, name, share.tally)
        is_alone = not dataset.looks_beyond and not dataset.root.is_open
    visits = {each: kept for each, kept in entry["visits"].items() if each != level}
    images = memory.met if level == "voxels" else entry["images"]
    try:
        if stamp and is_alone:
            visits[level] = [mark, *_encoded(share)]
        new = orjson.dumps({"images": images, "visits": visits}).decode()
    except TypeError:  # a name or a number that JSON cannot hold
        new = ""
    if new != text:
        share.met[name] = new
    return share


@contextmanager
def _apart(dataset: Dataset, share: Share, memory: Memory) -> Iterator[None]:
    """Let a visit know nothing of others, and note what it used of the root."""
    root = dataset.root
    files = [*root.files.values()]
    documents = [each for each in root.contents.values() if isinstance(each, Document)]
    viewed = [file for file in files if file.is_viewed]
    checked = [(document, document.checked) for document in documents]
    before = dataset.seen, dataset.memory
    people = root.contents.pop(PEOPLE, None)
    for file in viewed:
        file.is_viewed = False
    for document in documents:
        document.checked = set()
    dataset.seen, dataset.memory, dataset.looks_beyond = set(), memory, False
    root.close_all()
    yield
    root.close_all()
    share.viewed = {file.name for file in files if file.is_viewed}
    share.checked = dataset.checked_at_root()
    share.seen = dataset.seen
    dataset.seen, dataset.memory = before
    for file in viewed:
        file.is_viewed = True
    for document, keys in checked:
        document.checked |= keys
    if people is not None:
        root.contents[PEOPLE] = people


def _encoded(share: Share) -> list[Any]:
    tally = share.tally
    found = [
        [path, each.code, each.message, each.where, each.rule, each.severity]
        for path, each in tally.found
    ]
    evidence = [
        [each.path, each.rows] if isinstance(each, Table) else [None, each.tables, each.values]
        for each in tally.evidence
    ]
    used = [sorted(share.viewed), sorted(share.checked), sorted(share.seen)]
    return [tally.files, found, tally.orphans, evidence, *used]


def _decoded(kept: list[Any]) -> Share:
    files, found, orphans, evidence, viewed, checked, seen = kept
    located = [(path, finding(*rest)) for path, *rest in found]
    tally = Tally(files, located, orphans, [_evidence(each) for each in evidence])
    return Share(tally, set(viewed), {(path, key) for path, key in checked}, set(seen))


def _evidence(kept: list[Any]) -> Evidence:
    path, first, *rest = kept
    if path is not None:
        return Table(path, tuple((index, name) for index, name in first))
    return Use(tuple(first), None if rest[0] is None else tuple(rest[0]))
