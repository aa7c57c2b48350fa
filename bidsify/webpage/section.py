"""A part of the page: markup, and the style and script that the browser is to accept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading.

    Attributes:
        id: Anchor of the section, unique in the page.
        title: The heading, as plain text.
        html: What follows the heading. Markup, so strangers' text in it is escaped. It holds no
            ``style=`` and no ``on...=`` attributes: the policy of the page forbids them.
        style: Style sheet of the section, put in as it is and named by its hash in the policy.
        script: Classic script, run after the page was parsed; likewise.
        policy: What the policy must allow besides, such as ``{"img-src": "data:"}``.
    """

    id: str
    title: str
    html: str
    style: str = ""
    script: str = ""
    policy: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
