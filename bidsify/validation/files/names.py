"""A file name taken apart as the official validator does: leniently, whatever it looks like."""

from __future__ import annotations

from dataclasses import dataclass

NO_LABEL = "NOENTITY"


@dataclass(frozen=True, slots=True)
class Name:
    """Entities by their keys (``sub``, ``acq``), suffix and extension.

    ``is_ordinary`` says that no key is repeated and none lacks its label, so that key order
    alone decides whether the name is well formed.
    """

    entities: dict[str, str]
    suffix: str
    extension: str
    is_ordinary: bool


def split_name(name: str) -> Name:
    """Take a name apart.

    >>> split_name("sub-01_acq-fat_T1w.nii.gz").entities
    {'sub': '01', 'acq': 'fat'}
    """
    stem, dot, rest = name.partition(".")
    parts = stem.split("_")
    suffix = ""
    if len(parts) > 1 or (stem.isascii() and stem.isalnum()):
        suffix = parts.pop()
    entities: dict[str, str] = {}
    is_ordinary = True
    for part in parts:
        key, dash, label = part.partition("-")
        if dash and label:
            is_ordinary &= key not in entities and label != NO_LABEL
            entities[key] = label
        else:
            entities[part] = NO_LABEL
            is_ordinary = False
    return Name(entities, suffix, dot + rest, is_ordinary)
