"""Sidecars: what the metadata of the files of a suffix must and may hold.

A rule counts if it holds for every file of the suffix that a sidecar can belong to, or under a
condition on the sidecar itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .document import Json, label, level_of, sentence
from .selectors import Files, Verdict, verdict
from .values import value

Rule = tuple[str, Mapping[str, Any]]
_DERIVATIVE = 'dataset.dataset_description.DatasetType == "derivative"'
_LEVELS = ("required", "recommended", "optional", "deprecated")
_TEXTS = (".json", "", ".md", ".txt", ".rst", ".cff")  # what no sidecar belongs to


def documents(bids: Mapping[str, Any]) -> dict[str, Json]:
    """Return the schemas of sidecars, by suffix; none where no rule can be settled."""
    rules = list(_rules(bids["rules"]["sidecars"], "rules.sidecars"))
    made = {}
    for suffix, files in sorted(_by_suffix(bids).items()):
        verdicts = {path: _verdict(rule, files) for path, rule in rules}
        if any(isinstance(found, tuple) for found in verdicts.values()):
            made[suffix] = _document(suffix, files, rules, verdicts, bids)
    return made


def _rules(node: Mapping[str, Any], path: str) -> Iterator[Rule]:
    for name, child in node.items():
        if "fields" in child:
            yield f"{path}.{name}", child
        else:
            yield from _rules(child, f"{path}.{name}")


def _by_suffix(bids: Mapping[str, Any]) -> dict[str, tuple[Files, ...]]:
    """Return the kinds of files of each suffix: raw ones, or derivatives where no raw exist."""
    raw, derivative = (
        _kinds(bids, groups, kind)
        for groups, kind in ((("raw", "common"), "raw"), (("deriv",), "derivative"))
    )
    return derivative | raw


def _kinds(
    bids: Mapping[str, Any], groups: Sequence[str], kind: str
) -> dict[str, tuple[Files, ...]]:
    found: dict[str, list[Files]] = {}
    modality = {
        datatype: name
        for name, entry in bids["rules"]["modalities"].items()
        for datatype in entry["datatypes"]
    }
    keys = {name: entry["name"] for name, entry in bids["objects"]["entities"].items()}
    for group in groups:
        for rule in _file_rules(bids["rules"]["files"][group]):
            for suffix in rule["suffixes"]:
                for datatype in rule.get("datatypes", [""]):
                    found.setdefault(suffix, []).extend(
                        Files(
                            dataset_type=kind,
                            datatype=datatype,
                            modality=modality.get(datatype, ""),
                            suffix=suffix,
                            extension=extension,
                            required=_keys(rule, keys, ("required",)),
                            possible=_keys(rule, keys, ("required", "optional")),
                        )
                        for extension in rule["extensions"]
                        if extension not in _TEXTS
                    )
    return {suffix: kept for suffix, files in found.items() if (kept := _images(files))}


def _images(files: Sequence[Files]) -> tuple[Files, ...]:
    """Return those of NIfTI, if there are: the rules of images apply to no other file."""
    images = tuple(one for one in files if one.extension in (".nii", ".nii.gz"))
    return images or tuple(files)


def _file_rules(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rules of files that can have a sidecar."""
    for child in node.values():
        if "suffixes" in child:
            if ".json" in child["extensions"]:
                yield child
        elif "stem" not in child and "path" not in child:
            yield from _file_rules(child)


def _keys(
    rule: Mapping[str, Any], keys: Mapping[str, str], levels: Sequence[str]
) -> frozenset[str]:
    return frozenset(
        keys[name] for name, entry in rule["entities"].items() if level_of(entry) in levels
    )


def _verdict(rule: Mapping[str, Any], files: tuple[Files, ...]) -> Verdict:
    """Return what holds for all kinds of files alike; if they differ, the rule is open."""
    found = [verdict(rule["selectors"], one) for one in files]
    return found[0] if all(one == found[0] for one in found) else "open"


