"""Markdown from texts that were not written as Markdown: nothing in them becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

#: Code spans and addresses are meant as such; DOIs and arXiv numbers become links.
_MEANT = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|(?P<url>\bhttps?://[^\s<>|`]*[^\s<>|`.,;:)])"
    r"|\bdoi:(?P<doi>10\.\d+/[^\s<>|`,;]*[^\s<>|`.,;:)])"
    r"|\barXiv:(?P<arxiv>\d{4}\.\d{4,5})"
)
_MARKUP = re.compile(r"[\\*\[\]~`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BLOCK = re.compile(r"^(?:(?P<mark>[#+-]+)|(?P<number>\d+)(?P<dot>[.)]))(?=\s|$)")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def inline(text: str) -> str:
    """Return a text in one line that reads as it stands; its code spans and links stay."""
    return _BLOCK.sub(_at_start, "".join(_pieces(" ".join(text.split()))))


def code(text: str) -> str:
    """Return a code span, whatever the text holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def link(text: str, target: str) -> str:
    """Return a link; the text is escaped."""
    return f"[{inline(text)}]({target.replace('(', '%28').replace(')', '%29')})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; cells are Markdown already, but for the pipes in them."""
    yield _row(head)
    yield "|" + "---|" * len(head)
    yield from map(_row, rows)


def block(text: str, language: str = "") -> Iterator[str]:
    """Yield the lines of a code block."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield from (f"{fence}{language}", text, fence)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _pieces(text: str) -> Iterator[str]:
    end = 0
    for found in _MEANT.finditer(text):
        yield _escaped(text[end : found.start()])
        yield _meant(found)
        end = found.end()
    yield _escaped(text[end:])


def _meant(found: re.Match[str]) -> str:
    if found["doi"]:
        return f"[{_escaped(found[0])}](https://doi.org/{found['doi'].replace(')', '%29')})"
    if found["arxiv"]:
        return f"[{found[0]}](https://arxiv.org/abs/{found['arxiv']})"
    return f"<{found['url']}>" if found["url"] else found[0]


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text).translate(_HTML)


def _at_start(found: re.Match[str]) -> str:
    return f"\\{found['mark']}" if found["mark"] else f"{found['number']}\\{found['dot']}"
