"""What validation found, by code, with the words of ``bidsify explain``."""

from __future__ import annotations

from html import escape

from ..printable import counted, printable
from ..survey.values import Found, Survey
from .markup import listed, paragraph, text
from .section import Section

_MOST = 200


def section(survey: Survey) -> Section:
    """Return the issues, those that are worst first."""
    validity = survey.validity
    if validity.fault:
        html = paragraph(f"The tree could not be validated: {validity.fault}.")
        return Section("findings", "Validation", html)
    said = paragraph(
        f"{counted(validity.files, 'file')} held against BIDS {validity.bids_version} (schema "
        f"{validity.schema_version}) and the checks of bidsify, headers and texts: "
        f"{numbers(survey)}.",
        f"The {_MOST} worst of {len(validity.found)} kinds." if len(validity.found) > _MOST else "",
    )
    return Section("findings", "Validation", said + "".join(map(_found, validity.found[:_MOST])))


def numbers(survey: Survey) -> str:
    """Say how many issues there are."""
    counts = survey.validity.counts
    told = [counted(counts.get("error", 0), "error"), counted(counts.get("warning", 0), "warning")]
    return ", ".join(told + ([f"{counts['info']} info"] if counts.get("info") else []))


def _found(one: Found) -> str:
    opened = " open" if one.severity == "error" else ""
    lines = "\n".join(printable(line) for line in one.explanation.splitlines())
    return (
        f'<details{opened}><summary><span class="{text(one.severity)}">{text(one.severity)}</span> '
        f"<code>{text(one.code)}</code>, {counted(one.count, 'time')}</summary>\n"
        f"<pre>{escape(lines)}</pre>\n{listed(one.examples)}</details>\n"
    )
