"""BIDS file names: entities to a relative path and back, by the rules of the official schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import bids_schema
from .errors import DeclarationError


@dataclass(frozen=True, slots=True)
class BidsPath:
    """A file name taken apart. ``entities`` maps the full names of the schema to labels."""

    entities: Mapping[str, str]
    suffix: str
    extension: str
    datatype: str | None = None

    def __str__(self) -> str:
        """Format as a path relative to the dataset, entities in the order of the schema."""
        head = format_folder(self.entities, self.datatype)
        return head + format_name(self.entities, self.suffix, self.extension)


def format_name(entities: Mapping[str, str], suffix: str, extension: str) -> str:
    """Join entities and suffix: ``sub-01_acq-CISS_T2w.nii.gz``."""
    keys = bids_schema.entity_keys()
    parts = [f"{keys[name]}-{entities[name]}" for name in _ordered(frozenset(entities))]
    return "_".join((*parts, suffix)) + extension


def format_folder(entities: Mapping[str, str], datatype: str | None) -> str:
    """Return the folder of a file, with a slash at its end; empty at the root."""
    parts = [f"{key}-{entities[name]}/" for name, key in _LEVELS if name in entities]
    return "".join(parts) + (f"{datatype}/" if datatype else "")


def parse(path: str) -> BidsPath:
    """Take a path apart.

    >>> parse("sub-01/anat/sub-01_acq-dixon_rec-fat_T1w.nii.gz").entities["reconstruction"]
    'fat'
    """
    *folders, name = path.split("/")
    stem, dot, extension = name.partition(".")
    *pairs, suffix = stem.split("_")
    names = {key: name for name, key in bids_schema.entity_keys().items()}
    entities = {}
    for pair in pairs:
        key, dash, label = pair.partition("-")
        if not dash or key not in names or names[key] in entities:
            msg = f"{path}: {pair!r} is not an entity of BIDS"
            raise DeclarationError(msg)
        entities[names[key]] = label
    datatype = folders[-1] if folders and "-" not in folders[-1] else None
    return BidsPath(entities, suffix, dot + extension, datatype)


def fault(path: BidsPath) -> str | None:
    """Say why BIDS does not allow this name, or return None where it does."""
    for name, label in path.entities.items():
        allowed = bids_schema.entity_labels().get(name, {label})
        if label not in allowed or not bids_schema.entity_patterns()[name].fullmatch(label):
            return f"{label!r} is no legal value of the entity {name!r}"
    rules, why = _rules(frozenset(path.entities), path.suffix, path.extension, path.datatype)
    if why or any(_has_labels(rule["entities"], path.entities) for rule in rules):
        return why
    return f"no rule of BIDS allows these labels on {path.suffix!r}"


def label_of(text: str) -> str:
    """Reduce a native identifier to a legal label: ``BraTS19_AAB_1`` to ``BraTS19AAB1``."""
    return re.sub("[^0-9A-Za-z]", "", text)


_LEVELS = (("subject", "sub"), ("session", "ses"))


@cache
def _ordered(names: frozenset[str]) -> tuple[str, ...]:
    if unknown := names - set(bids_schema.entity_order()):
        msg = f"not entities of BIDS: {sorted(unknown)}"
        raise DeclarationError(msg)
    return tuple(name for name in bids_schema.entity_order() if name in names)


@cache
def _rules(
    names: frozenset[str], suffix: str, extension: str, datatype: str | None
) -> tuple[tuple[Mapping[str, Any], ...], str | None]:
    """Return the rules for a file of this shape, or why there are none."""
    rules = [rule for rule in bids_schema.file_rules() if suffix in rule["suffixes"]]
    if not rules:
        return (), f"BIDS has no suffix {suffix!r}"
    rules = [rule for rule in rules if datatype in (rule.get("datatypes") or (None,))]
    if not rules:
        return (), f"BIDS has no {suffix!r} in the datatype {datatype!r}"
    rules = [rule for rule in rules if {extension, ".*"} & {*rule["extensions"]}]
    if not rules:
        return (), f"BIDS has no {suffix!r} with the extension {extension!r}"
    rules = [rule for rule in rules if _fits(rule["entities"], names)]
    if not rules:
        return (), f"no rule of BIDS allows the entities {sorted(names)} on {suffix!r}"
    return tuple(rules), None


def _has_labels(allowed: Mapping[str, Any], entities: Mapping[str, str]) -> bool:
    """Say whether labels are among those that a rule limits its entities to."""
    limits = {n: entry["enum"] for n, entry in allowed.items() if "enum" in entry}
    return all(entities[name] in labels for name, labels in limits.items() if name in entities)


def _fits(allowed: Mapping[str, object], names: frozenset[str]) -> bool:
    required = {name for name, level in allowed.items() if _level(level) == "required"}
    return required <= names <= set(allowed)


def _level(entry: object) -> object:
    return entry["level"] if isinstance(entry, Mapping) else entry
