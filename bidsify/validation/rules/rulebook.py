"""The rules of the BIDS schema as objects, compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .definitions import Definitions, FieldRule, compile_fields
from .expressions import Expression, compile_expression

# What rules may state. A schema that states more is newer than this module; a test watches it.
KINDS = frozenset({"checks", "fields", "columns", "initial_columns", "index_columns"})
NOTES = frozenset({"selectors", "issue", "additional_columns", "code", "level", "message"})
MANY = frozenset({"sub", "ses", "subject", "session"})  # labels that differ from file to file


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``document`` is what the schema states, ``path`` is where: ``rules.checks.x.y``."""

    path: str
    document: Mapping[str, Any]
    selectors: tuple[Expression, ...]
    checks: tuple[Expression, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    # A derivative owes only the metadata that is asked of derivatives by name.
    is_for_derivatives: bool = False

    @property
    def is_sidecar_rule(self) -> bool:
        """Say whether the fields are those of a sidecar, not of the JSON file itself."""
        return self.path.startswith("rules.sidecar")


@dataclass(frozen=True, slots=True)
class Possible:
    """A rule that applies to a file if the selectors that are still open hold."""

    rule: Rule
    open: tuple[Expression, ...]

    def holds(self, context: Any) -> bool:
        """Say whether the rule applies to this file."""
        for selector in self.open:  # noqa: SIM110  all() takes twice as long
            if not selector.holds(context):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that may apply to files of one signature.

    ``shapes`` remembers what the keys of a sidecar decide, whatever their values.
    """

    possible: tuple[Possible, ...]
    shapes: dict[tuple[str, ...], Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Association:
    """A kind of file that belongs to others: the ``events`` of a ``bold``."""

    name: str
    selectors: tuple[Expression, ...]
    suffix: str | None
    extensions: tuple[str, ...]
    extra: tuple[str, ...]
    is_inherited: bool


@dataclass
class Rulebook:
    """All rules of one schema."""

    schema: Mapping[str, Any]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules that are applied to files, in the order of the schema."""
        return tuple(_compile(self.schema["rules"], "rules", Definitions(self.schema)))

    @cached_property
    def associations(self) -> tuple[Association, ...]:
        """Return what kinds of files belong to others."""
        entries = self.schema["meta"]["associations"].items()
        return tuple(_association(name, entry) for name, entry in entries)

    @cached_property
    def datatypes(self) -> frozenset[str]:
        """Return the names of folders that hold data."""
        return frozenset(self.schema["objects"]["datatypes"])

    @cached_property
    def modalities(self) -> Mapping[str, str]:
        """Return datatype -> modality."""
        entries = self.schema["rules"]["modalities"].items()
        return {datatype: name for name, entry in entries for datatype in entry["datatypes"]}

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """Return how the few paths start that rules name."""
        selectors = (each for rule in self.rules for each in rule.selectors)
        return tuple(sorted({each.prefix for each in selectors if each.prefix is not None}))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the entities whose labels decide rules."""
        read = (e for rule in self.rules for e in (*rule.selectors, *rule.checks))
        return tuple(sorted({label for e in read for label in e.entities} - MANY - {"*"}))


def _compile(node: Mapping[str, Any], path: str, values: Definitions) -> Iterator[Rule]:
    for key, child in node.items():
        if not isinstance(child, dict):
            continue
        if "selectors" not in child:
            yield from _compile(child, f"{path}.{key}", values)
        elif KINDS & set(child):
            yield _rule(child, f"{path}.{key}", values)


def _rule(document: Mapping[str, Any], path: str, values: Definitions) -> Rule:
    selectors = document["selectors"] or ()
    return Rule(
        path,
        document,
        tuple(map(compile_expression, selectors)),
        tuple(map(compile_expression, document.get("checks", ()))),
        compile_fields(document.get("fields", {}), values),
        'dataset.dataset_description.DatasetType == "derivative"' in selectors,
    )


def _association(name: str, entry: Mapping[str, Any]) -> Association:
    target = entry["target"]
    extension = target.get("extension", ())
    return Association(
        name,
        tuple(map(compile_expression, entry["selectors"])),
        target.get("suffix"),
        (extension,) if isinstance(extension, str) else tuple(extension),
        tuple(target.get("entities", ())),
        entry.get("inherit", True),
    )
