"""Which paths of a tree are left out: ``.bidsignore``, in the syntax of ``.gitignore``."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cached_property

# Folders of BIDS whose content it does not rule; as in the official validator.
DEFAULTS = ("/sourcedata/", "/derivatives/", "/code/", "/stimuli/", "/log/", "/doc/")


class Ignore:
    """Tells ignored paths. Letter case does not matter, as for the official validator."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines = tuple(lines)

    @property
    def has_lines(self) -> bool:
        """Say whether the dataset states patterns of its own."""
        return bool(self._lines)

    def matches(self, path: str) -> bool:
        """Say whether the last pattern that fits ``path`` leaves it out; folders end with ``/``.

        What lies in an ignored folder is ignored, whatever its patterns say: the caller asks
        for the folder first.
        """
        if not self._any.search(path):
            return False
        verdicts = [include for regex, include in self._patterns if regex.match(path)]
        return bool(verdicts) and verdicts[-1]

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], bool], ...]:
        compiled = map(_compiled, (*DEFAULTS, *self._lines))
        return tuple(each for each in compiled if each is not None)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """Match whatever some pattern matches: most paths need no closer look."""
        if not self._lines:
            return re.compile("(?i)(?:sourcedata|derivatives|code|stimuli|log|doc)/")
        joined = "|".join(f"(?:{_plain(regex.pattern)})" for regex, _ in self._patterns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(joined, re.IGNORECASE)


def _compiled(line: str) -> tuple[re.Pattern[str], bool] | None:
    """Return what a line matches, and whether it leaves that out; None where it says nothing."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415

    line = re.sub(r"(?<!\\)\*{3,}", "*", line)  # they mean no more, and take ages to match
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read otherwise
            pattern = GitIgnoreSpecPattern(line)
            if pattern.regex is None or pattern.include is None:
                return None
            return re.compile(pattern.regex.pattern, re.IGNORECASE), pattern.include
    except (ValueError, re.error):  # no pattern, which git passes over too
        return None


def _plain(pattern: str) -> str:
    """Drop the names of groups: they may occur once only in a joined pattern."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)
