"""What all generated schemas share: their head, and short texts from those of the BIDS schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

_LINK = re.compile(r"\[([^]]+)\](\([^)]*\)|\[[^]]*\])")
_SENTENCE = re.compile(r".+?[.](?=\s+[A-Z`]|$)")


def head(name: str, bids: Mapping[str, Any]) -> Json:
    """Return the first keys of a document. The comment names the version that it came from."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:bidsify:schemas/{name}.schema.json",
        "$comment": f"{origin(bids)}; made by python -m bidsify.schema_export, not by hand.",
    }


def origin(bids: Mapping[str, Any]) -> str:
    """Say which BIDS schema a document follows."""
    return f"BIDS schema {bids['schema_version']} (BIDS {bids['bids_version']})"


def label(entry: Mapping[str, Any], description: str = "") -> Json:
    """Return title and description of a thing that the BIDS schema describes."""
    return {
        "title": entry.get("display_name") or entry["name"],
        "description": description or sentence(entry),
    }


def sentence(entry: Mapping[str, Any]) -> str:
    """Return the first sentence of a description, without links, and the unit."""
    text = entry.get("description") or entry.get("definition", {}).get("Description", "")
    text = _LINK.sub(r"\1", " ".join(text.split()))
    found = _SENTENCE.match(text)
    text = found[0] if found else text
    unit = entry.get("unit") or entry.get("definition", {}).get("Units")
    text = text if not text or text.endswith(".") else text + "."
    return f"{text} Unit: {unit}.".strip() if unit else text


def level_of(requirement: str | Mapping[str, Any]) -> str:
    """Return ``required``, ``recommended``, ``optional`` or ``deprecated``."""
    return requirement if isinstance(requirement, str) else requirement["level"]
