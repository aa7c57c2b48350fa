"""Where predictions go in a derivative: the name of what they predict, with the model as desc."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from .export_map import ExportMap, Origin

_DESC = "desc-"


def target_names(known: ExportMap, model: str) -> tuple[Mapping[str, str], list[str]]:
    """Return case -> path, and a sentence for each case that would have the name of another.

    Where two segmentations differ in ``desc`` alone, such as two readers, both keep theirs
    behind the name of the model.
    """
    short = {name: _target(known.kind, case, model) for name, case in known.cases.items()}
    counts = Counter(short.values())
    full = {
        name: path
        if counts[path] == 1
        else _target(known.kind, known.cases[name], model + _description(known.cases[name]))
        for name, path in short.items()
    }
    owners = {path: name for name, path in reversed(full.items())}  # the first keeps the name
    taken = {name: path for name, path in full.items() if owners[path] == name}
    return taken, [
        f"{name}: its prediction would have the name of another, {path}"
        for name, path in full.items()
        if name not in taken
    ]


def _target(kind: str, case: Origin, label: str) -> str:
    folder = (case.segmentation or case.images[0]).rpartition("/")[0]
    parts = [part for part in _entities(case) if not part.startswith(_DESC)]
    if kind.startswith("seg-") and kind not in parts:
        parts.append(kind)
    name = "_".join((*parts, f"{_DESC}{label}", "dseg.nii.gz"))
    return f"{folder}/{name}" if folder else name


def _entities(case: Origin) -> list[str]:
    """Return the entities of the segmentation, or those that all images share."""
    paths = [case.segmentation] if case.segmentation else [*case.images]
    first, *others = [path.rpartition("/")[2].partition(".")[0].split("_")[:-1] for path in paths]
    return [part for part in first if all(part in other for other in others)]


def _description(case: Origin) -> str:
    found = (part for part in _entities(case) if part.startswith(_DESC))
    return next(found, "").removeprefix(_DESC)
