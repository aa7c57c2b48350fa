"""Folds for cross-validation: what belongs together stays together, the same each time."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping

from ..errors import UsageError

USUAL = 5


def folds(groups: Mapping[str, str], count: int | None, seed: int) -> Mapping[str, int]:
    """Return the fold of each case; ``groups`` maps cases to what must not be torn apart.

    Large groups come first and each goes to the smallest fold; the seed decides between equals.
    Without a ``count`` there are five, or as many as there are groups. None for a single group.

    Raises:
        UsageError: More folds are asked for than there are groups, or a single one.
    """
    if count is not None and (count == 1 or count < 0):
        msg = f"{count} is no number of folds: --folds takes 2 or more, or 0 for none"
        raise UsageError(msg)
    members: dict[str, list[str]] = defaultdict(list)
    for case, group in groups.items():
        members[group].append(case)
    if count is None:
        count = min(USUAL, len(members))
    if count > len(members) > 0:
        msg = f"{len(members)} groups of cases cannot fill {count} folds; ask for fewer --folds"
        raise UsageError(msg)
    if count < 2:  # noqa: PLR2004  one fold has nothing to validate on
        return {}
    sizes = [0] * count
    found: dict[str, int] = {}
    for group in sorted(members, key=lambda name: (-len(members[name]), _key(name, seed))):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(members[group])
        found.update(dict.fromkeys(members[group], fold))
    return {case: found[case] for case in groups}


def _key(name: str, seed: int) -> str:
    """Return what is as good as random but the same in each version of Python."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
