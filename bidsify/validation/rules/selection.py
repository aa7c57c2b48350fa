"""Which rules may apply to a file, sorted so that files meet their own.

Most selectors look only at what a name shows: they are decided once for all files with the same
datatype, suffix, extension and entities. Most of what is left looks at keys that sidecars do not
have: it is decided once for all sidecars with the same keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..context import Context
from .functions import CONTENTS
from .known import Known
from .rulebook import Association, Possible, Rules

STATIC = frozenset({"suffix", "extension", "datatype", "modality", "dataset", "schema"})


def select(context: Context) -> Rules:
    """Return the rules that the name of a file leaves possible."""
    book, entities = context.dataset.rulebook, context.entities
    key = (
        context.datatype,
        context.suffix,
        context.extension,
        context.contents,
        context.relative.startswith(book.prefixes),
        *entities,
        *[entities.get(key) for key in book.labels],
    )
    known = context.dataset.selected  # of this dataset: selectors read its description too
    if key not in known:
        known[key] = _possible(context)
    return known[key]


def belongings(context: Context) -> tuple[Association, ...]:
    """Return the kinds of files that may belong to a file, by its name."""
    key = (context.datatype, context.suffix, context.extension, context.entities.get("atlas"))
    known = context.dataset.belongings
    if key not in known:
        known[key] = tuple(
            each
            for each in context.dataset.rulebook.associations
            if all(s.holds(context) for s in each.selectors)
        )
    return known[key]


def _possible(context: Context) -> Rules:
    """Sort out the rules for files with such a name; what they cannot have is decided too."""
    book = context.dataset.rulebook
    known = Known(context, STATIC | (CONTENTS - context.contents))
    possible = (Possible(rule, rule.selectors) for rule in book.rules)
    is_named = context.relative.startswith(book.prefixes)
    if not is_named:
        possible = (each for each in possible if not any(s.prefix for s in each.open))
    return Rules(tuple(decide(possible, known)))


def decide(rules: Iterable[Possible], known: Known) -> Iterator[Possible]:
    """Evaluate the selectors that need only what is known; yield the rules that remain."""
    for possible in rules:
        still_open = []
        for selector in possible.open:
            verdict = known.verdict(selector)
            if verdict is None:
                still_open.append(selector)
            elif not verdict:
                break
        else:
            yield Possible(possible.rule, tuple(still_open))
