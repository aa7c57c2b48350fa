"""What a value may look like: the definitions of the BIDS schema as plain JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .document import Json, label

_KEPT = (
    "type", "enum", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength",
    "maxLength", "minItems", "maxItems", "required", "pattern", "uniqueItems", "const",
)  # fmt: skip


def value(entry: Mapping[str, Any], formats: Mapping[str, Any]) -> Json:
    """Return the schema of a value in JSON.

    A format is found anywhere in a text, as the official validator does in sidecars.
    """
    made: Json = {key: entry[key] for key in _KEPT if key in entry}
    if "anyOf" in entry:
        made["anyOf"] = [value(one, formats) for one in entry["anyOf"]]
    if "items" in entry:
        made["items"] = value(entry["items"], formats)
    if isinstance(entry.get("additionalProperties"), Mapping):
        made["additionalProperties"] = value(entry["additionalProperties"], formats)
    elif "additionalProperties" in entry:
        made["additionalProperties"] = entry["additionalProperties"]
    if "properties" in entry:
        made["properties"] = {
            name: label({"name": name, **one}) | value(one, formats)
            for name, one in entry["properties"].items()
        }
    pattern = formats[entry["format"]]["pattern"] if entry.get("format") in formats else ""
    # What matches the empty text matches somewhere in every text: nothing to state.
    return made if re.search(pattern, "") else made | {"pattern": portable(pattern)}


def text(entry: Mapping[str, Any], formats: Mapping[str, Any]) -> Json:
    """Return the schema of a cell of a table: the whole text fits, or it is ``n/a``."""
    definition = entry.get("definition")
    if definition:
        default = "number" if "Units" in definition else "string"
        kinds = [definition.get("Format", default)]
        levels, least, most = map(definition.get, ("Levels", "Minimum", "Maximum"))
    else:
        kinds = [one.get("format") or one["type"] for one in entry.get("anyOf", [entry])]
        levels, least, most = map(entry.get, ("enum", "minimum", "maximum"))
    pattern = entry.get("pattern") or "|".join(formats[kind]["pattern"] for kind in kinds)
    parts: list[Json] = []
    if levels:
        parts.append({"enum": ["n/a", *levels]})
    elif pattern != ".*":
        # The end anchors of a choice belong to its outer members only, as officially.
        whole = pattern if re.fullmatch(r"\^[^|]*\$", pattern) else f"^{pattern}$"
        parts.append({"anyOf": [{"const": "n/a"}, {"pattern": portable(whole)}]})
    parts.extend({"not": {"pattern": one}} for one in _out_of_range(least, most))
    if entry["name"] == "age":  # the one text that the official validator lets stand for a number
        parts = [{"anyOf": [{"const": "89+"}, {"allOf": parts}]}]
    if len(parts) == 1:
        return {"type": "string", **parts[0]}
    return {"type": "string", "allOf": parts} if parts else {"type": "string"}


def portable(pattern: str) -> str:
    r"""Return a pattern that means the same to each engine: ``\d`` is not ASCII in all."""
    return pattern.replace(r"\d", "[0-9]")


def _out_of_range(least: float | None, most: float | None) -> Iterator[str]:
    """Yield patterns of numbers out of a range, as far as patterns can tell them.

    Numbers with an exponent above a maximum pass: no pattern can do arithmetic.
    """
    if least == 0:
        yield "^ *-[0.]*[1-9]"
    if most is not None and most == int(most) >= 0:
        yield rf"^ *[+]?0*({_above(str(int(most)))}) *$"


def _above(most: str) -> str:
    """Return a pattern of the decimal numbers above an integer.

    >>> re.fullmatch(_above("89"), "89.0"), bool(re.fullmatch(_above("89"), "89.01"))
    (None, True)
    """
    fraction = "([.][0-9]*)?"
    higher = [
        f"{most[:place]}{'9' if digit == '8' else f'[{int(digit) + 1}-9]'}"
        + "[0-9]" * (len(most) - place - 1)
        + fraction
        for place, digit in enumerate(most)
        if digit != "9"
    ]
    longer = "[1-9]" + "[0-9]" * len(most) + "[0-9]*" + fraction
    return "|".join([longer, *higher, rf"{most}[.]0*[1-9][0-9]*"])
