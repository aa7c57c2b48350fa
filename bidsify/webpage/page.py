"""Sections to one file: what it may load and run is said by hashes, and nothing else is allowed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from .markup import text
from .section import Section

_HERE = Path(__file__).parent
_CLOSED = ("default-src", "base-uri", "form-action")


def to_html(title: str, sections: Sequence[Section], notice: str = "") -> bytes:
    """Return the page; the same sections give the same bytes. ``notice`` stands above all."""
    frame = Section("", "", "", _asset("page.css"), _asset("page.js"))
    every = (frame, *sections)
    styles = [each.style for each in every if each.style]
    scripts = [each.script for each in every if each.script]
    named = f"{text(title)}: report"
    policy = _policy(styles, scripts, sections)
    parts = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="referrer" content="no-referrer">\n',
        f"<title>{named}</title>\n",
        *(f"<style>{style}</style>\n" for style in styles),
        '</head>\n<body>\n<a class="skip" href="#main">Skip to the content</a>\n',
        f"<header><h1>{named}</h1></header>\n",
        f'<p class="notice" role="note">{text(notice)}</p>\n' if notice else "",
        _contents(sections),
        '<main id="main">\n',
        *map(_section, sections),
        "</main>\n",
        "<footer><p>Made by bidsify. This page loads nothing from anywhere.</p></footer>\n",
        *(f"<script>{script}</script>\n" for script in scripts),
        "</body>\n</html>\n",
    )
    return "".join(parts).encode()


def _asset(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


def _contents(sections: Iterable[Section]) -> str:
    links = "".join(f'<li><a href="#{e.id}">{text(e.title)}</a></li>\n' for e in sections)
    return f'<nav aria-label="Contents"><ul>\n{links}</ul></nav>\n'


def _section(section: Section) -> str:
    return (
        f'<section id="{section.id}" aria-labelledby="{section.id}-title">\n'
        f'<h2 id="{section.id}-title">{text(section.title)}</h2>\n{section.html}</section>\n'
    )


def _policy(styles: Iterable[str], scripts: Iterable[str], sections: Iterable[Section]) -> str:
    """Allow the styles and scripts by their hashes, and what sections ask for besides."""
    allowed: dict[str, list[str]] = {name: [] for name in _CLOSED}
    allowed["style-src"] = [_hash(style) for style in styles]
    allowed["script-src"] = [_hash(script) for script in scripts]
    for section in sections:
        for name, sources in section.policy.items():
            known = allowed.setdefault(name, [])
            known += [source for source in sources.split() if source not in known]
    return "; ".join(
        f"{name} {' '.join(each) or chr(39) + 'none' + chr(39)}" for name, each in allowed.items()
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
