"""Whom a file belongs to: the labels of subject and session, from what its path states."""

from __future__ import annotations

from dataclasses import dataclass

from .dataset import Naming
from .entities import label_of
from .patterns import Fields, field_names, render


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a file belongs to, in BIDS and in the source."""

    subject: str
    session: str | None
    source_id: str
    session_source_id: str | None
    folder: str
    stem: str


def person(naming: Naming, fields: Fields) -> Person:
    """Name the subject and the session that the fields of a path state."""
    subject = label_of(render(naming.subject, fields))
    session = label_of(render(naming.session, fields)) if naming.session else None
    native = render(naming.session_source_id, fields) if naming.session_source_id else None
    folder = f"sub-{subject}" if session is None else f"sub-{subject}/ses-{session}"
    source_id = render(naming.source_id, fields)
    return Person(subject, session, source_id, native, folder, folder.replace("/", "_"))


class Registry:
    """Names each person once, however many files belong to it."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, ...]] = {}
        self._people: dict[tuple[object, ...], Person] = {}

    def person(self, naming: Naming, fields: Fields) -> Person:
        """Name the subject and the session that the fields of a path state."""
        names = self._names.get(id(naming))
        if names is None:
            texts = (naming.subject, naming.session, naming.source_id, naming.session_source_id)
            stated = {name for text in texts if text for name in field_names(text)}
            names = self._names[id(naming)] = tuple(stated)
        key = (id(naming), *map(fields.get, names))
        found = self._people.get(key)
        if found is None:
            found = self._people[key] = person(naming, fields)
        return found
