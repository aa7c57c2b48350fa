"""Choose cases for one training: one kind of segmentation, the same contrasts for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..cases.case import Case, Cases
from ..errors import UsageError
from ..printable import some
from ..validation.files.names import split_name


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user asks for.

    ``labels`` names the kind of segmentation or its label table, ``channels`` the contrasts in
    order (those that all cases have by default), ``only`` entities such as ``desc-reader1``
    that the names of the segmentations must have.
    """

    labels: str | None = None
    channels: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Cases with a segmentation, and images alone; both have all ``channels``.

    ``names`` maps each value of the label tables to its name, background included if stated;
    empty without tables. ``missing`` are, for each case, values that tables of others have and
    its own has not: there, nobody drew them. ``faults`` says of label tables why they cannot be
    used; cases of these are left out.
    """

    kind: str
    channels: tuple[str, ...]
    labelled: tuple[Case, ...]
    unlabelled: tuple[Case, ...]
    names: Mapping[int, str]
    missing: Mapping[str, tuple[int, ...]]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    faults: Mapping[str, str]


def choose(found: Cases, choice: Choice) -> Chosen:
    """Choose cases; those that do not fit are ``left_out`` with the reason.

    Raises:
        UsageError: Nothing fits, or the choice is not clear.
    """
    every = [case for case in found.cases if case.segmentation]
    kind = _kind(every, choice.labels)
    of_kind = [case for case in every if kind_of(case) == kind and _has(case, choice.only)]
    if not of_kind:
        msg = f"no segmentation {kind} has {' and '.join(choice.only)} in its name; mend --only"
        raise UsageError(msg)
    alone = [case for case in found.cases if case.segmentation is None]
    faults = _faults(of_kind, found)
    left_out = {case.name: why for case in of_kind if (why := _unusable(case, found, faults))}
    usable = [case for case in of_kind if case.name not in left_out]
    channels, notes = _channels(usable or of_kind, choice.channels, found.faults)
    for case in (*usable, *alone):
        if why := _lacks(case, channels, found.faults):
            left_out[case.name] = why
    labelled = tuple(case for case in of_kind if case.name not in left_out)
    names = _names(labelled, found)
    return Chosen(
        kind,
        channels,
        labelled,
        tuple(case for case in alone if case.name not in left_out),
        names,
        {case.name: lacking for case in labelled if (lacking := _missing(case, found, names))},
        left_out,
        notes,
        faults,
    )


def kind_of(case: Case) -> str:
    """Return ``seg-zones`` of a segmentation that says so in its name, else ``dseg``."""
    name = (case.segmentation or "").rpartition("/")[2]
    label = split_name(name).entities.get("seg")
    return f"seg-{label}" if label else "dseg"


def _kind(cases: Sequence[Case], asked: str | None) -> str:
    if not cases:
        msg = "the tree has no segmentation (*_dseg.nii.gz) that can be read"
        raise UsageError(msg)
    kinds = sorted({kind_of(case) for case in cases})
    if asked is not None:
        wanted = asked.replace("\\", "/").rpartition("/")[2].removesuffix(".tsv")
        wanted = wanted.removesuffix("_dseg")
        tables = {kind_of(case) for case in cases if case.table == asked}
        kinds = sorted(tables) or [kind for kind in kinds if wanted in {kind, kind[4:]}]
    if len(kinds) == 1:
        return kinds[0]
    listed = ", ".join(sorted({kind_of(case) for case in cases}))
    msg = f"several kinds of segmentation: {listed}; choose one with --labels"
    if asked is not None:
        msg = f"no kind of segmentation is named {asked!r}; there are: {listed}"
    raise UsageError(msg)


def _has(case: Case, entities: Iterable[str]) -> bool:
    stem = (case.segmentation or "").rpartition("/")[2].partition(".")[0]
    return {*entities} <= {*stem.split("_")}


def _unusable(case: Case, found: Cases, faults: Mapping[str, str]) -> str:
    """Return why the segmentation of a case or its label table cannot be used."""
    path, table = case.segmentation or "", case.table or ""
    if path in found.faults:
        return f"{path}: {found.faults[path]}"
    return f"{table}: {faults[table]}" if table in faults else ""


def _channels(
    cases: Sequence[Case], asked: tuple[str, ...], faults: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the contrasts, and a note on those that only some cases have.

    Cases without any image on their grid have no say in what all cases have; nor has a broken
    file, which costs its own case and not the channel of all others.
    """
    paths = {name: path for case in cases[::-1] for name, path in case.broken.items()}
    cases = [case for case in cases if case.images] or cases
    counts = Counter(name for case in cases for name in case.images)
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"
    gone = {name: f"{path}: {faults[path]}" for name, path in paths.items() if name not in counts}
    if unknown := [name for name in asked if name not in counts]:
        is_series = any(unknown[0] in case.series for case in cases)
        where = "with as many volumes as a segmentation" if is_series else "of a segmentation"
        msg = f"no contrast {unknown[0]!r} on the grid {where}; there are: {listed}"
        raise UsageError(gone.get(unknown[0], msg))
    if asked:
        return asked, ()
    broken = Counter(name for case in cases for name in {*case.broken} - {*case.images})
    common = tuple(name for name in sorted(counts) if counts[name] + broken[name] == len(cases))
    if not common:
        msg = f"no contrast is on the grid of all {len(cases)} segmentations: {listed}; choose "
        msg += "with --channels"
        raise UsageError(msg if counts or not gone else f"no image to train on: {_first(gone)}")
    rest = [f"{name} ({counts[name]} of {len(cases)} cases)" for name in sorted(counts)]
    partly = [text for text, name in zip(rest, sorted(counts), strict=True) if name not in common]
    notes = (f"no channel, as not all cases have it: {some(partly)}",) if partly else ()
    return common, (*notes, f"no channel: {some([*gone])}; {_first(gone)}") if gone else notes


def _first(reasons: Mapping[str, str]) -> str:
    return next(iter(reasons.values()))


def _lacks(case: Case, channels: Sequence[str], faults: Mapping[str, str]) -> str:
    lacking = [name for name in channels if name not in case.images]
    for path in (case.broken[name] for name in lacking if name in case.broken):
        return f"{path}: {faults[path]}"
    if series := [name for name in lacking if name in case.series]:
        return f"a series, with another number of volumes: {', '.join(series)}"
    elsewhere = [name for name in lacking if name in case.others]
    if elsewhere:
        return f"on another grid: {', '.join(elsewhere)}"
    return f"it has no {', '.join(lacking)}" if lacking else ""


def _faults(cases: Iterable[Case], found: Cases) -> Mapping[str, str]:
    """Return why the tables of cases cannot be used, of those that cannot."""
    paths = sorted({case.table for case in cases if case.table})
    return {path: found.tables[path].fault for path in paths if found.tables[path].fault}


def _names(cases: Iterable[Case], found: Cases) -> Mapping[int, str]:
    """Merge the tables of cases.

    Raises:
        UsageError: Two give one value two names.
    """
    names: dict[int, str] = {}
    for path in sorted({case.table for case in cases if case.table}):
        table = found.tables[path]
        for value, name in table.names.items():
            if names.setdefault(value, name) != name:
                msg = f"{path}: {value} is {name!r} here and {names[value]!r} elsewhere; use "
                msg += "'bidsify labels --harmonise' first"
                raise UsageError(msg)
    return dict(sorted(names.items()))


def _missing(case: Case, found: Cases, names: Mapping[int, str]) -> tuple[int, ...]:
    own = found.tables[case.table].names if case.table else names
    return tuple(value for value in names if value and value not in own)
