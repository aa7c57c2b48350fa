"""Names and places of files, by the rules of ``rules.files`` and ``rules.directories``.

What a rule says of a name depends on little of it, and is worked out once for all names that
are alike; labels and places are looked at file by file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..files.names import NO_LABEL, Name
from ..findings import finding
from ..issue import Finding
from .file_rules import FileRules, Located

_PARTS = ("entities", "extensions", "suffixes")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of all names that are alike.

    ``parts`` are those of the name that count: a README has no suffix. ``faults`` hold wherever
    the file lies; ``rules`` are left to choose from.
    """

    parts: frozenset[str]
    rules: tuple[str, ...]
    faults: tuple[Finding, ...]
    is_any_sound: bool
    is_labelled: bool
    is_in_order: bool


@dataclass
class Filenames:
    """Judges names by the rules of one schema for one type of dataset, like names together."""

    rules: FileRules
    _verdicts: dict[Any, Verdict] = field(default_factory=dict)
    _labels: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def identify(self, relative: str, name: str, parts: Name, datatype: str) -> Verdict:
        """Find the rules for a file."""
        is_at_root = "/" not in relative  # a folder that counts as a file never is, as officially
        stem = name.partition(".")[0]
        special = (
            relative if relative in self.rules.paths else stem if stem in self.rules.stems else ""
        )
        key = (special, datatype, parts.suffix, parts.extension, is_at_root)
        signature = (key, *parts.entities, parts.is_ordinary)
        if signature not in self._verdicts:
            matching = self.rules.matching(relative, stem, parts.suffix, datatype)
            self._verdicts[signature] = self._judge(matching, parts, datatype, is_at_root)
        return self._verdicts[signature]

    def check(self, relative: str, name: str, parts: Name, verdict: Verdict) -> Iterator[Finding]:
        """Yield what is wrong with a name, given the verdict on names like it."""
        if not verdict.rules:
            yield finding("NOT_INCLUDED")
            return
        entities = parts.entities if "entities" in verdict.parts else {}
        if verdict.is_labelled and not parts.is_ordinary:
            unlabelled = [key for key, label in entities.items() if label == NO_LABEL]
            if unlabelled:
                yield finding("ENTITY_WITH_NO_LABEL", f"no label: {', '.join(unlabelled)}")
        for key, label in entities.items():
            if fault := self._label_fault(key, label):
                yield finding("INVALID_ENTITY_LABEL", fault, key)
        places = tuple(_misplaced(relative, name, entities))
        if len(verdict.rules) == 1:
            yield from verdict.faults
            yield from places
        elif places or not verdict.is_any_sound:
            message = f"of these rules, each is broken: {', '.join(verdict.rules)}"
            yield finding("ALL_FILENAME_RULES_HAVE_ISSUES", message)
        if entities and not verdict.is_in_order:
            expected = self._expected(parts, verdict)
            if expected != name:
                yield finding("FILENAME_MISMATCH", f"expected {expected}")

    def knows_folder(self, name: str) -> bool:
        """Say whether a folder may have this name."""
        return any(pattern.match(name) for pattern in self.rules.folders)

    def _judge(
        self,
        matching: Sequence[Located],
        parts: Name,
        datatype: str,
        is_at_root: bool,  # noqa: FBT001
    ) -> Verdict:
        """Narrow the rules down, then hold the name against what is left of them."""
        rules = list(matching)
        if len(rules) > 1:
            rules = [r for r in rules if datatype in (r[1].get("datatypes") or ())] or rules
        if len(rules) > 1:
            rules = [r for r in rules if self.rules.allows(r[1], parts)] or rules
        counting = frozenset(part for part in _PARTS if any(rule.get(part) for _, rule in rules))
        cleaned = Name(
            parts.entities if "entities" in counting else {},
            parts.suffix if "suffixes" in counting else "",
            parts.extension if "extensions" in counting else "",
            parts.is_ordinary,
        )
        faults = [tuple(self._faults(r, cleaned, datatype, is_at_root)) for r in rules]
        return Verdict(
            counting,
            tuple(path for path, _ in rules),
            faults[0] if faults else (),
            not all(faults),
            any("suffixes" in rule for _, rule in rules),
            parts.is_ordinary and len(counting) == len(_PARTS) and self._are_in_order(parts),
        )

    def _are_in_order(self, parts: Name) -> bool:
        return tuple(parts.entities) == tuple(
            k for k in self.rules.keys.values() if k in parts.entities
        )

    def _faults(
        self,
        located: Located,
        parts: Name,
        datatype: str,
        is_at_root: bool,  # noqa: FBT001
    ) -> Iterator[Finding]:
        path, rule = located
        if "entities" in rule:
            levels = {self.rules.keys[name]: level for name, level in rule["entities"].items()}
            missing = [k for k, v in levels.items() if v == "required" and k not in parts.entities]
            if missing and not is_at_root:
                yield finding("MISSING_REQUIRED_ENTITY", f"no {', '.join(missing)}", "", path)
            if extra := [key for key in parts.entities if key not in levels]:
                yield finding("ENTITY_NOT_IN_RULE", f"not for it: {', '.join(extra)}", "", path)
        datatypes = rule.get("datatypes")
        if datatype and isinstance(datatypes, list) and datatype not in datatypes:
            message = f"in {datatype!r}, belongs in {' or '.join(datatypes)}"
            yield finding("DATATYPE_MISMATCH", message, "", path)
        extensions = rule.get("extensions")
        if isinstance(extensions, list) and parts.extension not in extensions:
            message = f"{parts.extension!r} is none of {', '.join(extensions)}"
            yield finding("EXTENSION_MISMATCH", message, "", path)

    def _label_fault(self, key: str, label: str) -> str | None:
        if (key, label) not in self._labels:
            pattern = self.rules.patterns.get(key)
            is_sound = pattern is None or pattern.search(label)
            self._labels[key, label] = None if is_sound else f"{label!r} is no label for {key!r}"
        return self._labels[key, label]

    def _expected(self, parts: Name, verdict: Verdict) -> str:
        """Write the name as it should be: known entities in order, once."""
        pairs = [
            f"{k}-{parts.entities[k]}" for k in self.rules.keys.values() if k in parts.entities
        ]
        suffix = parts.suffix if "suffixes" in verdict.parts else ""
        extension = parts.extension if "extensions" in verdict.parts else ""
        return "_".join((*pairs, suffix + extension))


def _misplaced(relative: str, name: str, entities: Mapping[str, str]) -> Iterator[Finding]:
    """Compare the folders of a file with its entities: subject or template first, then below."""
    if not entities.get("tpl"):
        yield from _misplaced_in(relative, name, entities, ("sub", "ses"))
    if not entities.get("sub"):
        yield from _misplaced_in(relative, name, entities, ("tpl", "cohort"))


def _misplaced_in(
    relative: str, name: str, entities: Mapping[str, str], levels: tuple[str, str]
) -> Iterator[Finding]:
    top, below = levels
    top_label, below_label = entities.get(top), entities.get(below)
    if top_label:
        expected = f"{top}-{top_label}/" + (f"{below}-{below_label}/" if below_label else "")
        if not relative.startswith(expected):
            yield finding("INVALID_LOCATION", f"belongs in {expected}")
    elif relative.startswith(f"{top}-"):
        yield finding("INVALID_LOCATION", f"without {top}- it belongs at the root: {name}")
    if not below_label and f"/{below}-" in f"/{relative}":
        yield finding("INVALID_LOCATION", f"has no {below}-, but lies in a folder that has")
