"""Sort the files of a source by what a declaration says of them. Names only; nothing is opened.

Each file is claimed by products, serves one (a sidecar, a table of people), is ignored by a
named rule, or is unclaimed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..dataset import Dataset, Ignored, Image, Product, SubjectTable
from ..patterns import Fields, Match, Pattern

Role = Literal["product", "native_json", "landmarks", "table", "table_json"]

_JUNK = (
    (re.compile(r"(?:.*/)?(?:\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*|__MACOSX/.*)"), "desktop"),
    (
        re.compile(r"(?:.*/)?(?:\.(?:git|datalad|svn)(?:/.*)?|\.git(?:attributes|ignore|modules))"),
        "version control",
    ),
)
_MAY_BE_JUNK = ("/.", "Thumbs.db", "desktop.ini", "__MACOSX/")


@dataclass(frozen=True, slots=True)
class Use:
    """What a file can be: part of a product, something that serves one, a table of subjects."""

    role: Role
    product: Product | None
    table: SubjectTable | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that a pattern of the declaration fits. ``rank`` is the place of that pattern.

    ``above`` are the folders of its path that no pattern speaks of: ``""`` or ``"a/b/"``.
    """

    path: str
    uses: tuple[Use, ...]
    rank: int
    match: Match
    above: str


@dataclass(slots=True)
class Sorted:
    """The files of a source, sorted. ``marks`` is what ignored files state of subjects."""

    claims: list[Claim] = field(default_factory=list)
    marks: list[Fields] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    unclaimed: list[str] = field(default_factory=list)
    unnameable: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Count the files."""
        others = len(self.ignored) + len(self.unclaimed) + len(self.unnameable)
        return len({claim.path for claim in self.claims}) + others


@dataclass(frozen=True, slots=True)
class _Rule:
    """Patterns, in the order of preference, and what the files that fit them are."""

    patterns: tuple[Pattern, ...]
    uses: tuple[Use, ...]


def sort_files(
    dataset: Dataset, paths: Iterable[str], names: Mapping[str, str] | None = None
) -> Sorted:
    """Sort all files; the order of ``paths`` does not matter.

    ``names`` maps files to the names by which the declaration knows them, see :mod:`.series`.
    """
    rules = _rules(dataset)
    ignored = [(Pattern(rule.source, dataset.fields), rule) for rule in dataset.ignored]
    series = [Pattern(each.source, dataset.fields) for each in dataset.series]
    result = Sorted()
    for path in sorted(paths):
        name = names.get(path, path) if names else path
        reason = junk(path)
        above = None if name == path else _above(series, path)
        claims = [] if reason else list(_claims(rules, path, name, above))
        if not claims and not reason:
            reason = _ignored(ignored, name, result.marks)
        if claims and not path.isprintable():
            result.unnameable.append(path)
        elif claims:
            result.claims.extend(claims)
        elif reason:
            result.ignored.append((path, reason))
        else:
            result.unclaimed.append(path)
    return result


def _above(series: Iterable[Pattern], path: str) -> str:
    """Return the folders above a file of a series, which a header has named."""
    matches = (pattern.match(path) for pattern in series)
    return next((match.prefix for match in matches if match), "")


def _ignored(
    rules: Iterable[tuple[Pattern, Ignored]], name: str, marks: list[Fields]
) -> str | None:
    for pattern, rule in rules:
        match = pattern.match(name)
        if match is not None:
            if rule.states:
                marks.append({**match.fields, **rule.states})
            return rule.reason
    return None


def junk(path: str) -> str | None:
    """Say which tool left this file behind, or return None where it is part of the data."""
    if path[0] != "." and not any(part in path for part in _MAY_BE_JUNK):
        return None
    return next((f"left by a {tool}" for pattern, tool in _JUNK if pattern.fullmatch(path)), None)


def claimed(dataset: Dataset, paths: Iterable[str]) -> set[str]:
    """Return the files that products of this dataset fit: the measure of detection."""
    rules = [rule for rule in _rules(dataset) if any(use.role == "product" for use in rule.uses)]
    patterns = [pattern for rule in rules for pattern in rule.patterns]
    patterns += [Pattern(series.source, dataset.fields) for series in dataset.series]
    endings = tuple({ending for pattern in patterns for ending in pattern.endings})
    return {
        path
        for path in paths
        if path.endswith(endings) and not junk(path) and any(p.match(path) for p in patterns)
    }


def _rules(dataset: Dataset) -> list[_Rule]:
    """List what a file can be; patterns that several products share are tried once."""
    uses: dict[tuple[str, ...], list[Use]] = defaultdict(list)
    for product in dataset.products:
        uses[product.source].append(Use("product", product))
        if isinstance(product, Image):
            points = product.landmarks.source if product.landmarks else None
            uses[_texts(product.native_json)].append(Use("native_json", product))
            uses[_texts(points)].append(Use("landmarks", product))
    for table in dataset.tables:
        uses[(table.source,)].append(Use("table", None, table))
        uses[_texts(table.sidecar)].append(Use("table_json", None, table))
    return [
        _Rule(tuple(Pattern(text, dataset.fields) for text in texts), tuple(used))
        for texts, used in uses.items()
        if texts
    ]


def _texts(source: str | None) -> tuple[str, ...]:
    return (source,) if source else ()


def _claims(rules: list[_Rule], path: str, name: str, above: str | None) -> Iterator[Claim]:
    for rule in rules:
        for rank, pattern in enumerate(rule.patterns):
            match = pattern.match(name)
            if match is not None:
                yield Claim(path, rule.uses, rank, match, match.prefix if above is None else above)
                break
