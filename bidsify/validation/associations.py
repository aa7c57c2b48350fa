"""What the schema wants to know of the files that belong to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .files.inheritance import Ambiguity, applicable, sidecar_of
from .files.texts import read_json, read_numbers, read_table
from .files.tree import File
from .issue import Located
from .rules.selection import belongings

if TYPE_CHECKING:
    from .context import Context
    from .rules.rulebook import Association

Loaded = Mapping[str, Any] | Ambiguity | None


def associate(context: Context, file: File) -> Iterator[Located]:
    """Fill ``context.associations``; yield what stands in the way."""
    for association in belongings(context):
        found = next(_candidates(file, association), None)
        if isinstance(found, Ambiguity):
            yield found.path, found.found
        elif found:
            loaded = _load(association.name, found)
            if isinstance(loaded, Ambiguity):  # of its own sidecars
                yield found[0].path, loaded.found
                loaded = None
            # Nothing where it cannot be read: the file is there all the same.
            context.associations[association.name] = loaded


def _candidates(file: File, association: Association) -> Iterator[list[File] | Ambiguity]:
    return applicable(
        file,
        association.suffix or file.parts.suffix,
        association.extensions,
        association.extra,
        is_inherited=association.is_inherited,
    )


def _load(name: str, files: Sequence[File]) -> Loaded:
    if name in _SEVERAL:
        return _SEVERAL[name](files)
    return _ONE.get(name, _path)(files[0])


def _path(file: File) -> Mapping[str, Any]:
    return {"path": "/" + file.path}


def _events(file: File) -> Loaded:
    onset = read_table(file).columns.get("onset", [])
    sidecar = sidecar_of(file)
    if isinstance(sidecar, Ambiguity):
        return sidecar
    return {**_path(file), "onset": onset, "sidecar": sidecar.values}


def _aslcontext(file: File) -> Mapping[str, Any]:
    kinds = read_table(file).columns.get("volume_type", [])
    return {**_path(file), "n_rows": len(kinds), "volume_type": kinds}


def _bval(file: File) -> Mapping[str, Any] | None:
    rows = read_numbers(file)
    if not rows:
        return None
    return {**_path(file), "n_cols": len(rows[0]), "n_rows": len(rows), "values": rows[0]}


def _bvec(file: File) -> Mapping[str, Any] | None:
    rows = read_numbers(file)
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    return {**_path(file), "n_cols": len(rows[0]), "n_rows": len(rows)}


def _channels(file: File) -> Mapping[str, Any]:
    columns = read_table(file).columns
    wanted = ("type", "short_channel", "sampling_frequency", "name")
    return {**_path(file), **{name: columns.get(name) for name in wanted}}


def _physio(file: File) -> Loaded:
    sidecar = sidecar_of(file)
    if isinstance(sidecar, Ambiguity):
        return sidecar
    return {**_path(file), "sidecar": sidecar.values}


def _coordsystems(files: Sequence[File]) -> Mapping[str, Any]:
    parents = [(read_json(file).value or {}).get("ParentCoordinateSystem") for file in files]
    return {
        "paths": ["/" + file.path for file in files],
        "spaces": [file.parts.entities.get("space") for file in files],
        "ParentCoordinateSystems": [parent for parent in parents if parent],
    }


_ONE: Mapping[str, Callable[[File], Loaded]] = {
    "events": _events,
    "aslcontext": _aslcontext,
    "bval": _bval,
    "bvec": _bvec,
    "channels": _channels,
    "physio": _physio,
}
_SEVERAL: Mapping[str, Callable[[Sequence[File]], Mapping[str, Any]]] = {
    "coordsystems": _coordsystems
}
