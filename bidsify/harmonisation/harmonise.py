"""Write a second segmentation beside each first one, with the codes of a common table.

Only files of the name ``seg-<name>`` are written, and the record of them; no file that was
there is touched. Each gets its label table and sidecar beside it: at the root they would apply
together with a ``dseg.tsv`` there, which BIDS forbids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .. import gz
from ..conversion.recode import recode
from ..engine.journal import Journal
from ..engine.pool import run_all
from ..engine.workers import WorkerDiedError
from ..engine.writing import write_file, write_if_changed
from ..entities import format_name, label_of, parse
from ..errors import BidsifyError, SourceError, UsageError
from ..labels import Range
from ..planning.jobs import Recode
from ..readers import nifti
from ..records.harmonisation import HARMONISED, Entry, read_harmonised, sha256, to_bytes
from . import sidecar as second_sidecar
from .common_table import CommonTable, check_known, label_table, map_labels, read_common_table
from .segmentations import Found, SegmentationFile, TreeTable, find, values

_LABEL = re.compile("[0-9A-Za-z+]+")


@dataclass(frozen=True, slots=True)
class Harmonised:
    """What was done: files written and kept, failures, and segmentations no row speaks of."""

    name: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    failures: tuple[str, ...]
    left_alone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """The three files to make of one segmentation; ``image`` lacks its hashes."""

    image: Entry
    dtype: str
    texts: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class _Setting:
    root: Path
    known: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class _Result:
    entries: tuple[Entry, ...] = ()
    written: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    tasks: tuple[_Task, ...]
    failures: tuple[str, ...]
    left_alone: tuple[str, ...]


def harmonise(
    root: Path, table: Path, *, name: str | None = None, union: bool = False, workers: int = 1
) -> Harmonised:
    """Map all segmentations of a tree to the codes of ``table``; run again to go on.

    Raises:
        UsageError: The table does not fit the tree, or a file of somebody else is in the way.
    """
    common = read_common_table(table)
    label = label_of(table.stem) if name is None else name
    if not _LABEL.fullmatch(label):
        msg = f"{label!r} is no name for a segmentation: letters and digits alone; give --name"
        raise UsageError(msg)
    found, known = find(root), read_harmonised(root)
    plan = _plan(found, common, label, known, union=union)
    _check_free(root, plan.tasks, known)
    return _write(root, label, plan, known, workers)


def _plan(
    found: Found, common: CommonTable, label: str, known: Mapping[str, Entry], *, union: bool
) -> _Plan:
    firsts = [each for each in found.segmentations if each.path not in known]
    used = {each.table: found.tables[each.table] for each in firsts if each.table}
    if broken := [table for table in used.values() if table.fault]:
        msg = f"{broken[0].path}: {broken[0].fault}; repair the label table first"
        raise UsageError(msg)
    if not used:
        msg = "no segmentation of the tree has a label table, so there is nothing to map"
        raise UsageError(msg)
    check_known(common, list(used.values()))
    spoken = {p: t for p, t in used.items() if any(code.speaks_of(p) for code in common.codes)}
    mapped = {path: map_labels(common, own, union=union) for path, own in spoken.items()}
    tasks, failures, left_alone = list[_Task](), list[str](), list[str]()
    for each in firsts:
        if each.table is None:
            failures.append(f"{each.path}: {each.fault}; it was not mapped")
        elif each.table not in mapped:
            left_alone.append(each.path)
        else:
            try:
                tasks.append(_task(each, used[each.table], common, label, mapped[each.table]))
            except BidsifyError as error:
                failures.append(str(error))
    return _Plan(tuple(tasks), tuple(failures), tuple(left_alone))


def _task(
    first: SegmentationFile,
    own: TreeTable,
    common: CommonTable,
    label: str,
    mapping: Mapping[int, int],
) -> _Task:
    parts = parse(first.path)
    stem = first.file.parent.path + format_name(
        {**parts.entities, "segmentation": label}, parts.suffix, ""
    )
    table = label_table(common, mapping)
    sidecar = second_sidecar.make(first, stem.rsplit("/", 1)[-1], own, common, table, mapping)
    texts = ((f"{stem}.tsv", table.to_tsv().encode()), (f"{stem}.json", sidecar))
    digest = hashlib.sha256(texts[0][1]).hexdigest()
    pairs = tuple(mapping.items())
    entry = Entry(stem + parts.extension, "", first.path, "", digest, pairs)
    return _Task(entry, table.dtype, texts)


def _check_free(root: Path, tasks: Iterable[_Task], known: Mapping[str, Entry]) -> None:
    """Refuse to write over what this command did not write, or twice to one place."""
    planned: dict[str, str] = {}
    for task in tasks:
        for path in _paths(task):
            if path in planned:
                msg = f"{planned[path]} and {task.image.source} would both become {path}; speak of "
                msg += "one label table at a time (column 'table') and give each run a --name"
                raise UsageError(msg)
            planned[path] = task.image.source
            place = root / path
            if path not in known and (place.exists() or place.is_symlink()):
                msg = f"{path}: already there and not made by this command; give another --name"
                raise UsageError(msg)


def _write(
    root: Path, label: str, plan: _Plan, known: Mapping[str, Entry], workers: int
) -> Harmonised:
    record = dict(known)
    for task in plan.tasks:  # noted before they are written: a run that is cut off can go on
        for path in _paths(task):
            record.setdefault(path, replace(task.image, path=path, mapping=()))
    written, failures = list[str](), list(plan.failures)
    journal = Journal(root)
    is_needed = journal.is_needed
    try:
        if record.keys() != known.keys():
            write_if_changed(root, HARMONISED, to_bytes(record))
        setting = _Setting(root, known)
        for task, result in run_all(_run, setting, plan.tasks, workers):
            if isinstance(result, WorkerDiedError):
                failures.append(f"{task.image.source}: the process that mapped it was killed")
            elif result.failure:
                failures.append(result.failure)
            else:
                record.update({entry.path: entry for entry in result.entries})
                written.extend(result.written)
    finally:
        there = {path: entry for path, entry in record.items() if (root / path).is_file()}
        if there:
            write_if_changed(root, HARMONISED, to_bytes(there))
        else:
            (root / HARMONISED).unlink(missing_ok=True)
        if is_needed:
            journal.close()
        else:
            journal.finish()
    kept = {path for task in plan.tasks for path in _paths(task)} & there.keys() - {*written}
    return Harmonised(
        label, tuple(sorted(written)), tuple(sorted(kept)), tuple(sorted(failures)), plan.left_alone
    )


def _paths(task: _Task) -> Iterator[str]:
    yield task.image.path
    yield from (path for path, _ in task.texts)


def _run(setting: _Setting, task: _Task) -> _Result:
    """Write the files of one segmentation; those that are as they should be are left alone."""
    source = task.image.source
    try:
        return _make(setting, task)
    except SourceError as error:
        return _Result(failure=str(error))
    except OSError as error:
        return _Result(
            failure=f"{source}: {error.strerror or error} ({error.filename or 'reading'})"
        )
    except MemoryError:
        return _Result(failure=f"{source}: does not fit into memory; use fewer processes (-j)")
    except Exception as error:  # noqa: BLE001  one file must not stop the others
        why = f"unexpected {type(error).__name__}: {error}; a defect of bidsify, report it"
        return _Result(failure=f"{source}: {why}")


def _make(setting: _Setting, task: _Task) -> _Result:
    root, written = setting.root, []
    content = (root / task.image.source).read_bytes()
    image = replace(task.image, source_sha256=hashlib.sha256(content).hexdigest())
    known = setting.known.get(image.path)
    if known is not None and _is_same(root, known, image):
        image = known
    else:
        made = _mapped(content, task)
        write_file(root, image.path, made)
        image = replace(image, sha256=hashlib.sha256(made).hexdigest())
        written.append(image.path)
    entries = [image]
    for path, text in task.texts:
        if write_if_changed(root, path, text):
            written.append(path)
        digest = hashlib.sha256(text).hexdigest()
        entries.append(replace(image, path=path, sha256=digest, mapping=()))
    return _Result(tuple(entries), tuple(written))


def _is_same(root: Path, known: Entry, wanted: Entry) -> bool:
    return replace(known, sha256="") == wanted and sha256(root / known.path) == known.sha256


def _mapped(content: bytes, task: _Task) -> bytes:
    path = task.image.source
    image, found = values(content, path)
    ranges = tuple(Range(first, first, second) for first, second in task.image.mapping)
    raw = nifti.with_labels(image, recode(found, Recode(ranges=ranges, dtype=task.dtype), path))
    return gz.pack(raw, reproducible=False) if task.image.path.endswith(".gz") else raw
