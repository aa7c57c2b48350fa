"""Which files read which others, as far as the BIDS schema says so: by the forms of their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .names import Name

_TABLES = frozenset({".json", ".tsv"})  # these describe other files, besides what belongs to them
_BASES = re.compile(r"""exists\(|,\s*["'](dataset|subject|file|stimuli)["']\s*\)""")
# A file that the rule itself names is one of those at the root.
_LITERAL = re.compile(r"""exists\(\s*(?:"[^"]*"|'[^']*'|\[[^\]()]*\])\s*,\s*["'][\w-]+["']\s*\)""")


@dataclass(frozen=True, slots=True)
class Kinship:
    """What one schema says.

    ``targets`` are the suffixes of associated files, each of which may belong to any other file;
    ``extra`` are entities that only they have; ``extensions`` are those of describing files.
    ``stems`` are names that the schema gives whole; ``suffixes`` are all that it knows.
    ``bases`` says where the paths lie that a rule looks for, by the path of the rule;
    ``of_subjects`` are the rules that compare with the subjects of the dataset.
    """

    targets: frozenset[str]
    extra: frozenset[str]
    extensions: frozenset[str]
    stems: frozenset[str]
    suffixes: frozenset[str]
    bases: Mapping[str, frozenset[str]]
    of_subjects: frozenset[str]

    def describes(self, parts: Name) -> bool:
        """Say whether a file may tell something of others."""
        return parts.suffix in self.targets or parts.extension in self.extensions

    def is_fixed(self, path: str) -> bool:
        """Say whether the schema gives the whole name: README, participants."""
        return path.partition(".")[0] in self.stems

    def is_plain(self, path: str, parts: Name) -> bool:
        """Say whether a file at the root is about the whole dataset, known or not."""
        is_sidecar = bool(parts.entities) or parts.suffix in self.suffixes
        return "/" not in path and (self.is_fixed(path) or not is_sidecar)


def kinship(schema: Mapping[str, Any]) -> Kinship:
    """Read a schema."""
    targets = [each["target"] for each in schema["meta"]["associations"].values()]
    nameless = (t["extension"] for t in targets if "suffix" not in t)
    common = schema["rules"]["files"]["common"].values()
    names = (rule.get("stem") or rule.get("path") for group in common for rule in group.values())
    texts = dict(_texts(schema["rules"], "rules"))
    return Kinship(
        targets=frozenset(t["suffix"] for t in targets if "suffix" in t),
        extra=frozenset(key for t in targets for key in t.get("entities", ())),
        extensions=_TABLES.union(*([e] if isinstance(e, str) else e for e in nameless)),
        stems=frozenset(name.partition(".")[0] for name in names if name) - {"*"},
        suffixes=frozenset(each["value"] for each in schema["objects"]["suffixes"].values()),
        bases={path: found for path, text in texts.items() if (found := _bases(text))},
        of_subjects=frozenset(path for path, text in texts.items() if "dataset.subjects" in text),
    )


def _texts(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yield the expressions of each rule, with its path."""
    lines = [*node.get("selectors", ()), *node.get("checks", ())]
    if lines:
        yield path, "\n".join(map(str, lines))
    for name, child in node.items():
        if isinstance(child, dict):
            yield from _texts(child, f"{path}.{name}")


def _bases(text: str) -> frozenset[str]:
    """Say where a rule looks for paths that it reads from the data."""
    found = _BASES.findall(_LITERAL.sub("", text))
    named = frozenset(found) - {""}
    return named or frozenset({"dataset"} if found else ())
