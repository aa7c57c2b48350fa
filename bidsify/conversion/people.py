"""Who is in a tree: participants and sessions, with what tables of the source say of them."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..dataset import Json
from ..engine.jobs import Made
from ..errors import SourceError
from ..planning.shared_jobs import NativeTable, PeopleJob, PeopleSidecarJob
from ..printable import some
from ..readers import rows
from ..readers.rows import Rows
from ..source.reading import Reading
from ..text_files import MISSING, to_json, to_tsv

_MAX_AGE = 89  # ages above identify a person (BIDS: participants file)
_UNITS = {"years": "year", "months": "month", "weeks": "week", "days": "day"}
_UNKNOWN = {"", "na", "n/a", "nan", "none", "null"}
#: An age in years as tables write it: 60, 60.5, 60,5, 61y, >89.
_AGE = re.compile(r"(?P<more>[>≥]?) ?(?P<number>\d+(?:[.,]\d+)?) ?(?:[yY](?:ears?)?)?")


@dataclass(frozen=True, slots=True)
class _Native:
    """A table of the source: the place of the column of ids, our name and place of the others."""

    stated: NativeTable
    table: Rows
    key: int
    columns: tuple[tuple[str, int], ...]


def people(job: PeopleJob, reading: Reading, folders: frozenset[str]) -> Made:
    """Return participants or sessions: a row for each folder that exists in the tree."""
    columns = list(job.columns)
    found = {f: dict(zip(columns, row, strict=True)) for f, row in job.rows if f in folders}
    notes: list[str] = []
    keys = _keys(row[:2] for _, row in job.rows)
    for native in job.natives:
        table = _read(native, keys, reading)
        if table is None:
            notes.append(f"{native.path}: no column holds the native ids of subjects; left out")
            continue
        added = dict.fromkeys(name for name, _ in (*table.columns, *native.states))
        columns += [name for name in added if name not in columns]
        notes += _join(table, keys, found)
    lines = ([row.get(name, MISSING) for name in columns] for row in found.values())
    return Made(to_tsv(columns, lines), "", tuple(notes))


def people_sidecar(job: PeopleSidecarJob, reading: Reading) -> Made:
    """Return the definitions of all columns of the participants table."""
    document: dict[str, Json] = json.loads(job.metadata)
    keys = _keys(job.ids)
    for native in job.natives:
        found = _read(native, keys, reading)
        if found is None:
            continue
        stated = _definitions(native, reading)
        for name, place in found.columns:
            theirs = found.table.columns[place]
            text = f"As {theirs} in {native.path} of the source dataset."
            definition: dict[str, Json] = {"Description": text}
            document.setdefault(name, {**definition, **stated.get(theirs, {})})
    return Made(to_json(document).encode(), "")


def _keys(ids: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return how tables may call a subject -> its participant_id; what could be two is left out."""
    called: dict[str, set[str]] = defaultdict(set)
    for label, *native in ids:
        for text in (label, label.removeprefix("sub-"), *native):
            called[_key(text)].add(label)
    return {key: labels.pop() for key, labels in called.items() if len(labels) == 1}


def _key(text: str) -> str:
    """Reduce an id to what counts: tables write case 024 as 24."""
    plain = text.strip()
    return plain.lstrip("0") or "0" if plain.isdecimal() and plain.isascii() else plain


def _read(native: NativeTable, keys: Mapping[str, str], reading: Reading) -> _Native | None:
    """Read a table; None where no column of it names subjects of ours."""
    table = rows.read(reading.content(native.path), native.path)
    key = _key_column(table, keys)
    if key is None:
        return None
    renamed = dict(native.renamed)
    columns = tuple(
        (renamed.get(name.lower(), re.sub(r"\W+", "_", name).lower()), place)
        for place, name in enumerate(table.columns)
        if place != key and not native.is_list
    )
    return _Native(native, table, key, columns)


def _key_column(table: Rows, keys: Mapping[str, str]) -> int | None:
    """Return the place of the column that names most subjects; headers differ too much to ask.

    A column of small numbers, such as a grade, can look like ids: whole names and headers with
    "id" break the tie.
    """
    if not table.cells:
        return next((n for n, name in enumerate(table.columns) if name == "participant_id"), None)
    ranks = []
    for place, name in enumerate(table.columns):
        cells = [row[place].strip() for row in table.cells]
        named = sum(_key(cell) in keys for cell in cells)
        whole = sum(cell in keys and not cell.isdecimal() for cell in cells)
        ranks.append((named, whole, "id" in name.lower(), -place))
    best = max(ranks)
    return -best[-1] if best[0] else None


def _join(
    native: _Native, keys: Mapping[str, str], found: Mapping[str, dict[str, str]]
) -> Iterator[str]:
    """Add the cells of a table to the rows that were found; yield what a user should know."""
    path, states = native.stated.path, native.stated.states
    named = [keys.get(_key(row[native.key]), row[native.key]) for row in native.table.cells]
    labels = {*keys.values()}
    ours = Counter(name for name in named if name in labels)
    if twice := [name for name, count in ours.items() if count > 1]:
        msg = f"{path}: {twice[0]} occurs twice; remove one of the rows"
        raise SourceError(msg)
    differing: dict[str, list[str]] = defaultdict(list)
    for name, cells in zip(named, native.table.cells, strict=True):
        row = found.get(name, {})
        stated = [(column, _value(column, cells[place])) for column, place in native.columns]
        for column, value in (*stated, *states) if row else ():
            before = row.get(column, MISSING)
            if before == MISSING:
                row[column] = value
            elif value not in {before, MISSING}:
                differing[column].append(f"{name} ({value!r}, elsewhere {before!r})")
    for column, names in differing.items():
        yield f"{path}: other values of {column} are left out: {some(names)}"
    yield from _unread(native)
    if alone := sorted(set(named) - found.keys() - {""}):
        yield f"{path}: {len(alone)} subjects have no files: {some(alone)}"


def _unread(native: _Native) -> Iterator[str]:
    """Tell of values that say something which we do not understand."""
    for column, place in native.columns:
        cells = [row[place] for row in native.table.cells]
        lost = [c for c in cells if c.lower() not in _UNKNOWN and _value(column, c) == MISSING]
        if lost:
            shown = some([repr(cell) for cell in lost])
            yield f"{native.stated.path}: values of {column} that are no numbers, left out: {shown}"


def _value(column: str, cell: str) -> str:
    """Return a cell as BIDS wants it: no name for what is missing but n/a, no identifying age."""
    if cell.lower() in _UNKNOWN:
        return MISSING
    if column.split("_", maxsplit=1)[0] != "age":
        return cell
    found = _AGE.fullmatch(cell)
    if found is None:
        return MISSING
    text = found["number"].replace(",", ".")
    is_old = float(text) > _MAX_AGE or (found["more"] and float(text) >= _MAX_AGE)
    return str(_MAX_AGE) if is_old else text


def _definitions(native: NativeTable, reading: Reading) -> Mapping[str, dict[str, Json]]:
    if native.sidecar is None:
        return {}
    try:
        document = json.loads(reading.content(native.sidecar))
    except (ValueError, RecursionError) as error:
        msg = f"{native.sidecar}: not readable JSON ({error})"
        raise SourceError(msg) from error
    entries = document if isinstance(document, dict) else {}
    known = {name: dict(entry) for name, entry in entries.items() if isinstance(entry, dict)}
    for entry in known.values():
        if entry.get("Units") in _UNITS:
            entry["Units"] = _UNITS[entry["Units"]]
    return known
