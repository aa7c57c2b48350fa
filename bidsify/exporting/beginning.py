"""What all exports of cases begin with: find, choose, look into the segmentations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..cases.case import Case
from ..cases.find import find_cases
from ..errors import UsageError
from ..printable import counted, some
from ..tree_description import read_description
from .people import TEST, People, read_people
from .relabel import Look, look
from .selection import Choice, Chosen, choose
from .usable import usable

#: What to say of cases in which not all labels were drawn, where no value says "ignore".
DRAWN_IN_PART = "what nobody drew counts as background there; leave them out, or mask the loss"

#: The map between an export and its tree, which brings predictions back.
MAP = "bidsify_export.json"


@dataclass(frozen=True, slots=True)
class Begun:
    """The cases of an export, what is in their segmentations, and to whom they belong.

    ``names`` of labels are those of the tables, or of the values that occur without a table.
    """

    root: Path
    chosen: Chosen
    looks: Mapping[str, Look]
    names: Mapping[int, str]
    people: People
    regions: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]
    failures: tuple[str, ...]

    def split(self, case: Case) -> str:
        """Return the split of a case: images without a segmentation are for tests alone."""
        return self.people.split(case.subject) if case.segmentation else TEST


def begin(
    root: Path,
    choice: Choice,
    workers: int,
    partly: str,
    require: Sequence[str] = (),
    *,
    takes_flat: bool = False,
) -> Begun:
    """Find and choose cases; those whose segmentation cannot be used are left out.

    ``partly`` says what becomes of cases in which not all labels were drawn; without it nothing
    is said of them. ``require`` names labels that must occur in a case, by name or value.
    ``takes_flat`` where images of two axes are welcome, if all are.

    Raises:
        UsageError: There are no cases, or it is not clear which.
    """
    found = find_cases(root, workers)
    chosen = choose(usable(found, takes_flat=takes_flat), choice)
    paths = {case.name: case.segmentation or "" for case in chosen.labelled}
    looked = look(root, paths.values(), workers)
    looks = {name: seen for name, path in paths.items() if isinstance(seen := looked[path], Look)}
    names = chosen.names or _of_values(looks.values())
    failures = [f"{path}: {why}; left out" for path, why in found.faults.items()]
    failures += [f"{path}: {why}; its cases are left out" for path, why in chosen.faults.items()]
    failures += sorted(text for text in looked.values() if isinstance(text, str))
    left_out = {name: "its segmentation cannot be read" for name in paths if name not in looks}
    strange = {name: _strange(seen, names) for name, seen in looks.items()}
    for name in [name for name, values in strange.items() if values]:
        value = f"the value {strange[name][0]} has no row in its label table"
        left_out[name] = value
        failures.append(f"{paths[name]}: {value}; left out")
    left_out |= _not_required(looks, names, require)
    labelled = tuple(case for case in chosen.labelled if case.name not in left_out)
    if not labelled:
        why = next(iter({**chosen.left_out, **left_out}.values()), "")
        msg = f"{root}: no case can be exported" + (f"; the first: {why}" if why else "")
        raise UsageError(msg)
    missing = {
        case.name: chosen.missing[case.name] for case in labelled if case.name in chosen.missing
    }
    left_out = {**chosen.left_out, **left_out}
    chosen = replace(chosen, labelled=labelled, missing=missing, left_out=left_out)
    notes = (*chosen.notes, *_notes(labelled, looks))
    if missing and partly:
        notes = (*notes, f"not all labels were drawn in {_partial(missing, names)}: {partly}")
    return Begun(root, chosen, looks, names, read_people(root), found.regions, notes, (*failures,))


def title(root: Path) -> str:
    """Return the name of the dataset as its description states it, else that of the folder."""
    name = read_description(root)[0].get("Name")
    return name if isinstance(name, str) and name else root.resolve().name


def _of_values(looks: Iterable[Look]) -> Mapping[int, str]:
    values = sorted({value for seen in looks for value in seen.values} - {0})
    return {value: f"label {value}" for value in values}


def _strange(seen: Look, names: Mapping[int, str]) -> list[int]:
    return [value for value in seen.values if value and value not in names]


def _not_required(
    looks: Mapping[str, Look], names: Mapping[int, str], require: Sequence[str]
) -> Mapping[str, str]:
    wanted = {}
    for text in require:
        values = [value for value, name in names.items() if text in {name, str(value)}]
        if not values:
            listed = ", ".join(f"{name} ({value})" for value, name in names.items())
            msg = f"no label {text!r}; there are: {listed}"
            raise UsageError(msg)
        wanted[text] = values[0]
    lacking = {
        name: [text for text, value in wanted.items() if value not in seen.values]
        for name, seen in looks.items()
    }
    return {
        name: f"it has no voxel of {', '.join(texts)}" for name, texts in lacking.items() if texts
    }


def _partial(missing: Mapping[str, Sequence[int]], names: Mapping[int, str]) -> str:
    first, values = next(iter(missing.items()))
    lacking = ", ".join(names[value] for value in values)
    return f"{counted(len(missing), 'case')}, such as {first} ({lacking})"


def _notes(cases: Iterable[Case], looks: Mapping[str, Look]) -> Iterator[str]:
    if empty := [case.name for case in cases if looks[case.name].is_empty]:
        yield f"empty segmentations, all background: {some(empty)}"
    images: dict[object, list[str]] = {}
    for case in cases:
        images.setdefault(frozenset(case.images.values()), []).append(case.name)
    if several := [names for names in images.values() if len(names) > 1]:
        number = counted(len(several), "image")
        yield f"{number} with several segmentations, such as {some(several[0])}; --only chooses"
