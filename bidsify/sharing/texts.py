"""Which texts of a tree may leave without its images, and in what form."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from ..errors import BidsifyError, UsageError
from ..labels import read_rows
from ..records.conversion import RECORD, read_record
from ..text_files import to_json, to_tsv
from .citation import citation_cff, without_moved
from .documents import to_bytes
from .origin import renamed, with_base, without_base

DESCRIPTION, PEOPLE, CITATION = "dataset_description.json", "participants.tsv", "CITATION.cff"
_ENDINGS = frozenset({"json", "tsv", "md", "rst", "txt", "cff", "bidsignore"})
_NAMES = frozenset({"README", "CHANGES", "LICENSE", "LICENCE"})
#: Landmarks are drawn by hand, as segmentations are: no text in this sense.
_DRAWN = re.compile(r"_(points|markers|contours)\.(tsv|json)$|\.mrk\.json$|\.(fcsv|json\.gz)$")
#: Tables at the root that say nothing of single subjects.
_GENERAL = re.compile(r"(([a-z]+-[0-9A-Za-z]+_)*dseg|regions|descriptions|participants)\.tsv")
_KEPT = ("participant_id", "split")


def is_text(path: str) -> bool:
    """Say by its name whether a file is a text: no image, and nothing that was drawn."""
    name = path.rsplit("/", 1)[-1]
    is_drawn = _DRAWN.search(name) and not name.endswith("_points.json")
    return not is_drawn and (name in _NAMES or ("." in name and name.rsplit(".")[-1] in _ENDINGS))


def texts(
    paths: Iterable[str], *, is_restricted: bool, written: Container[str] = ()
) -> Iterator[str]:
    """Yield the texts among the files of a tree.

    Of a restricted one, tables that measure or describe single subjects stay behind, and what
    lies in a folder leaves only as a sidecar that is ``written`` by us.
    """
    for path in filter(is_text, paths):
        is_general = path.endswith(".json") and path in written and not path.startswith("code/")
        if "/" not in path:
            is_general = not path.endswith(".tsv") or _GENERAL.fullmatch(path) is not None
        if is_general or not is_restricted:
            yield path


def changed(
    root: Path,
    paths: Iterable[str],
    leaving: Collection[str],
    *,
    citation: bool,
    is_restricted: bool,
) -> dict[str, bytes]:
    """Return the files that leave in another form than they have in the tree.

    With a citation file BIDS forbids the fields of the description that say the same.

    Raises:
        UsageError: The description cannot be read, or there is a citation file already.
    """
    made: dict[str, bytes] = {}
    present = {*paths}
    if citation:
        if CITATION in present:
            msg = f"{root / CITATION}: there is one already; leave --citation out"
            raise UsageError(msg)
        described = description(root)
        made[CITATION] = citation_cff(described)
        made[DESCRIPTION] = to_json(without_moved(described)).encode()
    if is_restricted and PEOPLE in present:
        made[PEOPLE] = _people(root / PEOPLE)
    made |= {p: c for p, c in _renamed(root, leaving).items() if p not in made}
    return made


def _renamed(root: Path, paths: Collection[str]) -> dict[str, bytes]:
    """Return the files that name folders above the data, without these."""
    if RECORD not in paths:
        return {}
    try:
        record = read_record(root)
        record = with_base(record) if record else None
        if record is None or not record.base:
            return {}
        found = {path: renamed(root, path, record.base) for path in sorted(paths)}
        tables = {path: content for path, content in found.items() if content is not None}
        return {**tables, RECORD: to_bytes(without_base(record))}
    except (UsageError, KeyError, TypeError, AttributeError):  # damaged: it tells nothing anyway
        return {}


def description(root: Path) -> Mapping[str, Any]:
    """Return ``dataset_description.json``.

    Raises:
        UsageError: There is none, or it is broken: this is no dataset.
    """
    path = root / DESCRIPTION
    if not root.is_dir():
        msg = f"{root}: no such folder"
        raise UsageError(msg)
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{path}: not there or not JSON, so this is no BIDS dataset; run bidsify validate"
        raise UsageError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path}: not a JSON object; run bidsify validate"
        raise UsageError(msg)
    return found


def _people(path: Path) -> bytes:
    try:
        columns, rows = read_rows(path)
    except BidsifyError as error:
        raise UsageError(str(error)) from error
    kept = [name for name in _KEPT if name in columns]
    return to_tsv(kept, [[row[name] for name in kept] for row in rows])
