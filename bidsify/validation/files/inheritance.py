"""Which files apply to which: the inheritance principle, and the files that belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..findings import finding
from ..issue import Finding, Located
from ..values import rounded
from .texts import Document, read_json
from .tree import File

_MANY = "MULTIPLE_INHERITABLE_FILES"


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Several files of one folder apply, and none is nearest."""

    path: str
    found: Finding


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The metadata that apply to a file, and which document each key is from.

    ``only`` is the document where it is one alone. ``conflicts`` are keys that a nearer file
    states otherwise than a farther one. ``is_partial``: the content of one was not fetched.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, Document]
    only: Document | None = None
    conflicts: tuple[Located, ...] = ()
    is_partial: bool = False


EMPTY = Sidecar({}, {})


def applicable(
    file: File,
    suffix: str,
    extensions: Sequence[str],
    extra: Sequence[str] = (),
    *,
    is_inherited: bool = True,
) -> Iterator[list[File] | Ambiguity]:
    """Yield the files that apply to ``file``, folder by folder upwards, and mark them as used.

    More than one only where ``extra`` names entities that ``file`` need not have.
    """
    entities = file.parts.entities
    kinds = [(suffix, extension) for extension in extensions]
    for folder in file.parent.chain():
        if folder.reach.isdisjoint(kinds):
            return
        found = [
            each
            for extension in extensions
            for each in folder.applicable(entities, suffix, extension, extra)
        ]
        if len(found) > 1:
            wanted = (*entities, *extra)
            exact = [f for f in found if all(_same(f, entities, key) for key in wanted)]
            if not exact and not extra:
                paths = sorted(each.path for each in found)
                message = f"for {file.path} apply {', '.join(paths)}"
                yield Ambiguity(paths[0], finding(_MANY, message))
                return
            found = exact[:1] or sorted(found, key=lambda each: each.name)
        for each in found:
            each.is_viewed = True
        if found:
            yield found
        if not is_inherited:
            return


def sidecar_of(file: File) -> Sidecar | Ambiguity:
    """Merge the JSON files that apply to a file; the nearest wins."""
    merged: dict[str, Any] = {}
    origins: Mapping[str, Document] = {}
    conflicts: list[Located] = []
    only: Document | None = None
    is_partial = False
    for found in applicable(file, file.parts.suffix, (".json",)):
        if isinstance(found, Ambiguity):
            return found
        document = read_json(found[0])
        is_partial |= document.file.is_absent
        if document.value is None:
            continue
        if not merged:  # most files have one sidecar, which need not be copied
            merged, origins, only = document.value, document.origins, document
            continue
        only = None
        conflicts += _conflicts(document, merged, origins)
        merged = {**document.value, **merged}
        origins = {**document.origins, **origins}
    time = merged.get("RepetitionTime")
    if isinstance(time, float):  # compared with a header of 32 bits, as the official validator does
        merged = {**merged, "RepetitionTime": rounded(time)}
    return Sidecar(merged, origins, only, tuple(conflicts), is_partial)


def _conflicts(
    document: Document, merged: Mapping[str, Any], origins: Mapping[str, Document]
) -> Iterator[Located]:
    """Name the keys with two values. Lists and objects count as different, as officially."""
    for key, far in (document.value or {}).items():
        if key not in merged:
            continue
        near = merged[key]
        if (
            isinstance(far, list | dict)
            or far != near
            or isinstance(far, bool) != isinstance(near, bool)
        ):
            message = f"{document.file.path} says otherwise ({far!r})"
            yield origins[key].file.path, finding("SIDECAR_FIELD_OVERRIDE", message, key)


def _same(file: File, entities: Mapping[str, str], key: str) -> bool:
    return file.parts.entities.get(key) == entities.get(key)