def _document(
    suffix: str,
    files: tuple[Files, ...],
    rules: Sequence[Rule],
    verdicts: Mapping[str, Verdict],
    bids: Mapping[str, Any],
) -> Json:
    kind = files[0].dataset_type
    variants = _variants([rule for path, rule in rules if verdicts[path] != "never"], bids)
    stated = _properties([rule for path, rule in rules if verdicts[path] == ()], variants, bids)
    needed = _needed([rule for path, rule in rules if verdicts[path] == ()], kind, bids)
    asked = [
        found
        for path, rule in rules
        if verdicts[path] not in ((), "never", "open")
        and (found := _conditional(rule, verdicts[path], kind, variants, stated=stated, bids=bids))
    ]
    unsaid = ", ".join(
        path.removeprefix("rules.sidecars.")
        for path, rule in rules
        if verdicts[path] == "open"
        and not (
            stated.keys() >= {_name(field, bids) for field in rule["fields"]}
            and {*needed} >= {*_needed([rule], kind, bids)}
        )
    )
    endings = ", ".join(dict.fromkeys(one.extension for one in files))
    return {
        "title": f"Sidecar of {suffix}",
        "description": f"Metadata of a file *_{suffix} ({endings}) in a {kind} dataset: all JSON "
        "files that apply to it, merged by the inheritance principle. Other keys are allowed. "
        "Not meant are files whose rule of naming knows no JSON. "
        f"Rules that take more than a sidecar to judge are left out: {unsaid or 'none'}.",
        "type": "object",
        **({"required": needed} if needed else {}),
        "properties": stated,
        **({"allOf": asked} if asked else {}),
    }


def _name(field: str, bids: Mapping[str, Any]) -> str:
    return str(bids["objects"]["metadata"][field]["name"])


def _variants(
    rules: Sequence[Mapping[str, Any]], bids: Mapping[str, Any]
) -> Mapping[str, tuple[str, ...]]:
    """Return key -> its definitions in the BIDS schema; a value may follow any of them."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        for field in rule["fields"]:
            known = found.get(_name(field, bids), ())
            found[_name(field, bids)] = known if field in known else (*known, field)
    return found


def _properties(
    rules: Sequence[Mapping[str, Any]],
    variants: Mapping[str, tuple[str, ...]],
    bids: Mapping[str, Any],
) -> Json:
    levels: dict[str, str] = {}
    for rule in rules:
        for field, requirement in rule["fields"].items():
            level, name = level_of(requirement), _name(field, bids)
            levels[name] = min(level, levels.get(name, level), key=_LEVELS.index)
    metadata, formats = bids["objects"]["metadata"], bids["objects"]["formats"]
    made = {}
    for name, level in sorted(levels.items()):
        entry = metadata[variants[name][0]]
        values = [value(metadata[field], formats) for field in variants[name]]
        made[name] = {
            **label(entry, f"{sentence(entry)} {level.capitalize()}."),
            **(values[0] if len(values) == 1 else {"anyOf": values}),
            **({"deprecated": True} if level == "deprecated" else {}),
        }
    return made


def _needed(rules: Sequence[Mapping[str, Any]], kind: str, bids: Mapping[str, Any]) -> list[str]:
    """Return the required keys. In derivatives only rules made for them require anything."""
    return sorted(
        {
            _name(field, bids)
            for rule in rules
            if kind == "raw" or _DERIVATIVE in rule["selectors"]
            for field, requirement in rule["fields"].items()
            if level_of(requirement) == "required"
        }
    )


def _conditional(
    rule: Mapping[str, Any],
    conditions: Verdict,
    kind: str,
    variants: Mapping[str, tuple[str, ...]],
    *,
    stated: Json,
    bids: Mapping[str, Any],
) -> Json | None:
    needed = _needed([rule], kind, bids)
    entries = {
        name: entry
        for name, entry in _properties([rule], variants, bids).items()
        if name not in stated
    }
    if not needed and not entries:
        return None
    return {
        "if": conditions[0] if len(conditions) == 1 else {"allOf": list(conditions)},
        "then": {
            **({"required": needed} if needed else {}),
            **({"properties": entries} if entries else {}),
        },
    }
