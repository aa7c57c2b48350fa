"""What standard licences allow: whether what is made from the data may be passed on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .. import citation_format

Redistribution = Literal["allowed", "noncommercial", "forbidden", "unknown"]

#: From the most to the least that may be done; unknown counts as forbidden.
STRICTNESS: tuple[Redistribution, ...] = ("allowed", "noncommercial", "unknown", "forbidden")

_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
_OPEN = {
    "CC0-1.0": "CC0-1.0",
    "PDDL-1.0": "PDDL-1.0",
    "ODC-BY-1.0": "ODC-By-1.0",
    "ODBL-1.0": "ODbL-1.0",
    **{f"CC-BY-{version}": f"CC-BY-{version}" for version in _VERSIONS},
    **{f"CC-BY-SA-{version}": f"CC-BY-SA-{version}" for version in _VERSIONS},
}
_NONCOMMERCIAL = {
    f"{name}-{version}" for name in ("CC-BY-NC", "CC-BY-NC-SA") for version in _VERSIONS
}
#: Everything of ours is made from the data, which these do not let anybody pass on.
_NO_DERIVATIVES = re.compile(r"CC-BY-(?:NC-)?ND(?:-([0-9.]+))?")
#: Words that the BIDS specification offers beside the identifiers of SPDX.
_WORDS = {"CC0": "CC0-1.0", "PDDL": "PDDL-1.0"}
_PUBLIC_DOMAIN = "PD"
_FREE = frozenset({"CC0-1.0", "PDDL-1.0"})

_SHARING = r"(?:re-?)?(?:distribut|publish)"
_FORBIDDING = re.compile(
    rf"\bno\s+(?:re-?)?(?:distribution|publication)|\b(?:not|cannot)\b[^.;]{{0,60}}\b{_SHARING}"
    rf"|\bprohibit[^.;]{{0,40}}\b{_SHARING}"
    rf"|\b{_SHARING}[^.;]{{0,60}}\b(?:not\s+(?:be\s+)?(?:allowed|permitted)|prohibited|forbidden)",
    re.IGNORECASE,
)
_CREATIVE = re.compile(
    r"(?:\bCC|\bCreative\s+Commons|/licenses)[\s/_-]*(?:BY|Attribution)|\bAttribution(?=-)",
    re.IGNORECASE,
)
_CONDITIONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"[\s_/-]*(?:{name}|{words})\b", re.IGNORECASE))
    for name, words in (
        ("NC", "Non-?Commercial"),
        ("SA", "Share-?Alike"),
        ("ND", "No-?Deriv(?:ative)?s?(?:-?Works)?"),
    )
)
_NOT_COMMERCIAL = re.compile(r"\bnon-?commercial|\bnot\s+for\s+commercial", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Restriction:
    """What the text of a licence was seen to ask for."""

    licence: str
    redistribution: Redistribution
    is_share_alike: bool


def judged(licence: str) -> tuple[str, Redistribution]:
    """Return the SPDX identifier of a licence, empty where it is none of ours, and what it allows.

    ``CC BY 4.0`` counts as ``CC-BY-4.0``; a licence in words allows nothing.
    """
    text = re.sub(r"[\s_-]+", "-", licence.strip()).upper()
    text = _WORDS.get(text, text)
    if text in _OPEN:
        return _OPEN[text], "allowed"
    if text == _PUBLIC_DOMAIN:
        return "", "allowed"
    if text in _NONCOMMERCIAL:
        return text, "noncommercial"
    if found := _NO_DERIVATIVES.fullmatch(text):
        return text if found[1] in _VERSIONS else "", "forbidden"
    return "", "unknown"


def spdx_of(licence: str) -> str:
    """Return the SPDX identifier of any licence, as it is judged; empty for none."""
    name = judged(licence)[0] or licence.strip()
    return name if name in citation_format.identifiers() else ""


def restriction_of(text: str) -> Restriction | None:
    """Return what a text forbids or asks for, as far as that is told by its words.

    It never allows anything: nobody knows whether all of the data is meant.
    """
    if found := _FORBIDDING.search(text):
        words = " ".join(found[0].split())
        return Restriction(f'"{words}"', "forbidden", is_share_alike=False)
    conditions: set[str] = set()
    for name in _CREATIVE.finditer(text):
        conditions |= _conditions_at(text, name.end())
    named = "-".join(["CC-BY", *(name for name, _ in _CONDITIONS if name in conditions)])
    if "ND" in conditions:
        return Restriction(named, "forbidden", is_share_alike=False)
    if "NC" in conditions:
        return Restriction(named, "noncommercial", "SA" in conditions)
    if _NOT_COMMERCIAL.search(text):
        return Restriction("not for commercial use", "noncommercial", "SA" in conditions)
    return Restriction(named, "allowed", is_share_alike=True) if "SA" in conditions else None


def _conditions_at(text: str, place: int) -> set[str]:
    """Return the conditions that stand one after the other from a place on."""
    found: set[str] = set()
    while True:
        each = next(((n, m) for n, p in _CONDITIONS if (m := p.match(text, place))), None)
        if each is None:
            return found
        found.add(each[0])
        place = each[1].end()


def is_share_alike(spdx: str) -> bool:
    """Say whether what is made from the data must carry the same licence."""
    return "-SA-" in spdx or spdx.startswith("ODbL")


def is_public_domain(licence: str, spdx: str = "") -> bool:
    """Say whether a licence, or its SPDX identifier, asks for nothing at all."""
    name, allows = judged(licence)
    return bool({spdx, name} & _FREE) or (allows == "allowed" and not name)


def url_of(spdx: str) -> str:
    """Return the page of a licence."""
    return f"https://spdx.org/licenses/{spdx}.html"
