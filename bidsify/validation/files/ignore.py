"""Which paths of a tree are left out: ``.bidsignore``, in the syntax of ``.gitignore``.

Where that syntax leaves room, lines mean what they mean to the official validator.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import takewhile

# Folders of BIDS whose content it does not rule; as in the official validator.
DEFAULTS = ("/sourcedata/", "/derivatives/", "/code/", "/stimuli/", "/log/", "/doc/")

_END = "/?\\Z"  # a folder is asked for with its slash
_NEVER = "(?!)"
_STAR, _DEPTHS = "[^/]*", "(?:/[^/]+)*"  # what may come in the middle
_TOKEN = re.compile(
    r"\\(?P<plain>.)|(?P<depths>/\*\*(?=/|\Z))|(?P<stars>\*+)|(?P<any>\?)|(?P<set>\[)|.", re.DOTALL
)
_SPACES = re.compile(r"(?<!\\)((?:\\\\)*)(\\? +)\Z")
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, (*range(32), 127))),
    "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))),
    "punct": string.punctuation,
    "space": " \t\n\r",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}
_NAMED = re.compile(r"\[:([^\]]*)\]")


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
        verdicts = [include for regex, include in self._patterns if regex.search(path)]
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
        joined = "|".join(f"(?:{regex.pattern})" for regex, _ in self._patterns)
        return re.compile(joined, re.IGNORECASE)


def _compiled(line: str) -> tuple[re.Pattern[str], bool] | None:
    """Return what a line matches, and whether it leaves that out; None where it says nothing."""
    if line.startswith("#"):
        return None
    body = line[line.startswith("!") :]
    body = body[body.startswith(("\\!", "\\#")) :]
    # A slash before the end binds a pattern to the root, also where only a CR comes after it.
    is_bound = body.startswith("/") or "/" in body[:-1]
    body = body.removeprefix("\ufeff").rstrip("\r\n")
    body = _SPACES.sub(lambda found: found[1] + "\\ " * found[2].startswith("\\"), body)
    if not body or re.search(r"(?<!\\)\\\Z", body):
        return None
    regex = re.compile(_translated(body, is_bound=is_bound), re.IGNORECASE)
    return regex, not line.startswith("!")


def _translated(body: str, *, is_bound: bool) -> str:
    """Write a pattern as a regular expression."""
    start = r"\A" if is_bound else r"(?:\A|/)"
    if leading := re.match(r"/?(?:\*\*/)+", body):
        start, body = r"\A(?:.*/)?", body[leading.end() :]
    pieces: list[str] = []
    at = len(body) - len(body.removeprefix("/"))
    while found := _TOKEN.match(body, at):
        at = found.end()
        rest = body[at:]
        if found["depths"]:  # at the end: what is below; in the middle: folders, also none
            pieces.append({"": "/.+", "/": "(?:/[^/]+)+"}.get(rest, _DEPTHS))
        elif found["stars"]:
            ending = "[^/]+" if pieces[-1:] == ["/"] else "[^/]{0,}"
            pieces.append(_STAR if rest else ending)
        elif found["any"]:
            pieces.append("[^/]")
        elif found["set"]:
            members, at = _set(body, at)
            pieces.append(members)
        else:
            pieces.append(re.escape(found["plain"] or found[0]))
    is_folder = pieces[-1:] == ["/"] and not body.endswith(r"\/")
    return start + "".join(_pinned(pieces)) + (r"\Z" if is_folder else _END)


def _pinned(pieces: list[str]) -> Iterator[str]:
    """Stop each asterisk at what follows it, where a later one comes, as officially."""
    for at, piece in enumerate(pieces):
        later = takewhile(lambda each: each != _DEPTHS, pieces[at + 1 :])
        is_free = piece != _STAR or _STAR not in later
        yield piece if is_free else f"(?:(?!{pieces[at + 1]})[^/])*"


def _set(body: str, at: int) -> tuple[str, int]:
    """Translate ``[...]`` from behind its bracket; one that is not closed matches nothing."""
    start = at = at + (body[at : at + 1] in {"!", "^"})
    is_negated = body[at - 1] in {"!", "^"}
    source = last = ""  # ``last`` may begin a range
    while at < len(body) and (body[at] != "]" or at == start):
        at += body[at] == "\\"
        member = body[at : at + 1]
        is_escaped = body[at - 1] == "\\" and at > start
        if member == "-" and not is_escaped and last and body[at + 1 : at + 2] not in {"", "]"}:
            at += 1 + (body[at + 1] == "\\")
            to = body[at : at + 1]
            source, last = source + (f"-{re.escape(to)}" if last <= to else ""), ""
        elif not is_escaped and (named := _NAMED.match(body, at)) and named[1].endswith(":"):
            if named[1][:-1] not in _CLASSES:
                return _NEVER, len(body)
            source, last = source + re.escape(_CLASSES[named[1][:-1]]), ""
            at = named.end() - 1
        else:
            source, last = source + re.escape(member), member
        at += 1
    if at >= len(body):
        return _NEVER, len(body)
    return f"(?!/)[{'^' * is_negated}{source}]", at + 1
